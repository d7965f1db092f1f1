"""Somebody who looks at pages, and what they would complain about."""

from types import TracebackType
from typing import Literal, Self

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, expect

_TIMEOUT_MS = 15_000
_AXE = Axe()
_RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
"""Of axe-core: WCAG 2.0 to 2.2 at levels A and AA, and what is customary beyond them."""


class Looker:
    """One browser window. `complaints` are errors of scripts, failed requests and warnings of the console."""

    def __init__(
        self, browser: Browser, address: str, *, theme: Literal["light", "dark"] = "light", width: int = 1280
    ) -> None:
        self.address = address
        self.complaints: list[str] = []
        self._context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=theme)
        self._context.set_default_timeout(_TIMEOUT_MS)
        self.page: Page = self._context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("response", self._weigh)

    def at(self, path: str) -> Page:
        """Go there, and wait until the page is alive."""
        self.page.goto(self.address + path)
        self.page.wait_for_selector(".rail")
        self.page.wait_for_function("window.socket?.connected")
        return self.page

    def barriers(self) -> list[str]:
        """What keeps somebody from using the page as it is shown: a rule of axe-core, and where it is broken."""
        found = _AXE.run(self.page, options=_RULES).response["violations"]
        return [f"{rule['id']}: {node['html'][:160]}" for rule in found for node in rule["nodes"]]

    def undo(self) -> None:
        """Take back what the toast tells."""
        self.page.locator(".toast button", has_text="Undo").click()
        expect(self.page.locator(".toast").last).to_contain_text("Undone")

    def beyond_the_edge(self) -> int:
        """Pixels by which the page is wider than the window."""
        found: int = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._context.close()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _weigh(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status}: {response.url}")

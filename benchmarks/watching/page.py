"""The live page in a real browser, and when what appeared on it."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from playwright.sync_api import Page, sync_playwright

_SWITCHES = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]

_NOTES = """
window.notes = { decisions: [], pictures: {}, complaints: [] };
const note = (card) => {
  const id = Number(/\\/event\\/(\\d+)|at=(\\d+)/.exec(card.getAttribute("href") || "")?.slice(1).find(Boolean));
  if (!id) return;
  const one = { event: id, put_ms: Date.now(), seen_ms: 0 };
  notes.decisions.push(one);
  requestAnimationFrame(() => setTimeout(() => { one.seen_ms = Date.now(); }));
};
new MutationObserver((changes) => {
  for (const change of changes)
    if (change.target.id === "feed") for (const card of change.addedNodes) if (card.nodeType === 1) note(card);
}).observe(document, { childList: true, subtree: true });
document.addEventListener("load", (event) => {
  const view = event.target.closest?.("[data-watch]");
  if (view) notes.pictures[view.dataset.watch] = (notes.pictures[view.dataset.watch] || 0) + 1;
}, true);
addEventListener("error", (event) => notes.complaints.push(String(event.message)));
"""
"""A decision is put into the document, and seen once the frame after that is drawn; a live view's image is loaded."""


class Decision(msgspec.Struct, frozen=True):
    """A card of the feed: when it was put there, and drawn (0: not yet), in Unix milliseconds."""

    event: int
    put_ms: float
    seen_ms: float


class Notes(msgspec.Struct, frozen=True):
    """What appeared on the page since it was opened; `pictures` by live view."""

    decisions: list[Decision]
    pictures: dict[str, int]
    complaints: list[str]


class LivePage:
    """A window that shows the live page, or nothing."""

    def __init__(self, page: Page, address: str) -> None:
        self._page = page
        self._address = address

    def open(self) -> None:
        self._page.goto(self._address)
        self._page.wait_for_selector(".rail")
        self._page.wait_for_function("window.socket?.connected")

    def close(self) -> None:
        self._page.goto("about:blank")

    def notes(self) -> Notes:
        """Of the page as it is open."""
        return msgspec.convert(self._page.evaluate("window.notes"), Notes)

    def wait(self, seconds: float) -> None:
        self._page.wait_for_timeout(1000 * seconds)


@contextmanager
def live_page(address: str, *, height: int) -> Iterator[LivePage]:
    """Chromium of this machine, without a window, 1280 pixels wide."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        sys.exit("no chromium on this machine; install it: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=_SWITCHES)
        page = browser.new_page(viewport={"width": 1280, "height": height})
        page.add_init_script(_NOTES)
        yield LivePage(page, address)
        browser.close()

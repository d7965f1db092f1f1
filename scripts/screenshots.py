"""Pictures of every page of a running dashboard, for the documentation: python scripts/screenshots.py ADDRESS FOLDER.

The dashboard must ask nobody who they are (`passerby web --no-login`). Chromium is taken from this machine.
"""

import argparse
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

PAGES = {
    "live": "/",
    "identities": "/identities",
    "timeline": "/timeline",
    "review": "/review",
    "search": "/search",
    "enrolment": "/enrolment",
    "site": "/site",
    "adaptation": "/adaptation",
    "cameras": "/cameras",
    "attach": "/cameras/attach",
    "system": "/system",
}
_QUIET_MS = 1500
_CORNERS = ((0.02, 0.32), (0.2, 0.3), (0.22, 0.78), (0.02, 0.9), (0.02, 0.32))
"""Of a region that is drawn over a camera's picture, the first one again at the end."""


def main() -> int:
    """Write FOLDER/PAGE.png, and PAGE-dark.png with `--dark`; gives the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", help="as http://127.0.0.1:8600")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--width", type=int, default=1280)
    told = parser.parse_args()
    browser_file = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser_file is None:
        sys.stderr.write("no chromium on this machine; install it: apt-get install chromium\n")
        return 1
    told.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_file, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(
            viewport={"width": told.width, "height": 800}, color_scheme="dark" if told.dark else "light"
        )
        page = context.new_page()
        for name, path in {**PAGES, **_found(page, told.address)}.items():
            page.goto(told.address + path)
            page.wait_for_selector(".rail")
            page.wait_for_timeout(_QUIET_MS)
            if name == "camera":
                _draw(page)
            page.screenshot(path=told.folder / f"{name}{'-dark' if told.dark else ''}.png")
        browser.close()
    return 0


def _draw(page: Page) -> None:
    """A region over the camera's picture, which is not saved."""
    page.get_by_role("button", name="Ignore a region").click()
    frame = page.locator("region-view svg").bounding_box()
    for x, y in _CORNERS:
        if frame is not None:
            page.mouse.click(frame["x"] + x * frame["width"], frame["y"] + y * frame["height"])


def _found(page: Page, address: str) -> dict[str, str]:
    """Somebody who was seen, a decision about them, a camera: the first ones that pages lead to."""
    found = {}
    for name, path, link in (
        ("person", "/identities", ".person"),
        ("event", "/", "#feed a[href^='/event/']"),
        ("camera", "/cameras", ".camera-row h2 a"),
    ):
        page.goto(address + path)
        page.wait_for_selector(".rail")
        first = page.locator(link).first
        if first.count():
            found[name] = first.get_attribute("href") or path
    return found


if __name__ == "__main__":
    sys.exit(main())

"""Pictures of every page of a running dashboard, for the documentation: python scripts/screenshots.py ADDRESS FOLDER.

The dashboard must ask nobody who they are (`passerby web --no-login`). With `--camera` it looks at one before it is
attached, with `--film` it enrolls somebody by a film and asks who is in it. Chromium is taken from this machine.
"""

import argparse
import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page, sync_playwright

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
_ANSWER_MS = 120_000
"""In which networks are loaded and have looked, also on a machine that renders a site meanwhile."""

_CORNERS = ((0.02, 0.32), (0.2, 0.3), (0.22, 0.78), (0.02, 0.9), (0.02, 0.32))
"""Of a region that is drawn over a camera's picture, the first one again at the end."""


def main() -> int:
    """Write FOLDER/PAGE.png, and PAGE-dark.png with `--dark`; gives the exit code."""
    told = _parse()
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
        _take(context, told)
        browser.close()
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", help="as http://127.0.0.1:8600")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--camera", default="", help="the URL of a camera that is looked at, with its login")
    parser.add_argument("--film", type=Path, help="of one person")
    return parser.parse_args()


def _take(context: BrowserContext, told: argparse.Namespace) -> None:
    page = context.new_page()
    found = _found(page, told.address)
    if "person" in found:
        asked = {"identity": found["person"].split("/")[-1], "limit": "1"}
        seen = page.request.get(f"{told.address}/api/v1/tracklets", params=asked).json()["items"]
        found["timeline"] = f"/timeline?tracklet={seen[0]['id']}"

    def shoot(name: str) -> None:
        page.screenshot(path=told.folder / f"{name}{'-dark' if told.dark else ''}.png")

    for name, path in {**PAGES, **found}.items():
        page.goto(told.address + path)
        page.wait_for_selector(".rail")
        page.wait_for_timeout(_QUIET_MS)
        if name == "camera":
            _draw(page)
        elif name == "search" and "person" in found:
            _search(
                page,
                crop=page.request.get(f"{told.address}/api/v1/identities/{found['person'].split('/')[-1]}/crop").body(),
            )
        elif name == "attach" and told.camera:
            _look(page, url=told.camera)
        elif name == "enrolment" and told.film is not None:
            _bring(page, told.film, name="Grace")
        shoot(name)
    if told.film is not None:
        for name, path, button in (
            ("enrolled", "/enrolment", "Enroll"),
            ("identified", "/enrolment?tab=identify", "Identify"),
        ):
            page.goto(told.address + path)
            _bring(page, told.film, name="Grace" if name == "enrolled" else "")
            page.get_by_role("button", name=button, exact=True).click()
            page.wait_for_selector("#answer .crop", timeout=_ANSWER_MS)
            shoot(name)


def _search(page: Page, *, crop: bytes) -> None:
    """Who somebody is who was seen."""
    page.get_by_label("It is cut out").check()
    page.get_by_label("A picture").set_input_files({"name": "who.jpg", "mimeType": "image/jpeg", "buffer": crop})
    page.wait_for_selector("#answer .rank", timeout=_ANSWER_MS)
    page.wait_for_timeout(_QUIET_MS)


def _look(page: Page, *, url: str) -> None:
    """A look at a camera, which is not attached."""
    parts = urlsplit(url)
    page.get_by_label("URL or host").fill(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl())
    page.get_by_label("User").fill(parts.username or "")
    page.get_by_label("Password").fill(parts.password or "")
    page.get_by_role("button", name="Look at it").click()
    page.locator("#answer input[name=name]").fill("yard", timeout=_ANSWER_MS)
    page.wait_for_timeout(_QUIET_MS)


def _bring(page: Page, film: Path, *, name: str) -> None:
    """A film, with all of its frames."""
    page.wait_for_selector(".rail")
    page.wait_for_timeout(_QUIET_MS)
    if name:
        page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Pictures or a film").set_input_files(film)
    page.wait_for_selector("[data-film]", timeout=_ANSWER_MS)
    page.wait_for_timeout(_QUIET_MS)


def _draw(page: Page) -> None:
    """A region over the camera's picture, which is not saved."""
    page.get_by_role("button", name="Ignore a region").click()
    frame = page.locator("region-view svg").bounding_box()
    for x, y in _CORNERS:
        if frame is not None:
            page.mouse.click(frame["x"] + x * frame["width"], frame["y"] + y * frame["height"])


def _found(page: Page, address: str) -> dict[str, str]:
    """Somebody who was seen, a decision about them, a camera, an adaptation: the first ones that pages lead to."""
    found = {}
    for name, path, link in (
        ("person", "/identities", ".person"),
        ("event", "/", "#feed a[href^='/event/']"),
        ("camera", "/cameras", ".camera-row h2 a"),
        ("adapted", "/adaptation", "#job-history a"),
    ):
        page.goto(address + path)
        page.wait_for_selector(".rail")
        first = page.locator(link).first
        if first.count():
            found[name] = first.get_attribute("href") or path
    return found


if __name__ == "__main__":
    sys.exit(main())

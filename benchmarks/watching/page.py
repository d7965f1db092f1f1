"""The live page in a real browser, and when what appeared on it."""

import base64
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from playwright.sync_api import Page, sync_playwright

from benchmarks.watching.site import PREVIEW_INTERVAL_S

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


_RECORDED = """<!doctype html><style>body {{ display: grid; grid-template-columns: repeat(3, 1fr); gap: 8px }}
img {{ width: 100% }}</style><body><script>
const views = {pictures}.map((jpegs, place) => {{
  const image = document.body.appendChild(new Image());
  const bytes = (jpeg) => Uint8Array.from(atob(jpeg), (c) => c.charCodeAt(0));
  const files = jpegs.map((jpeg) => new Blob([bytes(jpeg)], {{ type: "image/jpeg" }}));
  return {{ image, files, next: place }};
}});
const draw = (view) => {{
  const url = URL.createObjectURL(view.files[view.next++ % view.files.length]);
  view.image.onload = () => URL.revokeObjectURL(url);
  view.image.src = url;
}};
views.forEach((view, place) => setTimeout(() => setInterval(() => draw(view), {every_ms}), 25 * place));
</script>"""


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
    """A window that shows the live page, pictures of no server, or nothing."""

    def __init__(self, page: Page, address: str, *, elsewhere: str) -> None:
        self._page = page
        self._address = address
        self._elsewhere = elsewhere

    def open(self) -> None:
        self._page.goto(self._address)
        self._page.wait_for_selector(".rail")
        self._page.wait_for_function("window.socket?.connected")

    def look_elsewhere(self) -> None:
        self._page.goto(self._elsewhere)

    def close(self) -> None:
        self._page.goto("about:blank")

    def notes(self) -> Notes:
        """Of the page as it is open."""
        return msgspec.convert(self._page.evaluate("window.notes"), Notes)

    def wait(self, seconds: float) -> None:
        self._page.wait_for_timeout(1000 * seconds)


@contextmanager
def live_page(address: str, *, height: int, elsewhere: str) -> Iterator[LivePage]:
    """Chromium of this machine, without a window, 1280 pixels wide; `elsewhere` is another address than the page's."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        sys.exit("no chromium on this machine; install it: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=_SWITCHES)
        page = browser.new_page(viewport={"width": 1280, "height": height})
        page.add_init_script(_NOTES)
        yield LivePage(page, address, elsewhere=elsewhere)
        browser.close()


def recorded(folder: Path, pictures: Sequence[Sequence[bytes]], *, every_s: float = PREVIEW_INTERVAL_S) -> str:
    """The address of a page in a file that draws the JPEG `pictures` of each view in turn, as often as edges send."""
    encoded = [[base64.b64encode(jpeg).decode() for jpeg in view] for view in pictures]
    file = folder / "elsewhere.html"
    file.write_text(_RECORDED.format(pictures=json.dumps(encoded), every_ms=round(1e3 * every_s)), encoding="utf-8")
    return file.as_uri()

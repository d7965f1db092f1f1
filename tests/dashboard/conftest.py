"""A browser without a window, and a site for it to look at."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.conftest import unavailable
from tests.dashboard.looking import Looker
from tests.dashboard.site import fill, web
from tests.hub.outgoing.receiving import Receiver, free_port, receiving

_SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They start a browser and a web process, and Playwright keeps an event loop in the thread of the tests."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.system)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium of this machine; without one the tests are skipped."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        unavailable("no chromium on this machine; install it: apt-get install chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=_SWITCHES)
        yield running
        running.close()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site's folder. Tests leave people as they found them, but for person 4, whom one of them erases."""
    folder = tmp_path_factory.mktemp("site")
    fill(folder / "data")
    return folder


@pytest.fixture(scope="session")
def address(folder: Path) -> Iterator[str]:
    """Where its pages are, without a login. Of the two that it tells, one is away."""
    with receiving(Receiver()) as alarm:
        webhooks = {"alarm": alarm.url, "gone": f"http://127.0.0.1:{free_port()}/very-secret"}
        with web(folder, "--no-login", webhooks=webhooks) as (address, _):
            yield address


@pytest.fixture
def look(browser: Browser, address: str) -> Iterator[Looker]:
    """An operator at their desk; at the end nothing must have been complained about."""
    with Looker(browser, address) as looker:
        yield looker
    assert looker.complaints == []

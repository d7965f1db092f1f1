"""Real cameras for the system tests: real footage from a real RTSP server."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import unavailable
from tests.system.cameras import RtspCameras, why_no_server
from tests.system.processes import LiveSite

collect_ignore = ["rtsp_server.py"]  # another Python's

ServeFilms = Callable[..., RtspCameras]
MakeSite = Callable[..., LiveSite]

SITE: dict[str, Any] = {
    "models": {"detector": "person-detection-retail-0013", "reid": "person-reidentification-retail-0288"},
    "defaults": {"fps": 5},
}
"""What the sites of the system tests have in common."""


@pytest.fixture(scope="session")
def _rtsp_available() -> None:
    reason = why_no_server()
    if reason:
        unavailable(reason)


@pytest.fixture
def serve_films(_rtsp_available: None) -> Iterator[ServeFilms]:
    """`serve_films({"cam0": path}, login=(user, password), speed=1.0)`: a running RTSP server, ended with the test."""
    with ExitStack() as running:

        def start(films: dict[str, Path], *, login: tuple[str, str] | None = None, speed: float = 1.0) -> RtspCameras:
            return running.enter_context(RtspCameras(films, login=login, speed=speed))

        yield start


@pytest.fixture
def make_site(tmp_path: Path, shared_data: Callable[[str], Path]) -> Iterator[MakeSite]:
    """`make_site({"cam0": url}, secrets={...})`: a site file in a folder, whose processes end with the test."""
    with ExitStack() as sites:
        numbers = itertools.count(1)

        def make(cameras: dict[str, str], *, secrets: dict[str, str] | None = None) -> LiveSite:
            settings = {**SITE, "cameras": {name: {"url": url} for name, url in cameras.items()}}
            folder = tmp_path / f"site{next(numbers)}"
            return sites.enter_context(LiveSite(folder, shared_data("models"), settings, secrets or {}))

        yield make

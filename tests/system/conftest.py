"""Real cameras for the system tests: real footage from a real RTSP server."""

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
    # The detector takes the laboratory's empty chairs for people with a confidence of up to 0.75.
    "defaults": {"fps": 5, "min_confidence": 0.75, "tracker": "ocsort"},
}
"""What the sites of the system tests have in common."""


@pytest.fixture(scope="session")
def _rtsp_available() -> None:
    reason = why_no_server()
    if reason:
        unavailable(reason)


@pytest.fixture
def serve_films(_rtsp_available: None) -> Iterator[ServeFilms]:
    """`serve_films({"cam0": path}, login=(user, password))`: a running RTSP server, stopped after the test."""
    with ExitStack() as running:

        def start(films: dict[str, Path], *, login: tuple[str, str] | None = None) -> RtspCameras:
            return running.enter_context(RtspCameras(films, login=login))

        yield start


@pytest.fixture
def make_site(tmp_path: Path, shared_data: Callable[[str], Path]) -> Iterator[MakeSite]:
    """`make_site({"cam0": url}, secrets={...})`: a site file in a folder, whose processes end with the test."""
    with ExitStack() as sites:

        def make(cameras: dict[str, str], *, secrets: dict[str, str] | None = None) -> LiveSite:
            settings = {**SITE, "cameras": {name: {"url": url} for name, url in cameras.items()}}
            return sites.enter_context(LiveSite(tmp_path / "site", shared_data("models"), settings, secrets or {}))

        yield make

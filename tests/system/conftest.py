"""Real cameras for the system tests: real footage from a real RTSP server."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import unavailable
from tests.system.cameras import RtspCameras, why_no_server

collect_ignore = ["rtsp_server.py"]  # another Python's

ServeFilms = Callable[..., RtspCameras]


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

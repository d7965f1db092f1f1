"""The test bed itself: a live picture can be traced back to its frame in the film, so that the truth applies to it."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest

from edge.sources import open_source
from passerby.config import CameraSettings
from passerby.errors import SourceUnauthorizedError
from passerby.ids import CameraId
from tests.system.cameras import RtspCameras

pytestmark = pytest.mark.system

FRAME_NS = 100_000_000


def film_frames(path: Path, count: int) -> list[np.ndarray]:
    """The first `count` frames of a film, small and grey."""
    with av.open(str(path)) as container:
        frames = islice(container.decode(video=0), count)
        return [frame.to_ndarray(format="gray")[::8, ::8].astype(np.float32) for frame in frames]


def test_a_live_pictures_capture_time_leads_to_its_frame_in_the_film(
    serve_films: Callable[..., RtspCameras], shared_data: Callable[[str], Path]
) -> None:
    film = shared_data("footage/fourcam/cam1.mp4")
    truth = film_frames(film, 70)
    cameras = serve_films({"cam1": film})
    settings = CameraSettings(url=cameras.url("cam1"), fps=5)
    with open_source(CameraId("cam1"), settings, realtime=True) as source:
        live = list(islice(source, 18))
    for frame in live:
        grey = frame.image[::8, ::8].mean(axis=2)
        most_alike = 1 + int(np.argmin([np.abs(grey - known).mean() for known in truth]))
        named = cameras.frame_number("cam1", frame.captured_at_ns)
        assert named is not None
        # Before the first sender report there is this host's clock, within its stated error.
        tolerance = 2 if frame.clock.source == "rtcp" else 1 + frame.clock.error_ns // FRAME_NS
        assert abs(named - most_alike) <= tolerance, (named, most_alike, frame.clock)
    assert live[-1].clock.source == "rtcp"
    assert np.diff([frame.captured_at_ns for frame in live]).min() > 0


def test_a_camera_with_a_password_lets_in_who_knows_it(
    serve_films: Callable[..., RtspCameras], shared_data: Callable[[str], Path]
) -> None:
    cameras = serve_films({"cam0": shared_data("footage/fourcam/cam0.mp4")}, login=("viewer", "hunter2"))
    open_url, known_url = cameras.url("cam0"), cameras.url("cam0").replace("rtsp://", "rtsp://viewer:hunter2@")
    with pytest.raises(SourceUnauthorizedError):
        open_source(CameraId("cam0"), CameraSettings(url=open_url), realtime=True)
    with open_source(CameraId("cam0"), CameraSettings(url=known_url), realtime=True) as source:
        assert next(iter(source)).image.shape == (728, 1288, 3)

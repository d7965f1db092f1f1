"""Cameras by way of the web: what may be attached, what is kept of a password, and what a look finds."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from passerby.cli.serving.cameras import SiteCameras
from passerby.config import load_site
from passerby.errors import DataError, SourceRefusedError
from passerby.ids import CameraId
from tests.edge.test_live import MjpegServer
from tests.system.processes import free_port

DOOR, HALL = CameraId("door"), CameraId("hall")
SECRET = "s3c/ret"  # noqa: S105 - of a camera that is not there


@pytest.fixture
def cameras(tmp_path: Path) -> SiteCameras:
    file = tmp_path / "site.yaml"
    file.write_text(
        "site: test\ndata: data\nmodels: {detector: passerby-sim-detector, reid: passerby-sim-reid}\n"
        "cameras: {hall: {url: hall.mp4}, gate: {url: 'rtsp://{NOT_SET_HERE}@10.0.0.4/sub'}}\n"
    )
    return SiteCameras(load_site(file, secrets="left"))


@pytest.fixture
def mjpeg() -> Iterator[MjpegServer]:
    grey = cv2.imencode(".jpg", np.full((240, 320, 3), 90, np.uint8))[1].tobytes()
    server = MjpegServer([grey])
    yield server
    server.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("/etc/passwd", "no camera's URL"),
        ("recordings/hall.mp4", "no camera's URL"),
        ("file:///etc/passwd", "no camera's URL"),
        ("concat:/etc/passwd|/etc/group", "no camera's URL"),
        ("", "no camera's URL"),
        ("hall.mp4", "probe it first"),
        ("10.0.0.5", "probe it first"),
        ("rtsp://***@10.0.0.5/sub", "in place of a secret"),
        ("rtsp://{HOME}@10.0.0.5/sub", "needs the environment variable HOME"),
    ],
)
def test_a_file_of_this_machine_or_a_secret_of_its_environment_is_not_reached(
    cameras: SiteCameras, url: str, said: str
) -> None:
    with pytest.raises(DataError, match=said):
        cameras.attach(DOOR, {"url": url}, actor="ada")
    with pytest.raises(DataError, match=said):
        cameras.edit(HALL, {"url": url}, actor="ada")
    assert sorted(cameras.settings()) == ["gate", "hall"]
    if "probe it first" not in said and "{" not in url:
        with pytest.raises(DataError, match=said):
            cameras.probe({"url": url})


def test_a_host_that_is_the_name_of_a_file_is_a_host(
    cameras: SiteCameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hall.invalid").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceRefusedError, match="no host of that name"):
        cameras.probe({"url": "hall.invalid"})


def test_a_password_is_kept_and_never_shown_until_another_url_is_given(cameras: SiteCameras) -> None:
    said = cameras.attach(DOOR, {"url": "rtsp://10.0.0.9/sub", "fps": 2.0}, actor="ada", login=("ann", SECRET))
    assert said == "saved; no hub runs now, the next start takes it"
    assert SECRET not in str(cameras.lines())
    shown = next(line.url for line in cameras.lines() if line.camera == DOOR)
    assert shown == "rtsp://***@10.0.0.9/sub"
    cameras.edit(DOOR, {"url": shown, "fps": 4.0, "masks": [[[0, 0], [1, 0], [1, 1]]]}, actor="ada")
    door = cameras.settings()[DOOR]
    assert (door.url, door.fps, len(door.masks)) == ("rtsp://ann:s3c%2Fret@10.0.0.9/sub", 4.0, 1)
    cameras.edit(DOOR, {"enabled": False}, actor="ada")
    assert cameras.settings()[DOOR].url == door.url
    cameras.edit(DOOR, {"url": "rtsp://10.0.0.10/sub"}, actor="ada")
    assert cameras.settings()[DOOR].url == "rtsp://10.0.0.10/sub"
    cameras.remove(DOOR, actor="ada")
    assert DOOR not in cameras.settings()


def test_a_recording_of_the_site_file_is_changed_and_stays_what_it_is(cameras: SiteCameras) -> None:
    before = cameras.settings()[HALL].url
    cameras.edit(HALL, {"url": before, "fps": 1.0}, actor="ada")
    assert (cameras.settings()[HALL].url, cameras.settings()[HALL].fps) == (before, 1.0)


def test_a_look_finds_what_a_stream_is_and_says_what_it_does(cameras: SiteCameras, mjpeg: MjpegServer) -> None:
    steps: list[str] = []
    url = f"http://127.0.0.1:{mjpeg.port}/x?token=word"
    found = cameras.probe({"url": url}, login=("ann", SECRET), tell=steps.append)
    assert found.url == f"http://127.0.0.1:{mjpeg.port}/x?token=***"
    assert (found.facts["width"], found.facts["height"], found.tried) == (320, 240, [])
    assert found.picture is not None
    assert found.picture[:2] == b"\xff\xd8"
    assert len(found.seen) == found.facts["frames_looked_at"]
    assert SECRET not in "".join(steps)


def test_where_nobody_listens_is_said(cameras: SiteCameras) -> None:
    with pytest.raises(SourceRefusedError, match="nobody listens there"):
        cameras.probe({"url": f"127.0.0.1:{free_port()}"})

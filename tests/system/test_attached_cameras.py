"""`passerby camera` with real processes: a camera found by its host, with a password; one attached at run time."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.live_pictures import picture, watch
from passerby.ids import CameraId
from tests.system.cameras import RtspCameras, wait_until
from tests.system.processes import LiveSite
from tests.system.records import read_records

pytestmark = pytest.mark.system

DOOR = CameraId("door")
PASSWORD = "s3c/ret one"  # noqa: S105 - of a camera that is not there
WAIT_S = 60.0


def test_cameras_are_attached_before_the_start_and_while_all_runs(
    serve_films: Callable[..., RtspCameras],
    make_site: Callable[..., LiveSite],
    shared_data: Callable[[str], Path],
) -> None:
    film = shared_data("footage/fourcam/cam0.mp4")
    cameras = serve_films({"stream2": film}, login=("ann", PASSWORD))
    site = make_site({"hall": "rtsp://127.0.0.1:9/"})
    where = ("--config", str(site.config))
    image = site.folder / "door.jpg"
    said = site.run(
        *("camera", "add", "door", f"127.0.0.1:{cameras.port}", "--user", "ann", "--password-stdin", *where),
        *("--picture", str(image)),
        stdin=PASSWORD + "\n",
    )
    assert "a path of TP-Link" in said
    assert "good for re-ID" in said
    assert "door: saved; no hub runs now, the next start takes it" in said
    assert image.read_bytes()[:2] == b"\xff\xd8"

    hub, edge = site.start("hub"), site.start("edge")
    wait_until("people at the new camera", lambda: read_records(site.data).last_seen_ns("door") > 0, timeout_s=WAIT_S)

    def watched() -> object:
        watch(site.data, [DOOR])
        return picture(site.data, DOOR)

    wait_until("a live picture", watched, timeout_s=WAIT_S)
    said += site.run("camera", "add", "yard", str(film), *where)
    assert "yard: saved, and taken by edge edge" in said
    wait_until("people at the next one", lambda: read_records(site.data).last_seen_ns("yard") > 0, timeout_s=WAIT_S)
    said += site.run("camera", "remove", "door", *where)
    assert "door: saved, and taken" in said
    assert edge.stop() == 0, edge.log()
    assert hub.stop() == 0, hub.log()
    for text in (said, hub.log(), edge.log(), site.config.read_text()):
        assert "s3c" not in text
    left = [file for file in site.data.rglob("*") if file.is_file() and b"s3c" in file.read_bytes()]
    assert left == [], "a removed camera's password is forgotten"

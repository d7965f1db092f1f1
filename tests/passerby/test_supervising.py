"""The child processes of `passerby up`: real hubs, which need no networks."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.ownership import DataLock
from hub.site_hub import Hub
from passerby.cli.supervising.children import LONGEST_LOG_BYTES, Child
from passerby.cli.supervising.view import SiteView
from passerby.config import load_site
from passerby.config.attaching import attach, remove
from passerby.errors import ConfigError, StoreError
from passerby.ids import CameraId
from tests.hub.people import Sender, at, seen

TREE = Path(__file__).parents[2]
PATIENCE_S = 30.0

_SUPERVISOR = """
import sys, threading
from pathlib import Path
from passerby.cli.supervising.children import Child
Child("hub", ["hub", "--config", sys.argv[1]], log=Path(sys.argv[2])).start()
threading.Event().wait(60)
"""


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    waiting = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"never came: {what}"
        waiting.wait(0.02)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(TREE))
    file = tmp_path / "site.yaml"
    file.write_text("site: test\ndata: data\nhub: {listen: 'tcp://127.0.0.1:*'}\ncameras: {hall: {url: hall.mp4}}\n")
    return file


def hub_of(site: Path) -> Child:
    return Child("hub", ["hub", "--config", str(site)], log=site.parent / "logs" / "hub.log")


def said(site: Path, words: str) -> bool:
    log = site.parent / "logs" / "hub.log"
    return log.exists() and words in log.read_text()


def is_free(data: Path) -> bool:
    try:
        with DataLock(data):
            return True
    except StoreError:
        return False


def test_a_child_stops_in_order_when_its_parent_is_killed(site: Path) -> None:
    command = [sys.executable, "-c", _SUPERVISOR, str(site), str(site.parent / "logs" / "hub.log")]
    with subprocess.Popen(command) as parent:
        until(lambda: said(site, "listens at"), "the hub")
        assert not is_free(site.parent / "data")
        parent.send_signal(signal.SIGKILL)
    until(lambda: is_free(site.parent / "data"), "the end of the hub")
    assert said(site, "stopped;")


def test_a_child_that_dies_says_why_and_is_started_again(site: Path) -> None:
    child = hub_of(site)
    with DataLock(site.parent / "data"), child:
        until(lambda: not child.is_running(), "its death")
        child.keep_alive()
        assert "another hub works here" in child.state
        assert "starts again in" in child.state
    with child:
        until(lambda: said(site, "listens at"), "the hub")
        assert child.state == "running"
        assert child.stop(patience_s=PATIENCE_S)
    assert child.has_ended()


def test_a_wrong_configuration_is_not_tried_again(site: Path) -> None:
    site.write_text("site: test\ncameras: {hall: {urll: hall.mp4}}\n")
    with hub_of(site) as child:
        until(lambda: not child.is_running(), "its end")
        with pytest.raises(ConfigError, match=r"the hub cannot start: .*site\.yaml:2: .*urll"):
            child.keep_alive()


def test_the_view_outlives_a_database_that_cannot_be_read(site: Path) -> None:
    settings, sender = load_site(site), Sender()
    with contextlib.closing(SiteView(settings, [], started_at_ns=0)) as view:
        assert view.new_events() == [], "there is no database yet"
        with Hub.open(settings.data) as hub:
            assert view.new_events() == []
            hub.ingest(sender.send(seen(1, tracklet=1)), now_ns=at(2))
            assert [line.split(" ", 1)[1] for line in view.new_events()] == ["hall tracklet 1 -> new person 1"]
        database = settings.data / "passerby.sqlite"
        whole = database.read_bytes()
        database.write_bytes(b"no database" * 1000)
        assert view.new_events() == []
        assert view.camera_lines() == ["hall: connecting 0.0/0.0 fps, 0 tracklets, 0 reconnects starting"]
        database.write_bytes(whole)
        with Hub.open(settings.data) as hub:
            hub.ingest(sender.send(seen(2, tracklet=2)), now_ns=at(9))
            assert len(view.new_events()) == 1, "it goes on where it was"


def test_a_log_does_not_grow_without_bound(site: Path) -> None:
    log = site.parent / "logs" / "hub.log"
    log.parent.mkdir()
    log.write_bytes(b"")
    os.truncate(log, LONGEST_LOG_BYTES + 1)
    with hub_of(site) as child:
        assert log.with_name("hub.log.1").stat().st_size == LONGEST_LOG_BYTES + 1
        until(lambda: said(site, "listens at"), "the hub")
        os.truncate(log, LONGEST_LOG_BYTES + 1)
        child.keep_alive()
        assert log.stat().st_size == 0
        assert child.stop(patience_s=PATIENCE_S)
    assert log.read_text().rstrip().endswith("identities known"), "it goes on where the log begins again"


def test_cameras_attached_and_removed_meanwhile_are_in_the_view(site: Path) -> None:
    settings = load_site(site)
    with contextlib.closing(SiteView(settings, [], started_at_ns=0)) as view:
        assert [line.split(":")[0] for line in view.camera_lines()] == ["hall"]
        attach(settings, CameraId("door"), {"url": "door.mp4"})
        assert [line.split(":")[0] for line in view.camera_lines()] == ["hall", "door"]
        remove(settings, CameraId("hall"))
        assert [line.split(":")[0] for line in view.camera_lines()] == ["door"]
        (settings.data / "cameras" / "door.yaml").write_text("{")
        assert [line.split(":")[0] for line in view.camera_lines()] == ["door"], "as it was, while it cannot be read"

"""Hub, edge and cameras die in mid-run and come back: all goes on by itself, nothing is lost or counted twice."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.system import ledger
from tests.system.cameras import RtspCameras, wait_until
from tests.system.processes import LiveSite
from tests.system.records import read_records

pytestmark = pytest.mark.system

CAMERAS = ("cam0", "cam1")
WAIT_S = 60.0


def test_killed_processes_and_a_silent_camera_cost_no_tracklet(
    serve_films: Callable[..., RtspCameras],
    make_site: Callable[..., LiveSite],
    shared_data: Callable[[str], Path],
) -> None:
    cameras = serve_films({name: shared_data(f"footage/fourcam/{name}.mp4") for name in CAMERAS})
    site = make_site({name: cameras.url(name) for name in CAMERAS})
    hub, edge = site.start("hub"), site.start("edge")
    wait_until("people from both cameras", lambda: _both_seen_since(site, 0), timeout_s=WAIT_S)

    hub.kill()
    acknowledged = read_records(site.data)
    hub_died_at = time.time_ns()
    wait_until("ten messages waiting in the edge's spool", lambda: ledger.waiting(site.data) >= 10, timeout_s=WAIT_S)
    edge.must_run()
    hub_came_at = time.time_ns()
    hub = site.start("hub")
    wait_until("people since the hub came back", lambda: _both_seen_since(site, hub_came_at), timeout_s=WAIT_S)

    edge.kill()
    edge_came_at = time.time_ns()
    edge = site.start("edge")
    wait_until("people since the edge came back", lambda: _both_seen_since(site, edge_came_at), timeout_s=WAIT_S)

    cameras.stop()
    stopped_at = time.monotonic()
    wait_until("both cameras waiting to reconnect", lambda: _states(site) == {"waiting"}, timeout_s=WAIT_S)
    wait_until("ten seconds of silence", lambda: time.monotonic() > stopped_at + 10, timeout_s=WAIT_S)
    cameras_came_at = time.time_ns()
    cameras.start()
    wait_until("people since the cameras came back", lambda: _both_seen_since(site, cameras_came_at), timeout_s=WAIT_S)

    assert edge.stop() == 0, edge.log()
    assert hub.stop() == 0, hub.log()

    now = read_records(site.data).tracklets
    for number, tracklet in acknowledged.tracklets.items():
        assert (now[number].boot_id, now[number].tracklet_id) == (tracklet.boot_id, tracklet.tracklet_id)
        assert now[number].revision >= tracklet.revision
    assert ledger.waiting(site.data) == 0
    assert ledger.committed(site.data) == ledger.sent(site.data)
    assert len(ledger.committed(site.data)) == 2, "two lives of the edge"
    times = ledger.times_by_tracklet(site.data)
    for number, seen in times.items():
        assert (np.diff(seen) > 0).all(), f"tracklet {number} has a frame twice: {seen}"
    everything = np.concatenate(list(times.values()))
    assert ((hub_died_at < everything) & (everything < hub_came_at)).any(), "nothing is known of the time without a hub"


def _both_seen_since(site: LiveSite, moment_ns: int) -> bool:
    records = read_records(site.data)
    return all(records.last_seen_ns(camera) > moment_ns for camera in CAMERAS)


def _states(site: LiveSite) -> set[str]:
    records = read_records(site.data)
    return {records.state(camera) for camera in CAMERAS}

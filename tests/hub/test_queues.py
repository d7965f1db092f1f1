"""What waits in edges, in the hub and for a decision is told to whoever asks."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace as changed

from hub.api import make_api
from hub.queue_watch import FORGOTTEN_NS, QueueWatch, edges_now
from hub.queues import STALE_NS, EdgeQueue, HubQueue, Queues, read_queues, write_queues
from hub.site_hub import Hub
from passerby.errors import StoreError
from passerby.ids import BootId, CameraId, EdgeId
from passerby.messages import Backlog, CameraStatus, Status
from passerby.transport import ConnectedEdge, HubPort, load_hub_keys
from tests.hub.api.serving import fill, served, services_of, token_of
from tests.hub.people import Sender, at, seen
from tests.hub.test_camera_changes import EDGE
from tests.hub.test_server import edge, running_hub

HALL, LOBBY = CameraId("hall"), CameraId("lobby")
GATE = EdgeQueue(
    edge_id=EdgeId("gate"),
    cameras=(HALL,),
    here=True,
    heard_ns=5_000_000_000,
    backlog=Backlog(messages=1200, size=5 << 20, waited_ns=95 * 10**9, refused=2),
    unsettled=3,
)
QUEUES = Queues(
    at_ns=6_000_000_000,
    hub=HubQueue(messages=3, size=4096, waited_ns=500_000_000, undecided=2, undecided_ns=None, missing=1),
    edges=(GATE,),
)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_processes_with_one_key_are_one_edge() -> None:
    first = Backlog(messages=2, size=20, waited_ns=7, refused=1)
    second = Backlog(messages=0, size=0, waited_ns=None)
    found = edges_now(
        [_edge(backlog=first, heard=5), _edge(backlog=second, heard=9, camera=LOBBY), _edge("a", backlog=None)],
        {},
        now_ns=10,
    )
    assert list(found) == ["a", "edge"]
    assert found[EdgeId("edge")] == EdgeQueue(
        edge_id=EdgeId("edge"), cameras=(HALL, LOBBY), here=True, heard_ns=9, backlog=first, unsettled=0
    )
    assert found[EdgeId("a")].backlog is None


def test_an_edge_that_is_gone_is_told_as_it_was_for_a_day() -> None:
    before = {GATE.edge_id: GATE}
    away = edges_now([], before, now_ns=GATE.heard_ns + 1)
    assert away == {GATE.edge_id: changed(GATE, here=False, unsettled=0)}
    assert edges_now([], away, now_ns=GATE.heard_ns + FORGOTTEN_NS) == {}
    assert edges_now([_edge("gate", heard=8)], away, now_ns=9)[GATE.edge_id].here
    assert edges_now([], {}, now_ns=0) == {}


def test_what_waits_is_told_while_nobody_takes_it(tmp_path: Path) -> None:
    with (
        port_of(tmp_path) as port,
        edge(port.address, tmp_path) as link,
        QueueWatch(tmp_path, port, look_s=0.02) as watch,
    ):
        link.publish(Status(sent_at_ns=1, cameras=[CameraStatus(camera_id=HALL, state="live")]), timeout_s=1)
        watch.decided(4, since_ns=time.time_ns() - 10**9)
        until(lambda: (found := now(tmp_path)) is not None and found.hub.messages == 1)
        found = now(tmp_path)
        assert found is not None
        assert found.hub.waited_ns is not None
        assert found.hub.undecided == 4
        assert found.hub.undecided_ns is not None
        assert found.hub.undecided_ns >= 10**9
        assert [(one.edge_id, one.here, one.cameras) for one in found.edges] == [("edge", True, (HALL,))]
        port.acknowledge(port.receive(max_messages=8, timeout_s=0))
        until(lambda: (found := now(tmp_path)) is not None and found.hub.messages == 0)
        link.close()
        until(lambda: (found := now(tmp_path)) is not None and not found.edges[0].here)


def test_whoever_is_not_decided_yet_is_counted(tmp_path: Path) -> None:
    # The hub's time stands, so that somebody seen for a moment stays undecided.
    with running_hub(tmp_path, queues_s=0.02, clock=lambda: at(3)) as address, edge(address, tmp_path) as link:
        link.publish(seen(1, "hall", end_s=0.4, exemplars=1), timeout_s=1)
        until(lambda: (found := now(tmp_path)) is not None and found.hub.undecided == 1)
        link.publish(seen(1, "hall", revision=2, end_s=0.8, exemplars=1, final=True), timeout_s=1)
        until(lambda: (found := now(tmp_path)) is not None and found.hub.undecided == 0)


def test_words_of_a_hub_that_is_gone_are_none_and_damaged_ones_are_named(tmp_path: Path) -> None:
    assert read_queues(tmp_path, now_ns=0) is None
    write_queues(tmp_path, QUEUES)
    assert read_queues(tmp_path, now_ns=QUEUES.at_ns + STALE_NS - 1) == QUEUES
    assert read_queues(tmp_path, now_ns=QUEUES.at_ns + STALE_NS) is None
    (tmp_path / "live" / "queues.json").write_text("{", encoding="utf-8")
    with pytest.raises(StoreError, match=r"queues\.json: cannot be read: damaged"):
        read_queues(tmp_path, now_ns=0)


def test_a_folder_that_cannot_be_written_is_said_once_and_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "live").write_text("no folder", encoding="utf-8")
    with port_of(tmp_path) as port, QueueWatch(tmp_path, port, look_s=0.01):
        until(lambda: "what waits cannot be told" in caplog.text)
        time.sleep(0.05)
        (tmp_path / "live").unlink()
        until(lambda: now(tmp_path) is not None)
    assert caplog.text.count("what waits cannot be told") == 1


def test_it_is_told_by_the_interface_and_to_prometheus(tmp_path: Path) -> None:
    fill(tmp_path)
    services = services_of(tmp_path, users=["vera"])
    with served(make_api(services)) as address, httpx.Client(base_url=address, timeout=30) as vera:
        vera.headers.update(token_of(services, "vera"))
        assert vera.get("/api/v1/queues").json() is None
        assert "passerby_edge_waiting" not in vera.get("/metrics").text
        write_queues(tmp_path, changed(QUEUES, at_ns=time.time_ns() + 600 * 10**9))
        told = vera.get("/api/v1/queues").json()
        assert told["hub"] == {
            "waiting": 3, "waiting_bytes": 4096, "waited_s": 0.5, "undecided": 2, "undecided_s": None, "missing": 1,
        }  # fmt: skip
        assert told["edges"] == [
            {
                "edge": "gate",
                "cameras": ["hall"],
                "connected": True,
                "heard_at": "1970-01-01T00:00:05Z",
                "waiting": 1200,
                "waiting_bytes": 5 << 20,
                "waited_s": 95.0,
                "refused": 2,
            }
        ]
        figures = vera.get("/metrics").text
        assert 'passerby_edge_waiting{edge="gate"} 1200.0' in figures
        assert 'passerby_edge_waiting_seconds{edge="gate"} 95.0' in figures
        assert 'passerby_edge_refused_total{edge="gate"} 2.0' in figures
        assert "passerby_hub_waiting 3.0" in figures
        assert "passerby_undecided_tracklets 2.0" in figures
        assert "passerby_missing_messages_total 1.0" in figures
    services.close()


def test_how_often_people_were_exchanged_is_told_of_each_camera(tmp_path: Path) -> None:
    fill(tmp_path)
    services = services_of(tmp_path, users=["vera"])
    told = Status(sent_at_ns=at(60), cameras=[CameraStatus(camera_id=HALL, state="live", id_switches=3)])
    with Hub.open(tmp_path) as hub:
        hub.ingest(Sender(boot_id=BootId(bytes([9] * 16))).send(told), now_ns=at(60))
    with served(make_api(services)) as address, httpx.Client(base_url=address, timeout=30) as vera:
        vera.headers.update(token_of(services, "vera"))
        cameras = {one["id"]: one["id_switches"] for one in vera.get("/api/v1/cameras").json()}
        assert cameras[HALL] == 3
        assert set(cameras.values()) == {0, 3}
        assert 'passerby_camera_id_switches_total{camera="hall"} 3.0' in vera.get("/metrics").text
    services.close()


def port_of(data: Path) -> HubPort:
    return HubPort("tcp://127.0.0.1:0", load_hub_keys(data / "keys"), window=8, committed={})


def now(data: Path) -> Queues | None:
    return read_queues(data, now_ns=time.time_ns())


def _edge(
    name: str = "edge", *, backlog: Backlog | None = None, heard: int = 1, camera: CameraId = HALL
) -> ConnectedEdge:
    return replace(EDGE, edge_id=EdgeId(name), backlog=backlog, last_heard_ns=heard, cameras=(camera,))

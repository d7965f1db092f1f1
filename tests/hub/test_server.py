"""The running hub behind a real port, with a real edge's link."""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from hub.association import Assignment, LinkProblem, PlainAssociator, Reasoning
from hub.model_offers import ModelOffers, WantedModels
from hub.queue_watch import QueueWatch
from hub.reader import SiteReader
from hub.server import HubServer
from hub.site_hub import Hub
from passerby.codec import decode
from passerby.ids import BootId, CameraId
from passerby.messages import CameraStatus, Hello, ModelChunk, ModelOffer, ModelRequest, Preview, Status
from passerby.models import find_model
from passerby.tape import Tape, TapeWriter
from passerby.transport import EdgeLink, HubPort, Spool, load_hub_keys, local_keys
from tests.hub.people import DIMENSION, MODEL, seen

PATIENCE_S = 20.0
FULL_DISK = Path("/dev/full")


@contextlib.contextmanager
def running_hub(
    data: Path,
    *,
    tape: Path | None = None,
    associator: PlainAssociator | None = None,
    offers: ModelOffers | None = None,
    queues_s: float | None = None,
    clock: Callable[[], int] = time.time_ns,
) -> Iterator[str]:
    """A hub in a thread; gives its address. With `queues_s` it tells so often what waits."""
    stop = threading.Event()
    with (
        Hub.open(data, associator=associator) as hub,
        HubPort("tcp://127.0.0.1:0", load_hub_keys(data / "keys"), window=64, committed=hub.committed()) as port,
        contextlib.ExitStack() as opened,
    ):
        queues = None if queues_s is None else opened.enter_context(QueueWatch(data, port, look_s=queues_s))
        recorder = None if tape is None else TapeWriter(tape)
        server = HubServer(hub, port, stop=stop, tape=recorder, offers=offers, queues=queues, clock=clock)
        server.startup()
        thread = threading.Thread(target=server.main_loop)
        thread.start()
        try:
            yield port.address
        finally:
            stop.set()
            thread.join(PATIENCE_S)
            server.shutdown()
            if recorder is not None:
                recorder.close()
    assert not thread.is_alive()


@contextlib.contextmanager
def edge(address: str, data: Path) -> Iterator[EdgeLink]:
    keys = local_keys(data / "keys", "edge", ["*"]).edge
    hello = Hello(software="test", cameras=[CameraId("hall")], model_id=MODEL)
    with (
        Spool(data / "edge.spool", max_bytes=1 << 24) as spool,
        EdgeLink(address, keys, boot_id=BootId(os.urandom(16)), spool=spool, hello=hello) as link,
    ):
        yield link


def test_what_is_acknowledged_is_in_the_database(tmp_path: Path) -> None:
    with running_hub(tmp_path, tape=tmp_path / "day.tape") as address, edge(address, tmp_path) as link:
        for number in range(1, 6):
            link.publish(seen(number % 2, "hall", tracklet=number, final=True), timeout_s=5)
        cameras = [CameraStatus(camera_id=CameraId("hall"), state="live")]
        link.publish(Status(sent_at_ns=1, cameras=cameras), timeout_s=5)
        assert link.flush(PATIENCE_S)
        # Acknowledged: it must be there now, while the hub still runs.
        with SiteReader(tmp_path) as reader:
            assert len(reader.tracklets()) == 5
            assert [stored.status.state for stored in reader.cameras()] == ["live"]
    records = list(Tape(tmp_path / "day.tape"))
    assert sum(decode(record.parts).seq > 0 for record in records) == 6


def test_what_is_refused_is_told_to_the_edge_and_the_rest_goes_on(tmp_path: Path) -> None:
    with running_hub(tmp_path) as address, edge(address, tmp_path) as link:
        link.publish(seen(1, "hall", tracklet=1), timeout_s=5)
        link.publish(seen(1, "hall", tracklet=2, embedding=np.zeros(DIMENSION, np.float32)), timeout_s=5)
        link.publish(seen(2, "hall", tracklet=3), timeout_s=5)
        assert link.flush(PATIENCE_S)
        stats = link.stats()
        assert (stats.refused, stats.acknowledged) == (1, 2)
        with SiteReader(tmp_path) as reader:
            assert len(reader.tracklets()) == 2


def test_an_edge_finds_the_hub_again_after_its_restart(tmp_path: Path) -> None:
    with running_hub(tmp_path) as address, edge(address, tmp_path) as link:
        link.publish(seen(1, "hall", tracklet=1), timeout_s=5)
        assert link.flush(PATIENCE_S)
    # Another port, another boot; the data are the same.
    with running_hub(tmp_path) as address, edge(address, tmp_path) as link:
        link.publish(seen(1, "hall", tracklet=1, begin_s=5, end_s=7), timeout_s=5)
        assert link.flush(PATIENCE_S)
    with SiteReader(tmp_path) as reader:
        assert [t.identity_id for t in reader.tracklets()] == [1, 1]


def test_an_unwritable_database_is_waited_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with running_hub(tmp_path) as address, edge(address, tmp_path) as link:
        import sqlite3

        blocker = sqlite3.connect(tmp_path / "passerby.sqlite", isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        link.publish(seen(1, "hall", tracklet=1), timeout_s=5)
        deadline = time.monotonic() + PATIENCE_S
        while "tries again" not in caplog.text and time.monotonic() < deadline:
            assert not link.flush(0.2)
        blocker.execute("ROLLBACK")
        blocker.close()
        assert link.flush(PATIENCE_S)
    assert "locked" in caplog.text


@pytest.mark.skipif(not FULL_DISK.exists(), reason="needs /dev/full, the disk that is always full")
def test_a_tape_that_cannot_be_written_ends_and_the_hub_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running_hub(tmp_path, tape=FULL_DISK) as address, edge(address, tmp_path) as link:
        for number in range(1, 4):
            link.publish(seen(1, "hall", tracklet=number), timeout_s=5)
            assert link.flush(PATIENCE_S)
    assert "cannot write the tape: No space left on device; the recording ends here" in caplog.text


def test_an_edge_is_offered_the_model_that_is_wanted_and_has_its_pieces(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="passerby.hub")
    model, offers = find_model("passerby-sim-reid", task="embed"), ModelOffers()
    offers.want(WantedModels(model))
    with running_hub(tmp_path, offers=offers) as address, edge(address, tmp_path) as link:
        offer = link.receive(PATIENCE_S)
        assert isinstance(offer, ModelOffer)
        assert (offer.model_id, offer.cameras) == (model.model_id, [])
        content = b""
        while len(content) < offer.files[0].size:
            name = offer.files[0].name
            assert link.offer(ModelRequest(model_id=model.model_id, file_name=name, offset=len(content)))
            chunk = link.receive(PATIENCE_S)
            if isinstance(chunk, ModelChunk):
                content += chunk.data
        assert content == Path(model.files[0]).read_bytes()
        link.offer(ModelRequest(model_id=model.model_id, file_name="secret.yaml", offset=0))
        link.say_hello(Hello(software="test", cameras=[CameraId("hall")], model_id=model.model_id))
        wait_for(lambda: f"edge edge now uses {model.model_id}" in caplog.text)
        wait_for(lambda: offers.ignored == 1)
    assert caplog.text.count(f"edge edge uses {MODEL}; it is offered {model.model_id}") == 1
    assert caplog.text.count("now uses") == 1
    assert "requests for a model that was not offered: 1" in caplog.text


def test_decisions_that_fail_when_their_time_comes_neither_end_the_hub_nor_cost_a_message(tmp_path: Path) -> None:
    class Broken(PlainAssociator):
        attempted = threading.Event()

        def link(self, problem: LinkProblem) -> Sequence[Assignment]:
            self.attempted.set()
            raise ValueError("a fault of ours")

    later_ns = [0]
    associator = Broken()
    with (
        running_hub(tmp_path, associator=associator, clock=lambda: time.time_ns() + later_ns[0]) as address,
        edge(address, tmp_path) as link,
    ):
        link.publish(seen(1, "hall", tracklet=1, end_s=0.2, exemplars=1), timeout_s=5)
        assert link.flush(PATIENCE_S)
        assert not associator.attempted.is_set()
        later_ns[0] = 3 * 10**9
        assert associator.attempted.wait(PATIENCE_S)
        link.publish(seen(2, "hall", tracklet=2), timeout_s=5)
        assert link.flush(PATIENCE_S)
        assert (link.stats().refused, link.stats().acknowledged) == (0, 2)
    with SiteReader(tmp_path) as reader:
        assert len(reader.tracklets()) == 2


def test_live_pictures_make_the_hub_decide_nothing(tmp_path: Path) -> None:
    class Counting(PlainAssociator):
        rounds = 0

        @property
        def reasoning(self) -> Reasoning | None:  # looked at in each round
            self.rounds += 1
            return super().reasoning

    associator = Counting()
    with running_hub(tmp_path, associator=associator) as address, edge(address, tmp_path) as link:
        link.publish(seen(1, "hall", tracklet=1, final=True), timeout_s=5)
        assert link.flush(PATIENCE_S)
        before = associator.rounds
        for number in range(20):
            assert link.offer(Preview(camera_id=CameraId("hall"), captured_at_ns=number, jpeg=b"\xff\xd8"))
            time.sleep(0.02)  # each comes by itself
        link.publish(Status(sent_at_ns=1, cameras=[]), timeout_s=5)
        assert link.flush(PATIENCE_S)
        assert associator.rounds - before <= 2


def test_a_clock_that_was_once_far_ahead_is_told_and_people_are_recognized_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="passerby.hub")
    ahead_ns = [90 * 60 * 10**9]

    def clock() -> int:
        return time.time_ns() + ahead_ns[0]

    with running_hub(tmp_path, clock=clock) as address, edge(address, tmp_path) as link:
        link.publish(seen(1, "hall", tracklet=1), timeout_s=5)
        assert link.flush(PATIENCE_S)
        assert "behind the hub's time" not in caplog.text
        ahead_ns[0] = 0
        wait_for(lambda: "this machine's clock is 1:29:5" in caplog.text)
    caplog.clear()
    with running_hub(tmp_path, clock=clock) as address, edge(address, tmp_path) as link:
        link.publish(seen(1, "hall", tracklet=2, begin_s=5, end_s=7), timeout_s=5)
        assert link.flush(PATIENCE_S)
        assert caplog.text.count("behind the hub's time") == 1
        ahead_ns[0] = 91 * 60 * 10**9
        wait_for(lambda: "the clock has reached the hub's time again" in caplog.text)
    with SiteReader(tmp_path) as reader:
        assert [t.identity_id for t in reader.tracklets()] == [1, 1]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    moment = threading.Event()
    while not condition():
        assert time.monotonic() < deadline
        moment.wait(0.02)

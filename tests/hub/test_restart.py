"""A restart goes on exactly where the last commit was, and the same messages always give the same decisions."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.association import Assignment, LinkProblem, PlainAssociator
from hub.database.storage import DatabaseStorage
from hub.identity_store import ExactStore
from hub.playback import AFTERWARDS_NS, Batch, batches
from hub.records import Event
from hub.rehearsal import Rehearsal
from hub.site_hub import Hub
from passerby.config import AssociationSettings
from passerby.errors import StoreError
from passerby.ids import ModelId
from passerby.messages import TrackletUpdate
from passerby.tape import read_tape
from simulation.site import SimulatedSite
from simulation.tapes.recording import record_tape
from tests.hub.fingerprint import fingerprint
from tests.hub.people import Sender, at, seen

SETTINGS = AssociationSettings(forget_after_s=45)

UPDATES = st.tuples(
    st.integers(0, 3),  # person
    st.sampled_from(["hall", "lobby", "yard"]),
    st.integers(1, 8),  # tracklet
    st.booleans(),  # final
    st.sampled_from([0.1, 0.5, 1.2]),  # noise
    st.integers(1, 3),  # exemplars
)
BATCHES = st.lists(
    st.tuples(st.lists(UPDATES, max_size=4), st.sampled_from([-5.0, 0.0, 0.3, 2.0, 31.0, 50.0]), st.booleans()),
    max_size=8,
)


def updates(batch: list[Any], *, now_s: float, revision: int) -> list[TrackletUpdate]:
    made = []
    for number, (person, camera, tracklet, final, noise, exemplars) in enumerate(batch):
        # A tracklet id belongs to one camera; the first digit says which.
        name = tracklet * 10 + len(camera)
        made.append(
            seen(
                person,
                camera,
                tracklet=name,
                revision=revision * 10 + number + 1,
                begin_s=max(0.0, now_s - 1),
                end_s=now_s,
                final=final,
                noise=noise,
                exemplars=exemplars,
            )
        )
    return made


def run(folder: Path, history: list[Any], *, restarts: bool) -> tuple[list[Event], Any]:
    sender, events = Sender(), list[Event]()
    hub = Hub.open(folder, association=SETTINGS)
    try:
        now_s = 10.0
        for revision, (batch, step_s, restart) in enumerate(history):
            now_s = max(5.0, now_s + step_s)
            deliveries = sender.send(*updates(batch, now_s=now_s, revision=revision))
            events += hub.ingest(deliveries, now_ns=at(now_s)).events
            if restart and restarts:
                before = fingerprint(hub.state)
                hub.close()
                hub = Hub.open(folder, association=SETTINGS)
                assert fingerprint(hub.state) == before
                # The edge has not heard the acknowledgement, and sends again.
                again = hub.ingest(deliveries, now_ns=at(now_s))
                assert (again.events, again.refusals) == ((), ())
        return events, fingerprint(hub.state)
    finally:
        hub.close()


BACK_AFTER_EXPIRY = [
    ([(1, "lobby", 7, True, 0.1, 1)], 0.6, False),
    ([(0, "lobby", 2, True, 0.1, 1), (0, "yard", 5, False, 1.2, 3), (2, "lobby", 4, False, 0.5, 2)], 0.0, True),
    ([], 50.0, False),
    ([(2, "hall", 8, True, 0.1, 1), (2, "lobby", 4, False, 0.5, 3), (2, "lobby", 7, False, 1.2, 1)], 31.0, True),
    ([], 50.0, True),
]
"""A tracklet comes back when its identity has expired, and then turns out to be somebody who is known."""


@settings(max_examples=40, deadline=None)
@given(history=BATCHES)
@example(history=BACK_AFTER_EXPIRY)
def test_restarts_make_no_difference_whatever_has_happened(history: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        straight = run(Path(folder) / "a", history, restarts=False)
        interrupted = run(Path(folder) / "b", history, restarts=True)
        assert interrupted == straight


@pytest.fixture(scope="module")
def minutes(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Batch]:
    """Two and a half minutes of a site with four cameras."""
    tape = tmp_path_factory.mktemp("tape") / "site.tape"
    record_tape(SimulatedSite.make("default", seed=4, cameras=4), tape, seconds=150, progress=lambda _: None)
    return list(batches(read_tape(tape)))


@pytest.fixture(scope="module")
def uninterrupted(minutes: Sequence[Batch]) -> Rehearsal:
    rehearsal = Rehearsal()
    rehearsal.play(minutes)
    return rehearsal


@pytest.mark.parametrize("seed", range(2))
def test_what_the_site_has_taught_survives_restarts_at_any_moment(
    tmp_path: Path, minutes: Sequence[Batch], uninterrupted: Rehearsal, seed: int
) -> None:
    restarts = set(np.random.default_rng(seed).choice(len(minutes), 12, replace=False).tolist())
    events: list[Event] = []
    hub = Hub.open(tmp_path)
    try:
        for index, batch in enumerate(minutes):
            events += hub.ingest(batch.deliveries, now_ns=batch.received_at_ns).events
            if index in restarts:
                before = fingerprint(hub.state)
                hub.close()
                hub = Hub.open(tmp_path)
                assert fingerprint(hub.state) == before
        events += hub.tick(minutes[-1].received_at_ns + AFTERWARDS_NS)
        assert events == list(uninterrupted.events)
        assert fingerprint(hub.state) == fingerprint(uninterrupted.state)
    finally:
        hub.close()
    knowledge = uninterrupted.state.knowledge
    assert any(known.there is not None for known in knowledge.floor.maps.values()), (
        "or nothing much could have been lost"
    )
    assert [knowledge.calibration(model).version > 2 for model in knowledge.calibrated_models] == [True]
    assert uninterrupted.state.paths


def test_ticks_make_no_difference_however_many(tmp_path: Path) -> None:
    logs = []
    for name, tick_s in (("often", 0.1), ("never", None)):
        sender, events = Sender(), list[Event]()
        with Hub.open(tmp_path / name, association=SETTINGS) as hub:
            for second in (1.0, 5.0, 20.0, 90.0):
                update = seen(1, tracklet=round(second), begin_s=second, end_s=second + 0.2, exemplars=1)
                events += hub.ingest(sender.send(update), now_ns=at(second)).events
                now_s = second
                while tick_s is not None and now_s < second + 4:
                    now_s += tick_s
                    events += hub.tick(at(now_s))
            events += hub.tick(at(200))
        logs.append(events)
    assert logs[0] == logs[1]


def test_a_full_disk_changes_nothing_and_the_batch_can_come_again(tmp_path: Path) -> None:
    sender = Sender()
    storage = DatabaseStorage(tmp_path)
    with Hub.on(storage) as hub:
        hub.ingest(sender.send(seen(1, tracklet=1)), now_ns=at(2))
        before = fingerprint(hub.state)
        batch = sender.send(*(seen(2, tracklet=n, crops={1: b"jpeg"}, end_s=200) for n in range(2, 30)))

        def limit_pages(count: int) -> None:
            with storage.engine.connect() as connection:
                connection.exec_driver_sql(f"PRAGMA max_page_count = {count}")

        limit_pages(1)  # SQLite takes it as: no more than there are now
        with pytest.raises(StoreError, match="full"):
            hub.ingest(batch, now_ns=at(3))
        assert fingerprint(hub.state) == before

        limit_pages(1_000_000)
        assert hub.ingest(batch, now_ns=at(3)).refusals == ()
        assert len(hub.state.tracklets) == 29


def test_what_failed_is_not_taken_for_committed_when_the_database_cannot_be_read_either(tmp_path: Path) -> None:
    class Broken(PlainAssociator):
        """Fails, and takes the store with it, until it is mended."""

        broken = False

        def link(self, problem: LinkProblem) -> Sequence[Assignment]:
            if self.broken:
                raise StoreError("the disk is gone")
            return super().link(problem)

        def store(self, model_id: ModelId, dimension: int) -> ExactStore:
            if self.broken:
                raise StoreError("the disk is still gone")
            return ExactStore(model_id, dimension)

    sender, disk = Sender(), Broken()
    with Hub.open(tmp_path, associator=disk, store=disk.store) as hub:
        hub.ingest(sender.send(seen(1, tracklet=1, exemplars=1, end_s=0.1)), now_ns=at(1))
        batch = sender.send(seen(2, tracklet=2, end_s=4))
        disk.broken = True
        with pytest.raises(StoreError, match="the disk is gone"):
            hub.ingest(batch, now_ns=at(1.5))
        with pytest.raises(StoreError, match="still gone"):
            hub.ingest(batch, now_ns=at(1.5))
        disk.broken = False
        events = hub.ingest(batch, now_ns=at(1.5)).events
        assert [one.tracklet for one in events] == [2]
    with Hub.open(tmp_path) as hub:
        assert sorted(hub.state.tracklets) == [1, 2]


def test_identities_and_events_go_on_counting_after_a_restart(tmp_path: Path) -> None:
    sender = Sender()
    with Hub.open(tmp_path) as hub:
        hub.ingest(sender.send(seen(1, tracklet=1)), now_ns=at(2))
    with Hub.open(tmp_path) as hub:
        result = hub.ingest(sender.send(seen(2, tracklet=2)), now_ns=at(2))
        assert [(one.event_id, one.identity_id, one.tracklet) for one in result.events] == [(2, 2, 2)]


def test_memory_stays_bounded_while_tracklets_come_and_go(tmp_path: Path) -> None:
    sender = Sender()
    with Hub.open(tmp_path) as hub:
        for number in range(40):
            begin = number * 60.0
            update = seen(1, tracklet=number + 1, begin_s=begin, end_s=begin + 2, final=True)
            hub.ingest(sender.send(update), now_ns=at(begin + 2))
        assert len(hub.state.identities) == 1
        assert len(hub.state.tracklets) < 15

"""A rehearsal decides as a hub with a database does, and tells afterwards who was who."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from hub.association import Assignment, LinkProblem, PlainAssociator, Thresholds
from hub.playback import AFTERWARDS_NS, Batch, Playback, batches
from hub.reader import SiteReader
from hub.records import EventKind
from hub.rehearsal import MemoryStorage, Rehearsal
from hub.site_hub import Hub
from hub.state import SiteState
from passerby.config import AssociationSettings
from passerby.errors import StoreError
from passerby.ids import IdentityId, TrackletId
from passerby.tape import read_tape
from simulation.site import SimulatedSite
from simulation.tapes.recording import record_tape
from tests.hub.fingerprint import fingerprint
from tests.hub.people import BOOT, Sender, at, seen


@pytest.fixture(scope="module")
def minutes(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Batch]:
    """Three minutes of a site with four cameras."""
    tape = tmp_path_factory.mktemp("tape") / "site.tape"
    record_tape(SimulatedSite.make("default", seed=4, cameras=4), tape, seconds=180, progress=lambda _: None)
    return list(batches(read_tape(tape)))


@pytest.mark.parametrize("settings", [AssociationSettings(), AssociationSettings(forget_after_s=20, normalize="none")])
def test_it_decides_as_a_hub_with_a_database(
    tmp_path: Path, minutes: Sequence[Batch], settings: AssociationSettings
) -> None:
    rehearsal = Rehearsal(association=settings)
    rehearsal.play(minutes)
    with Hub.open(tmp_path, association=settings) as hub:
        playback = Playback(hub)
        for batch in minutes:
            playback.take(batch)
        playback.finish()
        assert fingerprint(rehearsal.state) == fingerprint(hub.state)
    with SiteReader(tmp_path) as reader:
        assert list(rehearsal.events) == list(reader.all_events())
        assert rehearsal.identities() == {t.number: t.identity_id for t in reader.tracklets()}
    assert len(rehearsal.events) > 50
    assert playback.messages == sum(len(batch.deliveries) for batch in minutes)
    assert playback.refused == 0


def test_it_can_be_stopped_looked_at_and_played_on(minutes: Sequence[Batch]) -> None:
    whole, parts = Rehearsal(), Rehearsal()
    whole.play(minutes)
    middle = len(minutes) // 2
    parts.play(minutes[:middle], finish=False)
    then = parts.identities()
    assert 0 < len(then) < len(whole.identities())
    parts.play(minutes[middle:])
    assert (parts.events, parts.identities()) == (whole.events, whole.identities())
    last_ns = minutes[-1].received_at_ns + AFTERWARDS_NS
    history = whole.history()
    assert {n: history.identity_at(n, last_ns) for n in whole.tracklets} == whole.identities()


def test_whom_the_hub_has_forgotten_it_still_knows_and_merges() -> None:
    sender, storage = Sender(), MemoryStorage()
    with Hub.on(storage) as hub:
        hub.ingest(sender.send(*(seen(n, tracklet=n, final=True) for n in range(1, 4))), now_ns=at(2))
        again = hub.ingest(sender.send(seen(2, tracklet=2, revision=2, end_s=9)), now_ns=at(1001))
        assert [refused.reason for refused in again.refusals] == ["tracklet-closed"]
    later = SiteState()  # with nobody in mind
    later.changes.merges += [(IdentityId(2), IdentityId(3)), (IdentityId(1), IdentityId(2))]
    with storage.transaction() as transaction:
        transaction.save(later)
    assert {number: tracklet.identity_id for number, tracklet in storage.tracklets.items()} == {1: 1, 2: 1, 3: 1}
    found = storage.find_tracklet(BOOT, TrackletId(3))
    assert found is not None
    assert found.number == 3


def test_a_plain_hub_goes_by_the_threshold_it_is_given(minutes: Sequence[Batch]) -> None:
    people = []
    for link in (0.3, 0.6, 0.95):
        thresholds = Thresholds(link=link, candidate=link - 0.1, keep=link - 0.1)
        rehearsal = Rehearsal(associator=PlainAssociator(thresholds))
        rehearsal.play(minutes)
        people.append(len(set(rehearsal.identities().values())))
        assert {e.evidence.threshold for e in rehearsal.events if e.kind is EventKind.MERGED} <= {link}
    assert people[0] < people[1] < people[2]


def test_nothing_in_nothing_out() -> None:
    rehearsal = Rehearsal()
    rehearsal.play([])
    assert (list(rehearsal.events), rehearsal.identities(), dict(rehearsal.tracklets)) == ([], {}, {})


def test_a_step_that_fails_ends_it() -> None:
    class Broken(PlainAssociator):
        def link(self, problem: LinkProblem) -> Sequence[Assignment]:
            raise ValueError(f"{len(problem.current)} are too many")

    rehearsal = Rehearsal(associator=Broken())
    sender = Sender()
    with pytest.raises(ValueError, match="1 are too many"):
        rehearsal.hub.ingest(sender.send(seen(1)), now_ns=at(2))
    with pytest.raises(StoreError, match="start anew"):
        rehearsal.hub.tick(at(3))
    assert not any(event.kind is EventKind.CREATED for event in rehearsal.events)

"""What cannot be right: a clear refusal that is counted, or a right answer, and never harm to others."""

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from hub.playback import Batch, batches
from hub.records import Tracklet
from hub.rehearsal import Rehearsal
from hub.site_hub import Hub
from passerby.ids import BootId, CameraId
from passerby.messages import Envelope, TrackletUpdate
from passerby.tape import read_tape
from simulation.site import SimulatedSite
from simulation.tapes.recording import record_tape
from simulation.tapes.truth import TapeTruth, TrackletTruth, read_tape_truth
from tests.hub.people import DIMENSION, SECOND, Sender, at, look, seen

HOUR_NS = 3600 * SECOND
CAMERAS = ("hall", "lobby", "yard")


def crowd(hub: Hub, sender: Sender, *, begin_s: float, first: int) -> None:
    """Four people walk through three cameras one after the other."""
    for step, (camera, person) in enumerate(itertools.product(CAMERAS, range(4))):
        begin = begin_s + 5 * step
        update = seen(person, camera, tracklet=first + step, begin_s=begin, end_s=begin + 3, final=True, exemplars=5)
        assert hub.ingest(sender.send(update), now_ns=at(begin + 3)).refusals == ()


def found(hub: Hub) -> dict[int, int | None]:
    """Identity by the edge's number of the tracklet."""
    return {int(t.tracklet_id): t.identity_id for t in hub.state.tracklets.values()}


def test_embeddings_that_say_nothing_are_refused_and_leave_everybody_who_they_are(tmp_path: Path) -> None:
    nan, zero = np.full(DIMENSION, np.nan, np.float32), np.zeros(DIMENSION, np.float32)
    huge = np.full(DIMENSION, 3e38, np.float32)
    found_with = {}
    for wrong in (False, True):
        sender = Sender()
        with Hub.open(tmp_path / str(wrong)) as hub:
            crowd(hub, sender, begin_s=0, first=1)
            if wrong:
                bad = [nan, zero, huge, look(1, dimension=DIMENSION + 3), look(1, dimension=1)]
                updates = [seen(1, tracklet=900 + n, embedding=one, end_s=60) for n, one in enumerate(bad)]
                refused = hub.ingest(sender.send(*updates), now_ns=at(61)).refusals
                assert [one.reason for one in refused] == [
                    "embedding-not-finite", "embedding-zero", "embedding-not-finite",
                    "embedding-dimension", "embedding-dimension",
                ]  # fmt: skip
            crowd(hub, sender, begin_s=70, first=101)
            found_with[wrong] = found(hub)
    assert found_with[True] == found_with[False]
    assert len(found_with[True]) == 24


def test_the_very_same_embedding_from_two_people_seen_together_stays_two(tmp_path: Path) -> None:
    sender, same = Sender(), look(1)
    with Hub.open(tmp_path) as hub:
        for second in range(2, 12):
            pair = [seen(1, tracklet=n, revision=second, end_s=second, embedding=same, exemplars=3) for n in (1, 2)]
            hub.ingest(sender.send(*pair), now_ns=at(second))
            assert len(set(found(hub).values())) == 2
        later = [seen(1, "lobby", tracklet=n, begin_s=20, end_s=24, embedding=same, exemplars=3) for n in (3, 4)]
        events = hub.ingest(sender.send(*later), now_ns=at(24)).events
        assert found(hub)[3] != found(hub)[4]
        assert all(e.evidence.probability is None or 0.0 <= e.evidence.probability <= 1.0 for e in events)


def test_time_that_runs_backwards_is_refused_or_stands_still(tmp_path: Path) -> None:
    sender = Sender()
    with Hub.open(tmp_path) as hub:
        crowd(hub, sender, begin_s=1000, first=1)
        clock_ns, before = hub.state.clock_ns, found(hub)
        backwards = replace(seen(1, tracklet=50), started_at_ns=at(9), ended_at_ns=at(8))
        old = seen(1, "hall", tracklet=51, begin_s=2, end_s=4)
        result = hub.ingest(sender.send(backwards, old), now_ns=at(5))
        assert [one.reason for one in result.refusals] == ["times"]
        assert all(event.at_ns == clock_ns for event in result.events)
        assert hub.state.clock_ns == clock_ns
        assert {n: i for n, i in found(hub).items() if n in before} == before
        crowd(hub, sender, begin_s=1100, first=101)
        for n in range(1, 13):
            assert found(hub)[100 + n] == before[n]


def test_a_camera_that_was_removed_and_added_again_goes_on_with_the_same_people(tmp_path: Path) -> None:
    sender = Sender()
    with Hub.open(tmp_path) as hub:
        crowd(hub, sender, begin_s=0, first=1)
        before = found(hub)
        # It goes in the middle of a tracklet, of which no word comes any more.
        hub.ingest(sender.send(seen(2, "yard", tracklet=40, begin_s=70, end_s=72)), now_ns=at(72))
        hub.tick(at(140))
        assert not any(t.open for t in hub.state.tracklets.values())
        # The edge was started anew for it, and counts from 1 again.
        again = Sender(BootId(b"2" * 16))
        crowd(hub, again, begin_s=150, first=1)
        by_boot = {(t.boot_id, int(t.tracklet_id)): t.identity_id for t in hub.state.tracklets.values()}
        assert by_boot[sender.boot_id, 40] == before[3]
        assert {n: by_boot[again.boot_id, n] for n in range(1, 13)} == {n: before[n] for n in range(1, 13)}


@dataclass(frozen=True, slots=True)
class Minutes:
    """A tape with its truth, and the camera whose clock goes wrong half-way."""

    batches: Sequence[Batch]
    truth: TapeTruth
    camera_id: CameraId

    @property
    def middle_ns(self) -> int:
        return self.truth.start_ns + round(self.truth.seconds / 2 * SECOND)

    def shifted(self, by_ns: int) -> list[Batch]:
        """The tape with tracklets of the camera that begin after the middle seen at other times than they were."""
        return [
            replace(one, deliveries=[(edge_id, self._shift(envelope, by_ns)) for edge_id, envelope in one.deliveries])
            for one in self.batches
        ]

    def without_it(self) -> list[Batch]:
        """The tape on which the camera sees nobody new after the middle."""
        return [
            replace(one, deliveries=[(edge_id, e) for edge_id, e in one.deliveries if not self._is_late(e)])
            for one in self.batches
        ]

    def identities_of_others(self, rehearsal: Rehearsal) -> set[int | None]:
        """Who was seen by other cameras, or before the middle."""
        return {t.identity_id for t in rehearsal.tracklets.values() if not self._is_shifted(t)}

    def wrong(self, rehearsal: Rehearsal) -> dict[str, tuple[int, int]]:
        """Of "others" and "shifted": (tracklets not of their identity's majority, all)."""
        known = {(one.boot, one.tracklet): one for one in self.truth.tracklets}
        told: list[tuple[str, TrackletTruth, int | None]] = []
        for t in rehearsal.tracklets.values():
            told.append(
                ("shifted" if self._is_shifted(t) else "others", known[t.boot_id.hex(), t.tracklet_id], t.identity_id)
            )
        people: dict[int | None, Counter[int]] = {}
        for _, truth, identity_id in told:
            people.setdefault(identity_id, Counter())[truth.person] += 1
        counts = {}
        for which in ("others", "shifted"):
            mine = [(truth, identity_id) for kind, truth, identity_id in told if kind == which]
            bad = sum(truth.person != people[identity_id].most_common(1)[0][0] for truth, identity_id in mine)
            counts[which] = (bad, len(mine))
        return counts

    def _is_shifted(self, tracklet: Tracklet) -> bool:
        return tracklet.camera_id == self.camera_id and tracklet.opened_at_ns >= self.middle_ns

    def _is_late(self, envelope: Envelope) -> bool:
        update = envelope.message
        if not isinstance(update, TrackletUpdate) or update.camera_id != self.camera_id:
            return False
        return update.started_at_ns >= self.middle_ns

    def _shift(self, envelope: Envelope, by_ns: int) -> Envelope:
        update = envelope.message
        if not isinstance(update, TrackletUpdate) or not self._is_late(envelope):
            return envelope
        return msgspec.structs.replace(
            envelope,
            message=replace(
                update,
                started_at_ns=update.started_at_ns + by_ns,
                ended_at_ns=update.ended_at_ns + by_ns,
                observations=replace(update.observations, captured_at_ns=update.observations.captured_at_ns + by_ns),
                exemplars=replace(update.exemplars, captured_at_ns=update.exemplars.captured_at_ns + by_ns),
            ),
        )


@pytest.fixture(scope="module")
def minutes(tmp_path_factory: pytest.TempPathFactory) -> Minutes:
    """Two and a half minutes of a site with four cameras."""
    tape = tmp_path_factory.mktemp("tape") / "site.tape"
    site = SimulatedSite.make("default", seed=4, cameras=4)
    recorded = record_tape(site, tape, seconds=150, progress=lambda _: None)
    truth = read_tape_truth(recorded.truth)
    late = Counter(one.camera for one in truth.tracklets if one.begin_s > truth.seconds / 2)
    return Minutes(list(batches(read_tape(tape))), truth, CameraId(late.most_common(1)[0][0]))


@pytest.mark.parametrize("hours", [2, -2])
def test_a_clock_two_hours_off_harms_nobody_whom_other_cameras_see(minutes: Minutes, hours: int) -> None:
    gone, off = Rehearsal(), Rehearsal()
    gone.play(minutes.without_it())
    off.play(minutes.shifted(hours * HOUR_NS))
    # What it says of time cannot help the others: they are as well off as without it, and what it sees is not absurd.
    (wrong_without, others), (wrong, same_others) = minutes.wrong(gone)["others"], minutes.wrong(off)["others"]
    assert (wrong <= wrong_without + 2, same_others) == (True, others)
    assert len(minutes.identities_of_others(off)) <= 1.3 * len(minutes.identities_of_others(gone))
    wrong_there, there = minutes.wrong(off)["shifted"]
    assert there > 10, "or nothing was shifted"
    assert wrong_there <= 2
    assert all(t.identity_id is not None for t in off.tracklets.values())

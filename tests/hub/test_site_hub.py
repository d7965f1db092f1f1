"""Messages in, identities out: what the hub decides about made-up people."""

from pathlib import Path

import numpy as np
import pytest

from hub.association import Associator, CalibratedAssociator, PlainAssociator
from hub.crops import CropStore
from hub.reader import SiteReader
from hub.records import Event, EventKind, IdentityState
from hub.site_hub import Hub
from passerby.config import AssociationSettings
from passerby.errors import StoreError
from passerby.ids import BootId, IdentityId, ModelId
from tests.hub.people import BOOT, MODEL, Sender, at, seen
from tests.hub.stores import STORES


@pytest.fixture
def sender() -> Sender:
    return Sender()


def kinds(events: object) -> list[EventKind]:
    return [event.kind for event in events]  # type: ignore[attr-defined]


def identities(hub: Hub) -> dict[int, int | None]:
    """Identity by the hub's number of the tracklet."""
    return {number: tracklet.identity_id for number, tracklet in sorted(hub.state.tracklets.items())}


def test_nothing_in_nothing_out(tmp_path: Path) -> None:
    with Hub.open(tmp_path, associator=PlainAssociator()) as hub:
        result = hub.ingest([], now_ns=at(0))
        assert (result.events, result.refusals) == ((), ())
        assert hub.committed() == {}
        assert list(hub.tick(at(3600))) == []


def test_one_person_in_two_cameras_is_one_identity(tmp_path: Path, sender: Sender) -> None:
    with Hub.open(tmp_path, associator=PlainAssociator()) as hub:
        first = hub.ingest(sender.send(seen(1, "hall", tracklet=1)), now_ns=at(2))
        later = hub.ingest(sender.send(seen(1, "lobby", tracklet=2, begin_s=10, end_s=12)), now_ns=at(12))
        assert kinds(first.events) == [EventKind.CREATED]
        assert kinds(later.events) == [EventKind.LINKED]
        assert identities(hub) == {1: 1, 2: 1}
        evidence = later.events[0].evidence
        assert evidence.similarity is not None
        assert evidence.similarity > 0.6
        assert evidence.model_id == MODEL


def test_overlapping_views_that_begin_at_once_are_one_identity(tmp_path: Path, sender: Sender) -> None:
    with Hub.open(tmp_path, associator=PlainAssociator()) as hub:
        hub.ingest(
            sender.send(
                *(seen(p, c, tracklet=n) for n, (p, c) in enumerate([(1, "a"), (2, "a"), (1, "b"), (2, "b")], 1))
            ),
            now_ns=at(2),
        )
        assert identities(hub) == {1: 1, 2: 2, 3: 1, 4: 2}


def test_new_identities_that_prove_alike_are_merged_into_the_older(tmp_path: Path, sender: Sender) -> None:
    with Hub.open(tmp_path, associator=PlainAssociator()) as hub:
        hub.ingest(sender.send(seen(1, "a", tracklet=1)), now_ns=at(2))
        hub.ingest(sender.send(seen(1, "b", tracklet=2, noise=1.5)), now_ns=at(2))
        assert identities(hub) == {1: 1, 2: 2}
        result = hub.ingest(sender.send(seen(1, "b", tracklet=2, revision=2, end_s=4, noise=0.1)), now_ns=at(4))
        assert kinds(result.events) == [EventKind.MERGED]
        assert (result.events[0].identity_id, result.events[0].other_identity_id) == (1, 2)
        assert identities(hub) == {1: 1, 2: 1}
    with SiteReader(tmp_path) as reader:
        gone = reader.identity(IdentityId(2))
        assert gone is not None
        assert (gone.state, gone.merged_into) == (IdentityState.MERGED, 1)


def test_new_identities_are_compared_when_one_has_ended_or_every_two_seconds(tmp_path: Path) -> None:
    for name, final, at_s, merged in (("soon", False, 3, False), ("ended", True, 3, True), ("later", False, 4, True)):
        numbers = Sender()
        with Hub.open(tmp_path / name, associator=PlainAssociator()) as hub:
            hub.ingest(numbers.send(seen(1, "a", tracklet=1)), now_ns=at(2))
            hub.ingest(numbers.send(seen(1, "b", tracklet=2, noise=1.5)), now_ns=at(2))
            proves = seen(1, "b", tracklet=2, revision=2, end_s=at_s, noise=0.1, final=final)
            hub.ingest(numbers.send(proves), now_ns=at(at_s))
            assert len(set(identities(hub).values())) == (1 if merged else 2), name


def test_two_alike_in_one_picture_stay_two(tmp_path: Path, sender: Sender) -> None:
    with Hub.open(tmp_path, associator=PlainAssociator()) as hub:
        hub.ingest(sender.send(seen(1, "hall", tracklet=1), seen(1, "hall", tracklet=2)), now_ns=at(2))
        hub.ingest(sender.send(seen(1, "hall", tracklet=3, begin_s=1, end_s=3)), now_ns=at(3))
        assert len({i for i in identities(hub).values() if i is not None}) == 3


def test_one_after_the_other_in_one_camera_may_be_one(tmp_path: Path, sender: Sender) -> None:
    with Hub.open(tmp_path, associator=PlainAssociator()) as hub:
        hub.ingest(sender.send(seen(1, tracklet=1, final=True), seen(1, tracklet=2, begin_s=4, end_s=6)), now_ns=at(6))
        assert identities(hub) == {1: 1, 2: 1}


def test_a_tracker_that_draws_one_person_twice_for_a_moment_makes_no_second_one(tmp_path: Path, sender: Sender) -> None:
    with Hub.open(tmp_path, associator=PlainAssociator()) as hub:
        hub.ingest(sender.send(seen(1, tracklet=1, end_s=4), seen(1, tracklet=2, begin_s=3.6, end_s=6)), now_ns=at(6))
        assert identities(hub) == {1: 1, 2: 1}


@pytest.mark.parametrize("associator", [PlainAssociator, CalibratedAssociator])
@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "one after the other"])
def test_two_of_one_identity_that_then_stay_there_together_are_parted(
    tmp_path: Path, sender: Sender, associator: type[Associator], at_once: bool
) -> None:
    """A tracker draws two people for a moment; it turns out that there are two, who look alike."""
    first, second = seen(1, tracklet=1, end_s=4), seen(1, tracklet=2, begin_s=3.6, end_s=6)
    with Hub.open(tmp_path, associator=associator()) as hub:
        hub.ingest(sender.send(first, second), now_ns=at(6))
        assert identities(hub) == {1: 1, 2: 1}
        first, second = (
            seen(1, tracklet=1, revision=2, end_s=10),
            seen(1, tracklet=2, revision=2, begin_s=3.6, end_s=10),
        )
        for batch in [(first, second)] if at_once else [(first,), (second,)]:
            hub.ingest(sender.send(*batch), now_ns=at(10))
        assert len(set(identities(hub).values())) == 2


def test_an_open_tracklet_moves_when_its_evidence_changes(tmp_path: Path, sender: Sender) -> None:
    with Hub.open(tmp_path, association=AssociationSettings(normalize="none"), associator=PlainAssociator()) as hub:
        hub.ingest(
            sender.send(seen(1, "a", tracklet=1, final=True), seen(2, "b", tracklet=2, final=True)), now_ns=at(2)
        )
        hub.ingest(sender.send(seen(1, "c", tracklet=3, begin_s=5, end_s=7)), now_ns=at(7))
        assert identities(hub)[3] == 1
        result = hub.ingest(sender.send(seen(2, "c", tracklet=3, revision=2, begin_s=5, end_s=9)), now_ns=at(9))
        assert kinds(result.events) == [EventKind.LINKED]
        assert (result.events[0].identity_id, result.events[0].other_identity_id) == (2, 1)
        assert identities(hub)[3] == 2


def test_an_open_tracklet_that_is_like_nobody_any_more_is_split_off(tmp_path: Path, sender: Sender) -> None:
    with Hub.open(tmp_path, association=AssociationSettings(normalize="none"), associator=PlainAssociator()) as hub:
        hub.ingest(sender.send(seen(1, "a", tracklet=1, final=True)), now_ns=at(2))
        hub.ingest(sender.send(seen(1, "c", tracklet=3, begin_s=5, end_s=7)), now_ns=at(7))
        result = hub.ingest(sender.send(seen(5, "c", tracklet=3, revision=2, begin_s=5, end_s=9)), now_ns=at(9))
        assert kinds(result.events) == [EventKind.SPLIT]
        assert identities(hub) == {1: 1, 2: 2}


def test_little_evidence_is_deferred_for_little_more_than_a_second(tmp_path: Path, sender: Sender) -> None:
    with Hub.open(tmp_path, associator=PlainAssociator()) as hub:
        glimpse = seen(1, tracklet=1, begin_s=0, end_s=0.2, exemplars=1)
        assert kinds(hub.ingest(sender.send(glimpse), now_ns=at(0.2)).events) == []
        assert kinds(hub.tick(at(1.4))) == []
        events = hub.tick(at(60))
        assert kinds(events) == [EventKind.CREATED]
        assert events[0].at_ns == at(1.5), "decided at its own time, however late the tick comes"


@pytest.mark.parametrize("enough", [{"exemplars": 2}, {"end_s": 1.0}, {"final": True}])
def test_evidence_enough_is_decided_at_once(tmp_path: Path, sender: Sender, enough: dict[str, float]) -> None:
    with Hub.open(tmp_path, associator=PlainAssociator()) as hub:
        update = seen(1, **{"end_s": 0.2, "exemplars": 1, **enough})  # type: ignore[arg-type]
        assert kinds(hub.ingest(sender.send(update), now_ns=at(0.2)).events) == [EventKind.CREATED]


def test_an_identity_not_seen_for_too_long_takes_no_more_tracklets(tmp_path: Path, sender: Sender) -> None:
    with Hub.open(tmp_path, association=AssociationSettings(forget_after_s=60), associator=PlainAssociator()) as hub:
        hub.ingest(sender.send(seen(1, tracklet=1, final=True)), now_ns=at(2))
        later = hub.ingest(sender.send(seen(1, tracklet=2, begin_s=100, end_s=102)), now_ns=at(102))
        assert kinds(later.events) == [EventKind.EXPIRED, EventKind.CREATED]
        assert later.events[0].at_ns == at(62)


def test_a_camera_that_was_removed_leaves_no_tracklet_open(tmp_path: Path, sender: Sender) -> None:
    with Hub.open(tmp_path, associator=PlainAssociator()) as hub:
        hub.ingest(sender.send(seen(1)), now_ns=at(2))
        hub.tick(at(40))
        assert [tracklet.open for tracklet in hub.state.tracklets.values()] == [False]
        back = hub.ingest(sender.send(seen(1, revision=2, end_s=41)), now_ns=at(41))
        assert back.refusals == ()
        assert [tracklet.open for tracklet in hub.state.tracklets.values()] == [True]


def test_a_tracklet_keeps_its_identity_through_a_change_of_model(tmp_path: Path, sender: Sender) -> None:
    other = ModelId("made-up@2")
    with Hub.open(tmp_path, associator=PlainAssociator()) as hub:
        hub.ingest(sender.send(seen(1, "a", tracklet=1)), now_ns=at(2))
        again = seen(1, "a", tracklet=1, revision=2, end_s=3, model_id=other, embedding=np.ones(7, np.float32))
        assert hub.ingest(sender.send(again), now_ns=at(3)).refusals == ()
        alike = seen(1, "b", tracklet=2, begin_s=5, end_s=7, model_id=other, embedding=np.ones(7, np.float32))
        hub.ingest(sender.send(alike), now_ns=at(7))
        assert identities(hub) == {1: 1, 2: 1}


def test_models_are_never_compared(tmp_path: Path, sender: Sender) -> None:
    with Hub.open(tmp_path, associator=PlainAssociator()) as hub:
        hub.ingest(sender.send(seen(1, "a", tracklet=1)), now_ns=at(2))
        hub.ingest(sender.send(seen(1, "b", tracklet=2, model_id=ModelId("made-up@2"))), now_ns=at(2))
        assert identities(hub) == {1: 1, 2: 2}


def test_time_that_runs_backwards_is_taken_as_standing(tmp_path: Path, sender: Sender) -> None:
    with Hub.open(tmp_path, associator=PlainAssociator()) as hub:
        hub.ingest(sender.send(seen(1, "a", tracklet=1)), now_ns=at(100))
        result = hub.ingest(sender.send(seen(2, "a", tracklet=2)), now_ns=at(50))
        assert [event.at_ns for event in result.events] == [at(100)]


def test_a_message_that_comes_twice_has_no_second_effect(tmp_path: Path, sender: Sender) -> None:
    with Hub.open(tmp_path, associator=PlainAssociator()) as hub:
        batch = sender.send(seen(1, tracklet=1), seen(2, tracklet=2))
        hub.ingest(batch, now_ns=at(2))
        again = hub.ingest([*batch, *batch], now_ns=at(3))
        assert (again.events, again.refusals) == ((), ())
        assert hub.committed() == {BOOT: 2}
        assert len(hub.state.tracklets) == 2


def test_two_boots_may_use_the_same_tracklet_ids(tmp_path: Path, sender: Sender) -> None:
    with Hub.open(tmp_path, associator=PlainAssociator()) as hub:
        hub.ingest(sender.send(seen(1, "a", tracklet=1)), now_ns=at(2))
        second = Sender(BootId(b"1" * 16))
        hub.ingest(second.send(seen(2, "a", tracklet=1, begin_s=10, end_s=12)), now_ns=at(12))
        assert identities(hub) == {1: 1, 2: 2}
        assert set(hub.committed().values()) == {1}


def test_crops_are_kept_while_they_are_among_the_best(tmp_path: Path, sender: Sender) -> None:
    with Hub.open(tmp_path, associator=PlainAssociator()) as hub:
        hub.ingest(sender.send(seen(1, crops={1: b"one", 2: b"two", 99: b"nobody's"})), now_ns=at(2))
        hub.ingest(sender.send(seen(1, revision=2, end_s=3, exemplars=1)), now_ns=at(3))
    with CropStore.open_for_reading(tmp_path) as store, SiteReader(tmp_path) as reader:
        number = reader.tracklets()[0].number
        assert store.crop_ids(number) == [1]
        assert store.get(number, 1) == b"one"


def test_a_second_hub_is_refused(tmp_path: Path) -> None:
    with Hub.open(tmp_path, associator=PlainAssociator()), pytest.raises(StoreError, match="another hub works here"):
        Hub.open(tmp_path, associator=PlainAssociator())


def test_all_stores_lead_to_the_same_decisions(tmp_path: Path) -> None:
    logs = []
    for number, store in enumerate(STORES):
        sender = Sender()
        with Hub.open(tmp_path / str(number), store=store, associator=PlainAssociator()) as hub:
            events: list[Event] = []
            for step in range(12):
                update = seen(step % 4, f"camera-{step % 3}", tracklet=step + 1, begin_s=step * 3, end_s=step * 3 + 2)
                events += hub.ingest(sender.send(update), now_ns=at(step * 3 + 2)).events
        logs.append(events)
    assert logs == [logs[0]] * len(STORES)


@pytest.mark.parametrize("first_news", [1, 2])
def test_of_one_person_drawn_twice_the_better_box_keeps_the_identity_whichever_news_come_first(
    tmp_path: Path, sender: Sender, first_news: int
) -> None:
    with Hub.open(tmp_path) as hub:
        hub.ingest(sender.send(seen(1, "a", tracklet=1, end_s=18, noise=0.1)), now_ns=at(18))
        hub.ingest(sender.send(seen(1, "b", tracklet=3, end_s=18, noise=0.1)), now_ns=at(18))
        hub.ingest(sender.send(seen(1, "a", tracklet=2, begin_s=17.4, end_s=18, noise=0.6)), now_ns=at(18))
        assert len(set(identities(hub).values())) == 1
        news = [
            seen(1, "a", tracklet=1, revision=2, end_s=20, noise=0.1),
            seen(1, "a", tracklet=2, revision=2, begin_s=17.4, end_s=20, noise=0.6),
        ]
        for update in news if first_news == 1 else news[::-1]:
            hub.ingest(sender.send(update), now_ns=at(20))
        first, other_view, second = identities(hub).values()
        assert first == other_view
        assert second != first

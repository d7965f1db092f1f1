"""What operators say binds for ever, and can be taken back."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.association import PlainAssociator
from hub.corrections.acts import Act, Answer, Merge, Outcome, Reject, Rename, Split, Undo
from hub.corrections.carrying_out import Request
from hub.corrections.desk import correct
from hub.identities import absorb_identity
from hub.reader import SiteReader
from hub.records import Event, EventId, EventKind, IdentityState, TrackletNumber
from hub.site_hub import Hub
from passerby.config import AssociationSettings
from passerby.errors import DataError
from passerby.ids import IdentityId
from tests.hub.corrections.operators import Operator, live
from tests.hub.people import Sender, at, look, seen

ONE, TWO, THREE = IdentityId(1), IdentityId(2), IdentityId(3)
PLAIN = AssociationSettings(normalize="none", forget_after_s=3600)
Ask = Callable[[Act], Outcome]


def numbers(*tracklets: int) -> tuple[TrackletNumber, ...]:
    return tuple(TrackletNumber(number) for number in tracklets)


@pytest.fixture
def sender() -> Sender:
    return Sender()


@pytest.fixture
def hub(tmp_path: Path, sender: Sender) -> Iterator[Hub]:
    """Person 1 has tracklets 1 and 2, person 2 has 3 and 4, person 3 has 5: all closed but 2 and 4."""
    with Hub.open(tmp_path, association=PLAIN, associator=PlainAssociator()) as hub:
        hub.ingest(sender.send(seen(1, "a", tracklet=1, final=True)), now_ns=at(2))
        hub.ingest(sender.send(seen(1, "b", tracklet=2, begin_s=4, end_s=6)), now_ns=at(6))
        hub.ingest(sender.send(seen(2, "a", tracklet=3, begin_s=4, end_s=6, final=True)), now_ns=at(6))
        hub.ingest(sender.send(seen(2, "c", tracklet=4, begin_s=4, end_s=6)), now_ns=at(6))
        hub.ingest(sender.send(seen(3, "d", tracklet=5, begin_s=4, end_s=6, final=True)), now_ns=at(6))
        assert live(hub.state) == {1: 1, 2: 1, 3: 2, 4: 2, 5: 3}
        yield hub


@pytest.fixture
def ask(tmp_path: Path, hub: Hub) -> Ask:
    return lambda act: Operator(tmp_path).ask(hub, act, now_ns=at(7))


def event(tmp_path: Path, event_id: EventId | None) -> Event:
    assert event_id is not None
    with SiteReader(tmp_path) as reader:
        found = reader.event(event_id)
    assert found is not None
    return found


def test_who_is_merged_stays_so_whatever_they_look_like(tmp_path: Path, hub: Hub, ask: Ask, sender: Sender) -> None:
    done = event(tmp_path, ask(Merge(survivor=ONE, absorbed=TWO)).last_event)
    assert (done.kind, done.identity_id, done.other_identity_id, done.act_id) == (EventKind.MERGED, 1, 2, 1)
    later = seen(7, "c", tracklet=4, revision=2, begin_s=4, end_s=12, final=True)
    assert hub.ingest(sender.send(later), now_ns=at(12)).events == ()
    assert live(hub.state) == {1: 1, 2: 1, 3: 1, 4: 1, 5: 3}
    # Whoever looks like either of them is they.
    hub.ingest(sender.send(seen(2, "d", tracklet=6, begin_s=20, end_s=22)), now_ns=at(22))
    assert live(hub.state)[6] == 1


def test_what_is_split_never_comes_together_however_alike(hub: Hub, ask: Ask, sender: Sender) -> None:
    ask(Split(identity=ONE, tracklets=numbers(2)))
    assert live(hub.state) == {1: 1, 2: 4, 3: 2, 4: 2, 5: 3}
    for step in range(3):
        end = 10 + 3 * step
        update = seen(1, "b", tracklet=2, revision=2 + step, begin_s=4, end_s=end, noise=0.0, final=step == 2)
        assert hub.ingest(sender.send(update), now_ns=at(end)).events == ()
    assert live(hub.state)[2] == 4
    hub.ingest(sender.send(seen(1, "d", tracklet=6, begin_s=20, end_s=22)), now_ns=at(22))
    assert live(hub.state)[6] in {1, 4}


def test_who_is_split_off_may_be_a_third_person(hub: Hub, ask: Ask, sender: Sender) -> None:
    ask(Split(identity=TWO, tracklets=numbers(4)))
    both = [
        seen(3, "c", tracklet=4, revision=2, begin_s=4, end_s=9, noise=0.0),
        seen(3, "d", tracklet=6, begin_s=8, end_s=10, noise=0.0),
    ]
    hub.ingest(sender.send(*both), now_ns=at(10))
    assert live(hub.state)[4] == live(hub.state)[5] == 3, "it may be somebody else than the two"
    assert live(hub.state)[3] == 2


def test_a_rejected_tracklet_is_never_linked_there(hub: Hub, ask: Ask, sender: Sender) -> None:
    ask(Reject(tracklet=TrackletNumber(4), identity=ONE))
    assert live(hub.state)[4] == 2
    hub.ingest(sender.send(seen(1, "c", tracklet=4, revision=2, begin_s=4, end_s=9, noise=0.0)), now_ns=at(9))
    assert live(hub.state)[4] not in {1, 2}, "it left person 2, whom it is not like any more, and is not person 1"


def test_what_is_said_outlives_the_identities(tmp_path: Path, hub: Hub, ask: Ask, sender: Sender) -> None:
    ask(Reject(tracklet=TrackletNumber(4), identity=ONE))
    ask(Merge(survivor=THREE, absorbed=ONE))
    hub.close()
    with Hub.open(tmp_path, association=PLAIN, associator=PlainAssociator()) as again:
        assert again.state.constraints.cannot_be(TrackletNumber(4), THREE)
        again.ingest(sender.send(seen(1, "c", tracklet=4, revision=2, begin_s=4, end_s=9, noise=0.0)), now_ns=at(9))
        assert live(again.state)[4] not in {1, 3}


def test_to_reject_whom_it_is_taken_for_makes_somebody_new(tmp_path: Path, hub: Hub, ask: Ask) -> None:
    done = event(tmp_path, ask(Reject(tracklet=TrackletNumber(2), identity=ONE)).last_event)
    assert (done.kind, done.identity_id, done.tracklet) == (EventKind.SPLIT, 4, 2)
    assert live(hub.state)[2] == 4


def test_a_link_of_the_hubs_own_that_is_undone_does_not_come_again(hub: Hub, ask: Ask, sender: Sender) -> None:
    ask(Undo(event=EventId(2)))  # tracklet 2 -> person 1
    assert live(hub.state)[2] == 4
    hub.ingest(sender.send(seen(1, "b", tracklet=2, revision=2, begin_s=4, end_s=9, noise=0.0)), now_ns=at(9))
    assert live(hub.state)[2] == 4


def test_an_operators_merge_undone_is_as_if_it_had_never_been(tmp_path: Path, hub: Hub, ask: Ask) -> None:
    ask(Rename(identity=TWO, name="Grace"))
    merged = ask(Merge(survivor=ONE, absorbed=TWO)).last_event
    assert hub.state.identities[ONE].name == "Grace"
    assert merged is not None
    done = event(tmp_path, ask(Undo(event=merged)).last_event)
    assert (done.kind, done.identity_id, done.other_identity_id, done.tracklets) == (EventKind.RESTORED, 2, 1, (3, 4))
    assert live(hub.state) == {1: 1, 2: 1, 3: 2, 4: 2, 5: 3}
    assert (hub.state.identities[ONE].name, hub.state.identities[TWO].name) == (None, "Grace")
    assert list(hub.state.constraints.assertions) == []


def test_a_merge_of_the_hubs_own_undone_keeps_the_two_apart(tmp_path: Path, sender: Sender) -> None:
    with Hub.open(tmp_path, association=PLAIN, associator=PlainAssociator()) as hub:
        hub.ingest(sender.send(seen(1, "a", tracklet=1)), now_ns=at(2))
        hub.ingest(sender.send(seen(1, "b", tracklet=2, noise=1.5)), now_ns=at(2))
        result = hub.ingest(sender.send(seen(1, "b", tracklet=2, revision=2, end_s=4, noise=0.1)), now_ns=at(4))
        assert [one.kind for one in result.events] == [EventKind.MERGED]
        Operator(tmp_path).ask(hub, Undo(event=result.events[0].event_id), now_ns=at(5))
        assert live(hub.state) == {1: 1, 2: 2}
        again = hub.ingest(sender.send(seen(1, "b", tracklet=2, revision=3, end_s=6, noise=0.0)), now_ns=at(6))
        assert (again.events, live(hub.state)) == ((), {1: 1, 2: 2})


def test_a_merge_can_be_undone_after_further_ones(hub: Hub, ask: Ask) -> None:
    first = ask(Merge(survivor=ONE, absorbed=TWO)).last_event
    second = ask(Merge(survivor=THREE, absorbed=ONE)).last_event
    assert first is not None
    assert second is not None
    with pytest.raises(DataError, match=f"event {second} has said otherwise"):
        ask(Undo(event=first))
    assert set(live(hub.state).values()) == {3}
    ask(Undo(event=second))
    ask(Undo(event=first))
    assert live(hub.state) == {1: 1, 2: 1, 3: 2, 4: 2, 5: 3}


def test_a_split_undone_is_one_again(hub: Hub, ask: Ask) -> None:
    done = ask(Split(identity=ONE, tracklets=numbers(1))).last_event
    assert done is not None
    ask(Undo(event=done))
    assert live(hub.state) == {1: 1, 2: 1, 3: 2, 4: 2, 5: 3}
    assert list(hub.state.constraints.assertions) == []


def test_a_split_of_the_hubs_own_undone_does_not_come_again(tmp_path: Path, sender: Sender) -> None:
    with Hub.open(tmp_path, association=PLAIN, associator=PlainAssociator()) as hub:
        hub.ingest(sender.send(seen(1, "a", tracklet=1, final=True)), now_ns=at(2))
        hub.ingest(sender.send(seen(1, "c", tracklet=3, begin_s=5, end_s=7)), now_ns=at(7))
        other = seen(5, "c", tracklet=3, revision=2, begin_s=5, end_s=9)
        split = hub.ingest(sender.send(other), now_ns=at(9)).events[0]
        assert split.kind is EventKind.SPLIT
        Operator(tmp_path).ask(hub, Undo(event=split.event_id), now_ns=at(9))
        assert live(hub.state) == {1: 1, 2: 1}
        hub.ingest(sender.send(seen(5, "c", tracklet=3, revision=3, begin_s=5, end_s=12)), now_ns=at(12))
        assert live(hub.state) == {1: 1, 2: 1}


def test_who_is_forgotten_can_be_known_again(tmp_path: Path, hub: Hub, ask: Ask, sender: Sender) -> None:
    gone = [one for one in hub.tick(at(5000)) if one.kind is EventKind.EXPIRED]
    assert sorted(one.identity_id for one in gone) == [1, 2, 3]
    first = next(one for one in gone if one.identity_id == ONE)
    Operator(tmp_path).ask(hub, Undo(event=first.event_id), now_ns=at(5001))
    assert list(hub.state.identities) == [1]
    hub.ingest(sender.send(seen(1, "d", tracklet=9, begin_s=5002, end_s=5004)), now_ns=at(5004))
    assert live(hub.state)[6] == 1


def test_names_come_and_go(tmp_path: Path, hub: Hub, ask: Ask) -> None:
    first = ask(Rename(identity=ONE, name="  Ada ")).last_event
    second = ask(Rename(identity=ONE, name="Ada Lovelace")).last_event
    assert first is not None
    assert second is not None
    with pytest.raises(DataError, match="another name since"):
        ask(Undo(event=first))
    ask(Undo(event=second))
    assert hub.state.identities[ONE].name == "Ada"
    third = ask(Rename(identity=ONE, name=None)).last_event
    assert hub.state.identities[ONE].name is None
    assert third is not None
    ask(Undo(event=third))
    assert hub.state.identities[ONE].name == "Ada"
    with SiteReader(tmp_path) as reader:
        assert not any("Ada" in repr(one) for one in reader.all_events()), "names are in rows that can go"
        assert not any("Ada" in repr(one) for one in reader.acts())
        summary = reader.summaries()[0]
        assert (summary.identity.identity_id, summary.identity.name) == (1, "Ada")


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (Merge(survivor=ONE, absorbed=IdentityId(9)), "person 9 does not exist; `passerby identities list`"),
        (Merge(survivor=ONE, absorbed=ONE), "person 1 cannot be merged with itself"),
        (Split(identity=ONE, tracklets=numbers(3)), "tracklet 3 is of person 2, not of person 1"),
        (Split(identity=ONE, tracklets=numbers(99)), "tracklet 99 does not exist"),
        (Split(identity=ONE, tracklets=numbers(1, 2, 2)), "all the tracklets of person 1"),
        (Split(identity=ONE, tracklets=()), "say which tracklets"),
        (Reject(tracklet=TrackletNumber(99), identity=ONE), "tracklet 99 does not exist"),
        (Reject(tracklet=TrackletNumber(5), identity=THREE), "all the tracklets of person 3"),
        (Answer(candidate=EventId(1), answer="same"), "event 1 is no candidate but created"),
        (Answer(candidate=EventId(77), answer="same"), "event 77 does not exist"),
        (Rename(identity=ONE, name=" "), "is no name"),
        (Rename(identity=ONE, name="x" * 201), "1 to 200 characters"),
        (Rename(identity=ONE, name="two\nlines"), "can be printed"),
        (Rename(identity=ONE, name=None), "has no name"),
        (Undo(event=EventId(99)), "event 99 does not exist; the latest one is 5"),
        (Undo(event=EventId(1)), "event 1 begins person 1; merge"),
    ],
)
def test_what_cannot_be_done_says_why_and_changes_nothing(hub: Hub, ask: Ask, act: Act, said: str) -> None:
    before, clock = live(hub.state), hub.state.clock_ns
    with pytest.raises(DataError, match=said):
        ask(act)
    assert (live(hub.state), hub.state.clock_ns) == (before, clock)


def test_who_is_merged_is_to_be_named_by_the_number_that_stays(ask: Ask) -> None:
    ask(Merge(survivor=ONE, absorbed=TWO))
    with pytest.raises(DataError, match="person 2 is part of person 1 since event 6, which can be undone"):
        ask(Rename(identity=TWO, name="Grace"))


def test_an_undone_event_is_undone_once_and_an_undoing_not_at_all(ask: Ask) -> None:
    merged = ask(Merge(survivor=ONE, absorbed=TWO)).last_event
    assert merged is not None
    undone = ask(Undo(event=merged)).last_event
    assert undone is not None
    with pytest.raises(DataError, match=f"was undone already, by event {undone}"):
        ask(Undo(event=merged))
    with pytest.raises(DataError, match="do it again: `passerby identities merge`"):
        ask(Undo(event=undone))


def test_a_request_is_carried_out_once(tmp_path: Path, hub: Hub) -> None:
    operator = Operator(tmp_path)
    act = Rename(identity=ONE, name="Ada")
    first = operator.ask(hub, act, now_ns=at(7), request_id="the same")
    hub.close()
    with Hub.open(tmp_path, association=PLAIN, associator=PlainAssociator()) as again, SiteReader(tmp_path) as reader:
        assert operator.ask(again, act, now_ns=at(8), request_id="the same") == first
        assert [(one.request_id, one.actor, one.at_ns) for one in reader.acts()] == [("the same", "tester", at(7))]
        assert reader.last_event_id() == first.last_event


def test_a_whole_consolidation_can_be_undone(tmp_path: Path, hub: Hub) -> None:
    people = hub.state.identities
    with hub._transaction(at(8)):
        pass_id = hub.state.next_event
        absorb_identity(hub.state, people[ONE], people[TWO], pass_id=pass_id)
        absorb_identity(hub.state, people[ONE], people[THREE], pass_id=pass_id)
    assert set(live(hub.state).values()) == {1}
    with SiteReader(tmp_path) as reader:
        request = Request(request_id="whole", actor="tester", act=Undo(event=pass_id, whole=True))
        outcome = correct(hub, reader, request, now_ns=at(9))
        assert (outcome.first_event, outcome.last_event) == (8, 9)
        assert live(hub.state) == {1: 1, 2: 1, 3: 2, 4: 2, 5: 3}
        assert hub.state.constraints.cannot_be_one(ONE, TWO)
        alone = Request(request_id="other", actor="tester", act=Undo(event=EventId(2), whole=True))
        with pytest.raises(DataError, match="without --whole"):
            correct(hub, reader, alone, now_ns=at(9))


def test_expired_people_can_be_merged_with_those_who_are_there(tmp_path: Path, sender: Sender) -> None:
    with Hub.open(
        tmp_path, association=AssociationSettings(normalize="none", forget_after_s=60), associator=PlainAssociator()
    ) as hub:
        hub.ingest(sender.send(seen(1, "a", tracklet=1, final=True)), now_ns=at(2))
        hub.ingest(sender.send(seen(1, "a", tracklet=2, begin_s=100, end_s=102, final=True)), now_ns=at(102))
        assert live(hub.state) == {1: 1, 2: 2}
        Operator(tmp_path).ask(hub, Merge(survivor=ONE, absorbed=TWO), now_ns=at(103))
        assert list(hub.state.identities) == [1]
        space = hub.state.spaces[seen(1).model_id]
        assert set(space.nearest(space.unit(seen(1).camera_id, look(1), at_ns=at(8))[None], k=3)[0][0].tolist()) == {
            1,
            2,
            -1,
        }
    with SiteReader(tmp_path) as reader:
        kept = reader.identity(ONE)
        assert kept is not None
        assert kept.state is IdentityState.ACTIVE

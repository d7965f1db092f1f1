"""One tracklet in the wrong identity does not keep a person in two for ever; it leaves, and can be brought back."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.corrections.acts import Merge, Split, Undo
from hub.corrections.carrying_out import Request
from hub.corrections.desk import correct
from hub.exclusion import conflicts, seen_together
from hub.identities import begin_identity, leave_identity
from hub.reader import SiteReader
from hub.records import Event, EventKind, Evidence, Tracklet, TrackletNumber
from hub.site_hub import Hub
from hub.state import SiteState
from hub.strays import strays_between
from passerby.config import AssociationSettings
from passerby.ids import CameraId, IdentityId, TrackletId
from tests.hub.corrections.operators import Operator, live
from tests.hub.people import Sender, at, seen
from tests.hub.test_movement import tracklet

SETTINGS = AssociationSettings(normalize="none")
ADA, EVE = 1, 2
ONE, TWO = IdentityId(1), IdentityId(2)


def member(number: int, camera: str, begin_s: float, end_s: float, *, exemplars: int, identity: IdentityId) -> Tracklet:
    return replace(
        tracklet(CameraId(camera), begin_s=begin_s, end_s=end_s),
        number=TrackletNumber(number),
        tracklet_id=TrackletId(number),
        exemplars=exemplars,
        identity_id=identity,
        prototype=False,
    )


@st.composite
def states(draw: st.DrawFn) -> SiteState:
    """Two identities, of which some tracklets were seen at once."""
    state = SiteState()
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    identities = [begin_identity(state) for _ in range(2)]
    for number in range(1, draw(st.integers(2, 12)) + 1):
        begin_s = float(rng.uniform(0, draw(st.sampled_from([10.0, 60.0]))))
        identity = identities[number % 2]
        exemplars = int(rng.integers(1, 6))
        state.recall(
            member(number, "ab"[rng.integers(2)], begin_s, begin_s + 4, exemplars=exemplars, identity=identity)
        )
    return state


@settings(max_examples=200, deadline=None)
@given(state=states())
def test_strays_are_few_and_explain_everything(state: SiteState) -> None:
    first, second = state.members(ONE), state.members(TWO)
    together = conflicts(first, second)
    assert set(together) == {(a.number, b.number) for a, b in itertools.product(first, second) if seen_together(a, b)}
    strays = strays_between(state, ONE, TWO)
    if strays is None:
        assert together
        return
    assert len(strays) < min(len(first), len(second)) or not together
    assert all(set(strays) & set(pair) for pair in together)
    assert len(set(strays)) == len(strays)
    assert set(strays) <= {number for pair in together for number in pair}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with Hub.open(tmp_path, association=SETTINGS) as hub:
        yield hub


def in_two(hub: Hub, sender: Sender) -> tuple[IdentityId, IdentityId]:
    """Ada in two identities, of which the second has tracklet 7, who is Eve and was seen beside her: and both of them.

    Tracklets 1 to 3 are of the first one, 4 to 7 of the second one.
    """
    for number in range(1, 7):
        begin_s = 20.0 * number
        update = seen(
            ADA, "ab"[number > 3], tracklet=number, begin_s=begin_s, end_s=begin_s + 4, exemplars=5, final=True
        )
        hub.ingest(sender.send(update), now_ns=at(begin_s + 5))
    eve = seen(EVE, "a", tracklet=7, begin_s=40.0, end_s=44.0, exemplars=1, final=True)
    hub.ingest(sender.send(eve), now_ns=at(130))
    state = hub.state
    assert len({state.tracklets[TrackletNumber(number)].identity_id for number in range(1, 7)}) == 1
    with hub._transaction(at(131)):
        leave_identity(state, TrackletNumber(4), evidence=Evidence(), pass_id=None)
        other = state.tracklets[TrackletNumber(4)].identity_id
        assert other is not None
        for number in (5, 6, 7):
            moved = state.tracklets[TrackletNumber(number)]
            state.put_tracklet(replace(moved, identity_id=other, prototype=False))
            state.say(
                EventKind.LINKED, other, other=moved.identity_id, tracklet=moved.number, camera_id=moved.camera_id
            )
        for identity_id in (ONE, other):
            state.choose_prototypes(identity_id)
    return ONE, other


def news(hub: Hub, sender: Sender) -> tuple[Event, ...]:
    """Something new of Ada, for which her identities are compared again."""
    update = seen(ADA, "b", tracklet=8, begin_s=200.0, end_s=204.0, exemplars=5, final=True)
    return tuple(hub.ingest(sender.send(update), now_ns=at(205)).events)


def test_a_stray_leaves_and_the_rest_comes_together(tmp_path: Path, hub: Hub) -> None:
    sender = Sender()
    first, second = in_two(hub, sender)
    assert strays_between(hub.state, first, second) == (7,)
    left, merged = [e for e in news(hub, sender) if e.kind in (EventKind.SPLIT, EventKind.MERGED)]
    assert (left.kind, left.tracklet, left.other_identity_id) == (EventKind.SPLIT, 7, second)
    assert (left.evidence.nearest, left.evidence.refused_because) == (second, "seen-beside")
    assert (merged.kind, merged.identity_id, merged.other_identity_id) == (EventKind.MERGED, first, second)
    assert left.pass_id == merged.pass_id == left.event_id
    assert merged.evidence.terms is not None
    assert merged.evidence.terms.apart is not None
    assert merged.evidence.terms.apart < 0.0, "to have been seen together costs something"
    assert {number: person for number, person in live(hub.state).items() if number != 7} == dict.fromkeys(
        (1, 2, 3, 4, 5, 6, 8), first
    )
    assert live(hub.state)[7] not in (first, second)
    with SiteReader(tmp_path) as reader:
        request = Request(request_id="whole", actor="tester", act=Undo(event=left.event_id, whole=True))
        correct(hub, reader, request, now_ns=at(206))
    assert {live(hub.state)[number] for number in (4, 5, 6, 7)} == {second}


def test_what_an_operator_has_said_is_no_mistake(tmp_path: Path, hub: Hub) -> None:
    sender = Sender()
    first, second = in_two(hub, sender)
    operator = Operator(tmp_path)
    operator.ask(hub, Split(identity=second, tracklets=(TrackletNumber(7),)), now_ns=at(132))
    apart = hub.state.tracklets[TrackletNumber(7)].identity_id
    assert apart is not None
    operator.ask(hub, Merge(survivor=second, absorbed=apart), now_ns=at(133))
    # Who leaves is then one of the other person: 2 was seen beside 7.
    assert strays_between(hub.state, first, second) == (2,)
    operator.ask(hub, Split(identity=first, tracklets=(TrackletNumber(2),)), now_ns=at(134))
    other = hub.state.tracklets[TrackletNumber(2)].identity_id
    assert other is not None
    operator.ask(hub, Merge(survivor=first, absorbed=other), now_ns=at(135))
    assert strays_between(hub.state, first, second) is None


@pytest.mark.parametrize("beside", [1, 2])
def test_who_was_seen_beside_as_many_as_there_are_is_somebody_else(beside: int) -> None:
    state = SiteState()
    identities = [begin_identity(state) for _ in range(2)]
    times = [(number, 10.0 * number, identities[number > 2]) for number in range(1, 5)]
    for number, begin_s, identity in times:
        state.recall(member(number, "a", begin_s, begin_s + 4, exemplars=3, identity=identity))
    assert strays_between(state, *identities) == ()
    for number in range(beside):
        begin_s = 10.0 * (1 + number)
        state.recall(member(5 + number, "a", begin_s, begin_s + 4, exemplars=1, identity=identities[1]))
    assert strays_between(state, *identities) == ((5,) if beside == 1 else None)

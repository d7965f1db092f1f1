"""What operators have said, looked up quickly, against a naive twin that looks at every pair."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.corrections.constraints import Assertion, Constraints
from hub.records import EventId, TrackletNumber
from passerby.errors import DataError
from passerby.ids import IdentityId
from tests.hub.corrections.reference_constraints import NaiveConstraints

TRACKLETS = st.integers(1, 9).map(TrackletNumber)
SETS = st.frozensets(TRACKLETS, max_size=5)


def assertion(
    event: int, tracklets: set[int] | frozenset[int], *, apart: set[int] | frozenset[int] = frozenset(), together: bool
) -> Assertion:
    return Assertion(
        event_id=EventId(event),
        tracklets=frozenset(map(TrackletNumber, tracklets)),
        apart_from=frozenset(map(TrackletNumber, apart)),
        together=together,
    )


@st.composite
def assertions(draw: st.DrawFn) -> list[Assertion]:
    drawn = draw(st.lists(st.tuples(SETS, SETS, st.booleans()), max_size=8))
    return [
        assertion(event, one, apart=other - one, together=together)
        for event, (one, other, together) in enumerate(drawn, 1)
    ]


PLACES = st.dictionaries(TRACKLETS, st.integers(1, 4).map(IdentityId))


@settings(max_examples=300)
@given(said=assertions(), before=PLACES, moves=st.lists(st.tuples(TRACKLETS, st.integers(1, 4).map(IdentityId))))
def test_it_says_what_the_naive_twin_says_wherever_tracklets_go(
    said: list[Assertion],
    before: dict[TrackletNumber, IdentityId],
    moves: list[tuple[TrackletNumber, IdentityId]],
) -> None:
    constraints, naive = Constraints(said, identities=before), NaiveConstraints(said)
    named = {tracklet for one in said for tracklet in one.tracklets | one.apart_from}
    places = {tracklet: identity for tracklet, identity in before.items() if tracklet in named}
    for tracklet, identity in moves:
        if tracklet in places:
            constraints.move(tracklet, identity)
            places[tracklet] = identity
    everybody = [TrackletNumber(number) for number in range(1, 10)]
    people = [IdentityId(number) for number in range(1, 5)]
    members = {one: [t for t, identity in places.items() if identity == one] for one in people}
    for one in everybody:
        for other in everybody:
            assert constraints.are_apart(one, other) == naive.are_apart(one, other)
        for identity in people:
            assert constraints.cannot_be(one, identity) == naive.cannot_be(one, members[identity])
        with_them = {places[other] for other in naive.must_be_with(one) if other in places}
        found = constraints.must_be(one)
        assert found in with_them if with_them else found is None
    for first in people:
        for second in people:
            apart = any(naive.cannot_be(member, members[second]) for member in members[first])
            assert constraints.cannot_be_one(first, second) == apart


@given(said=assertions(), gone=st.integers(1, 8))
def test_what_is_withdrawn_was_never_said(said: list[Assertion], gone: int) -> None:
    left = [one for one in said if one.event_id != gone]
    withdrawn = Constraints(said, identities={}).withdrawn(EventId(gone))
    assert withdrawn.in_force() == Constraints(left, identities={}).in_force()


@given(said=assertions(), gone=SETS)
def test_nothing_is_said_about_who_is_erased(said: list[Assertion], gone: frozenset[TrackletNumber]) -> None:
    erased = Constraints(said, identities={}).erased(gone)
    assert not any(one in erased for one in gone)
    assert all(one.says_something for one in erased.assertions)


def test_a_later_word_wins_and_its_withdrawal_brings_the_former_back() -> None:
    one, two = TrackletNumber(1), TrackletNumber(2)
    constraints = Constraints(
        [assertion(1, {1}, apart={2}, together=False), assertion(2, {1, 2}, together=True)],
        identities={one: IdentityId(7), two: IdentityId(7)},
    )
    assert not constraints.are_apart(one, two)
    assert constraints.must_be(one) == 7
    former = constraints.withdrawn(EventId(2))
    assert former.are_apart(one, two)
    assert former.must_be(one) is None
    assert former.broken() == 1, "they still are in one identity"


def test_absorbing_takes_everybody_along() -> None:
    constraints = Constraints(
        [assertion(1, {1, 2}, apart={3}, together=False)],
        identities={
            TrackletNumber(1): IdentityId(1),
            TrackletNumber(2): IdentityId(1),
            TrackletNumber(3): IdentityId(3),
        },
    )
    constraints.absorb(IdentityId(2), IdentityId(1))
    assert constraints.cannot_be(TrackletNumber(3), IdentityId(2))
    assert not constraints.cannot_be(TrackletNumber(3), IdentityId(1))
    assert constraints.cannot_be_one(IdentityId(2), IdentityId(3))


def test_nobody_is_kept_apart_from_themselves() -> None:
    with pytest.raises(DataError, match="tracklet 2 cannot be apart from itself"):
        assertion(1, {1, 2}, apart={2}, together=False)


def test_a_thousand_words_about_a_thousand_tracklets_each_are_no_walk() -> None:
    identities = {TrackletNumber(number): IdentityId(number // 100) for number in range(1, 100_001)}
    said = [
        assertion(event, range_set(event * 100, 100), apart=range_set(event * 100 + 100, 100), together=False)
        for event in range(1, 999)
    ]
    constraints = Constraints(said, identities=identities)
    asked = sum(constraints.cannot_be(TrackletNumber(n), IdentityId(n // 100 + 1)) for n in range(100, 99_000))
    assert asked == 98_900


def range_set(first: int, count: int) -> set[int]:
    return set(range(first, first + count))

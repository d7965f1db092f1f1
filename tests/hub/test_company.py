"""Who is alone in views of which each shows whom the other does."""

import math
from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.association.place import SAME_VIEW, Floor
from hub.company import Company, moments
from hub.records import Tracklet, TrackletNumber
from passerby.ids import CameraId, IdentityId
from tests.hub.people import SECOND
from tests.hub.test_movement import HALL, YARD, tracklet

LOBBY = CameraId("lobby")
ANN, EVE, MAX = (IdentityId(number) for number in (1, 2, 3))


def of(identity_id: IdentityId, *seen: tuple[CameraId, float, float]) -> list[Tracklet]:
    return [
        replace(
            tracklet(camera, begin_s=begin_s, end_s=end_s),
            identity_id=identity_id,
            number=TrackletNumber(100 * identity_id + index),
        )
        for index, (camera, begin_s, end_s) in enumerate(seen)
    ]


def company(*people: list[Tracklet], floor: Floor | None = None) -> Company:
    return Company({mine[0].identity_id: mine for mine in people if mine[0].identity_id}, floor or Floor())


def test_whoever_is_alone_where_others_are_seen_twice_is_probably_one() -> None:
    both = of(MAX, (HALL, 0, 20), (YARD, 0, 20))
    ann, eve = of(ANN, (HALL, 0, 20)), of(EVE, (YARD, 0, 20))
    # Four moments in either view, all of them in the other too; and two of which a tenth was expected.
    share = (2 * 0.1 + 4) / (2 + 4)
    found = company(ann, eve, both).evidence(ann, eve)
    assert found == pytest.approx(-2 * math.log(1 - share))
    assert company(ann, eve, both).evidence(eve, ann) == found
    assert found > 2.0


def test_the_two_who_are_asked_about_are_no_witnesses() -> None:
    ann, eve = of(ANN, (HALL, 0, 20)), of(EVE, (YARD, 0, 20))
    nothing_known = -2 * math.log(0.9)
    assert company(ann, eve).evidence(ann, eve) == pytest.approx(nothing_known)
    alone = of(MAX, (HALL, 0, 50))
    assert company(ann, eve, alone).evidence(ann, eve) < nothing_known


def test_who_was_not_there_at_once_and_who_can_be_compared_by_place_hear_nothing() -> None:
    both = of(MAX, (HALL, 0, 60), (YARD, 0, 60))
    ann, later = of(ANN, (HALL, 0, 20)), of(EVE, (YARD, 19, 40))
    assert company(ann, later, both).evidence(ann, later) == 0.0
    beside = of(EVE, (YARD, 0, 20))
    floor = Floor()
    assert company(ann, beside, both, floor=floor).evidence(ann, beside) > 2.0
    floor.map_between(HALL, YARD).there = floor.map_between(HALL, YARD).back = SAME_VIEW
    assert company(ann, beside, both, floor=floor).evidence(ann, beside) == 0.0


@given(
    st.lists(
        st.tuples(st.integers(1, 5), st.sampled_from([HALL, YARD, LOBBY]), st.integers(0, 40), st.integers(1, 20)),
        max_size=12,
    )
)
def test_evidence_is_bounded_and_never_against_and_moments_are_those_of_a_clock(
    seen: list[tuple[int, CameraId, int, int]],
) -> None:
    people: dict[IdentityId, list[tuple[CameraId, float, float]]] = defaultdict(list)
    for number, camera, begin, lasts in seen:
        people[IdentityId(number)].append((camera, begin, begin + lasts))
    tracklets = {identity_id: of(identity_id, *mine) for identity_id, mine in people.items()}
    known = company(*tracklets.values())
    for first in tracklets.values():
        for second in tracklets.values():
            if first is not second:
                assert 0.0 <= known.evidence(first, second) <= 3.0
    for mine in tracklets.values():
        ticks = defaultdict(float)
        for second in range(60):
            now = [t for t in mine if t.started_at_ns <= second * SECOND < t.ended_at_ns]
            for one in now:
                for other in now:
                    if one is other or one.camera_id != other.camera_id:
                        ticks[one.camera_id, other.camera_id] += 0.2
        assert moments(mine) == pytest.approx(ticks)

"""Two fragments of one person fill the gaps of each other; two people who are taken for one would be everywhere."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.interlacing import evidence_of_ways
from hub.movement import Movement, Sightings, seen_last
from hub.records import Tracklet, TrackletNumber
from passerby.config import TransitSettings
from tests.hub.test_movement import HALL, YARD, movement, tracklet

Walk = list[Tracklet]


def taught(*words: TransitSettings) -> Movement:
    """Everybody goes from the hall to the yard and back, five seconds each way."""
    moves = movement(*words)
    for _ in range(200):
        for before, after in ((HALL, YARD), (YARD, HALL)):
            moves._topology.learn_appearance(before, after, gap_s=5.0, seen_s=4.0)
    return moves


def walk(begin_s: float, turns: int) -> Walk:
    """To and fro: a tracklet of four seconds every nine."""
    return [
        tracklet((HALL, YARD)[turn % 2], begin_s=begin_s + 9.0 * turn, end_s=begin_s + 9.0 * turn + 4.0)
        for turn in range(turns)
    ]


def test_who_fills_each_others_gaps_is_one_person() -> None:
    person = walk(0.0, 12)
    moves = taught()
    first, second = person[:3] + person[5:8], person[3:5] + person[8:]
    once = evidence_of_ways([(person[:6], person[6:])], moves)[0]
    often = evidence_of_ways([(first, second)], moves)[0]
    assert 0.0 < once < often < once + 2.0 + 1e-9
    others = evidence_of_ways([(person, walk(1.5, 12))], moves)[0]
    assert others < -4.0, "who is one of two that walk at once is not everywhere"


def test_pairs_are_judged_each_by_itself_and_either_way_round() -> None:
    person, moves = walk(0.0, 8), taught()
    pairs = [(person[::2], person[1::2]), (person[:4], person[4:]), (person[:1], walk(3.0, 2))]
    together = evidence_of_ways(pairs, moves)
    assert together.tolist() == [evidence_of_ways([pair], moves)[0] for pair in pairs]
    assert evidence_of_ways([(b, a) for a, b in pairs], moves) == pytest.approx(together)
    assert len(evidence_of_ways([], moves)) == 0


def test_what_an_operator_forbids_nobody_has_done_and_it_speaks_for_nothing_else() -> None:
    person = walk(0.0, 8)
    never = taught(TransitSettings(before=HALL, after=YARD, never=True))
    assert evidence_of_ways([(person[::2], person[1::2])], never)[0] < -25.0
    # Both have done it already, alone: no reason to be one.
    assert evidence_of_ways([(person[:4], person[4:])], never)[0] < 4.0


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 9))
def test_ways_are_those_of_one_person_less_those_of_two(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    begins = np.sort(rng.choice(np.arange(1, 200), n, replace=False)).astype(float)
    everybody = [
        replace(tracklet((HALL, YARD)[rng.integers(2)], begin_s=s, end_s=s + 0.5), number=TrackletNumber(k))
        for k, s in enumerate(begins.tolist())
    ]
    side = rng.random(n) < 0.5
    side[:2] = [True, False]
    moves = taught()

    def ways(some: Walk) -> dict[int, tuple[float, int]]:
        found: dict[int, tuple[float, int]] = {}
        for index, one in enumerate(some[1:], start=1):
            last = seen_last(some[:index], one.started_at_ns)
            nat = moves.evidence(Sightings.of([one]), Sightings.of([last]))[0]
            found[one.number] = float(np.clip(nat, -8.0, 4.0)), last.number
        return found

    first, second = ([t for t, mine in zip(everybody, side, strict=True) if mine == which] for which in (True, False))
    one, two = ways(everybody), {**ways(first), **ways(second)}
    changed = [number for number in one if number not in two or one[number][1] != two[number][1]]
    said = [one[number][0] - two.get(number, (0.0, 0))[0] for number in changed]
    rest = sum(said) - one[changed[0]][0]
    expected = one[changed[0]][0] + min(0.5 * rest, 2.0)
    assert evidence_of_ways([(first, second)], moves)[0] == pytest.approx(expected)

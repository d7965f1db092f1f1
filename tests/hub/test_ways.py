"""The ways between cameras in figures, against counting one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.association.place import SAME_VIEW, Floor
from hub.association.topology import STEPS_S, Topology, step_of
from hub.association.view_map import ViewMap
from hub.association.ways import strangers_an_hour, transit_quantile, view_pairs, ways
from passerby.config import TransitSettings
from passerby.ids import CameraId

A, B, C = CameraId("a"), CameraId("b"), CameraId("c")


def test_nothing_is_known_of_an_empty_site() -> None:
    assert ways(Topology()) == []
    assert view_pairs(Floor(), Topology()) == []
    assert strangers_an_hour(Topology()) == {}


def test_ways_are_counted_by_where_somebody_was_last_seen() -> None:
    topology = Topology()
    for gap_s in (-1.0, 3.0, 3.0, 40.0):
        topology.learn_appearance(A, B, gap_s=gap_s, seen_s=1.0)
    topology.learn_appearance(A, C, gap_s=-1.0, seen_s=1.0, weight=0.5)
    there, elsewhere = ways(topology)
    assert (there.before, there.after, there.appearances, there.at_once) == (A, B, 4.0, 0.25)
    assert there.share == pytest.approx(4.0 / 4.5)
    assert there.steps[step_of(3.0)] == 2.0
    assert there.transit_s is not None
    low, middle, high = there.transit_s
    assert 2.0 <= low < middle < 4.0, "two of the three who walked took 2 to 4 s"
    assert 32.0 <= high <= 64.0
    assert (elsewhere.after, elsewhere.at_once, elsewhere.transit_s) == (C, 1.0, None)


def test_a_way_that_is_only_spoken_of_is_shown_too() -> None:
    topology = Topology()
    word = TransitSettings(before=B, after=A, never=True)
    topology.tell(word)
    topology.overrides.written = [TransitSettings(before=A, after=C, overlap=True)]
    there, back = ways(topology)
    assert (there.before, there.after, there.appearances, there.share) == (A, C, 0.0, 0.0)
    assert back.word == word


def test_views_are_told_with_their_map_and_with_what_is_said() -> None:
    topology = Topology()
    for name in (C, B, A):
        topology.know(name)
    floor = Floor()
    floor.maps["a|b"] = ViewMap(
        points=[(0.0,) * 6] * 50, fitted=50, there=SAME_VIEW, back=SAME_VIEW, fitting_share=0.75
    )
    floor.maps["b|c"] = ViewMap(points=[(0.0,) * 6] * 3)
    topology.tell(TransitSettings(before=C, after=B, overlap=False))
    told = [(v.first, v.second, v.overlap, v.fitting_share, v.points, v.said) for v in view_pairs(floor, topology)]
    assert told == [(A, B, True, 0.75, 50, None), (A, C, False, None, 0, None), (B, C, False, None, 3, False)]


def test_strangers_are_told_by_the_hour() -> None:
    topology = Topology()
    topology.know(A)
    topology.watch_until(1)
    topology.watch_until(1 + 60 * 10**9)
    assert strangers_an_hour(topology) == {A: pytest.approx(3600.0 * (0.0 + 1.0) / (60.0 + 60.0))}


@given(
    gaps_s=st.lists(st.floats(0.0, 16_000.0), min_size=1, max_size=40),
    quantile=st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]),
)
def test_a_quantile_lies_in_the_step_where_counting_one_by_one_ends(gaps_s: list[float], quantile: float) -> None:
    steps = [0.0] * (len(STEPS_S) + 1)
    for gap_s in gaps_s:
        steps[step_of(gap_s)] += 1.0
    found = transit_quantile(tuple(steps), quantile)
    ends = [*STEPS_S[1:], 2.0 * STEPS_S[-1]]
    # One by one: each step's people spread evenly within it, many to each so that rounding does not matter.
    spread = np.concatenate(
        [np.linspace(begin, end, round(400 * n)) for begin, end, n in zip(STEPS_S, ends, steps[1:], strict=True) if n]
    )
    order = np.sort(spread)
    around = order[np.clip([int(quantile * len(order)) - 2, int(quantile * len(order)) + 2], 0, len(order) - 1)]
    width = max(end - begin for begin, end, n in zip(STEPS_S, ends, steps[1:], strict=True) if n) / 100
    assert around[0] - width <= found <= around[1] + width

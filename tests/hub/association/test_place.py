"""Where somebody was: on one spot in two views, walking on in one, and where that says nothing."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hub.association.place import SAME_VIEW, UNSEEN_NS, Floor, Spacing, together
from hub.association.view_map import Transfer, ViewMap
from hub.paths import NOWHERE, Path
from passerby.ids import CameraId
from tests.hub.association import reference_place
from tests.hub.association.two_views import FIRST, SECOND_VIEW, View, learned, pairs, spots

EAST, WEST = CameraId("east"), CameraId("west")
SECOND = 1_000_000_000
SPREAD = 0.1


def walk(view: View, floor: NDArray[np.float64], *, begin_s: float = 0.0) -> Path:
    feet, heights = view.project(floor)
    at_ns = (round(begin_s * SECOND) + np.arange(len(floor)) * (SECOND // 2)).astype(np.int64)
    return Path(at_ns, feet.astype(np.float32), heights.astype(np.float32), np.zeros(len(floor), bool))


def line(start: tuple[float, float], end: tuple[float, float], count: int = 8) -> NDArray[np.float64]:
    return np.linspace(start, end, count)


def floor_with_map() -> Floor:
    floor = Floor()
    floor.maps["east|west"] = learned(pairs(np.random.default_rng(1), 200, wrong=0.3))
    return floor


def test_on_one_spot_in_two_views_is_one_person_and_on_two_spots_are_two() -> None:
    floor, rng = floor_with_map(), np.random.default_rng(2)
    here = line((-1.5, -1.0), (1.5, 1.0))
    same = floor.evidence(walk(FIRST, here), walk(SECOND_VIEW, here), cameras=(EAST, WEST))
    other = floor.evidence(walk(FIRST, here), walk(SECOND_VIEW, np.add(here, [1.5, -1.5])), cameras=(EAST, WEST))
    back = floor.evidence(walk(SECOND_VIEW, here), walk(FIRST, here), cameras=(WEST, EAST))
    assert same is not None
    assert other is not None
    assert back is not None
    assert same > 3.0
    assert back > 3.0
    assert other < -3.0
    # Nothing that is said of a place is certain: half a body behind a table, an exchange of two people.
    far = floor.evidence(walk(FIRST, here), walk(SECOND_VIEW, spots(rng, 8) * 1e3), cameras=(EAST, WEST))
    assert far is not None
    assert far > -10.0


def test_who_walks_on_in_the_same_view_is_the_same_person() -> None:
    floor = Floor()
    here = line((-1.0, 0.0), (1.0, 0.0))
    on = floor.evidence(walk(FIRST, here), walk(FIRST, np.add(here, [2.0, 0.0]), begin_s=4.0), cameras=(EAST, EAST))
    elsewhere = floor.evidence(
        walk(FIRST, here), walk(FIRST, np.add(here, [0.5, 4.0]), begin_s=4.0), cameras=(EAST, EAST)
    )
    assert on is not None
    assert elsewhere is not None
    assert on > 0.0 > elsewhere


def test_who_is_lost_is_expected_where_their_pace_would_take_them() -> None:
    floor = Floor()
    # They go at a body height and a half in 3.5 s, are lost for 2.5 s, and found at a place further on, or back.
    before = walk(FIRST, line((-1.0, 0.0), (0.5, 0.0)))
    ahead = walk(FIRST, line((1.55, 0.0), (3.05, 0.0)), begin_s=6.0)
    back = walk(FIRST, line((-0.55, 0.0), (-2.05, 0.0)), begin_s=6.0)
    on, turned = (floor.evidence(before, after, cameras=(EAST, EAST)) for after in (ahead, back))
    assert on is not None
    assert turned is not None
    assert on > 2.5
    assert turned < on - 1.0


def test_of_views_that_share_nothing_and_of_long_ago_nothing_is_said() -> None:
    here = line((-1.0, 0.0), (1.0, 0.0))
    before, after = walk(FIRST, here), walk(FIRST, here, begin_s=3.6 + UNSEEN_NS / 1e9)
    assert Floor().evidence(before, walk(SECOND_VIEW, here), cameras=(EAST, WEST)) is None
    assert Floor().evidence(before, after, cameras=(EAST, EAST)) is None
    assert Floor().evidence(NOWHERE, after, cameras=(EAST, EAST)) is None
    assert Floor().evidence(before, NOWHERE, cameras=(EAST, EAST)) is None


def test_to_ask_leaves_no_trace() -> None:
    floor = Floor()
    assert floor.mapped(EAST, EAST)
    assert not floor.mapped(EAST, WEST)
    floor.evidence(walk(FIRST, line((0, 0), (1, 1))), walk(SECOND_VIEW, line((0, 0), (1, 1))), cameras=(EAST, WEST))
    assert floor == Floor()


@st.composite
def paths(draw: st.DrawFn) -> Path:
    times = sorted(draw(st.sets(st.integers(0, 30), min_size=1, max_size=8)))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    return Path(
        np.array(times, np.int64) * (SECOND // 4),
        rng.uniform(0, 600, (len(times), 2)).astype(np.float32),
        rng.uniform(50, 200, len(times)).astype(np.float32),
        rng.random(len(times)) < 0.2,
    )


@settings(max_examples=100, deadline=None)
@given(first=paths(), second=paths())
def test_places_at_once_agree_with_their_naive_twin(first: Path, second: Path) -> None:
    expected = reference_place.together(first, second)
    found = together(first, second)
    assert len(found) == len(expected)
    np.testing.assert_allclose(found, np.array(expected).reshape(-1, 6), rtol=1e-4)


def test_the_spacing_of_people_is_a_density_that_learns_how_near_they_stand() -> None:
    rng, spacing = np.random.default_rng(0), Spacing()
    middles = np.arange(0.005, 4.0, 0.01)
    assert 0.01 * sum(map(spacing.density, middles)) == pytest.approx(1.0, abs=0.01)
    # Before anybody was seen, people are spread evenly: the farther, the more room there is.
    assert spacing.density(0.1) < spacing.density(1.2) < spacing.density(3.5)
    before = spacing.density(0.3)
    for away in rng.uniform(0.2, 0.6, 500):
        spacing.learn(float(away))
    assert spacing.density(0.3) > 20 * before
    assert 0.01 * sum(map(spacing.density, middles)) == pytest.approx(1.0, abs=0.01)
    spacing.learn(1e9)  # far is far


def test_where_people_stand_close_together_the_spot_says_less() -> None:
    here = line((-1.0, 0.0), (1.0, 0.0))
    before, after = walk(FIRST, here), walk(FIRST, np.add(here, [2.0, 0.0]), begin_s=4.0)
    lonely, crowded = Floor(), Floor()
    for _ in range(300):
        crowded.spacing(EAST).learn(0.1)
    alone = lonely.evidence(before, after, cameras=(EAST, EAST))
    among_others = crowded.evidence(before, after, cameras=(EAST, EAST))
    assert alone is not None
    assert among_others is not None
    assert among_others < alone - 1.0


def shifted(error: float) -> Floor:
    """Two views of one picture, of which it is known only up to `error` body heights of 100 px how they lie."""
    covariance = np.zeros((8, 8))
    covariance[2, 2] = covariance[5, 5] = (100.0 * error) ** 2
    frame = (0.0, 0.0, 1.0)
    there = Transfer(SAME_VIEW.matrix, tuple(covariance.ravel().tolist()), frame, frame)
    return Floor(maps={"east|west": ViewMap(there=there, back=there, spread=SPREAD)})


def standing_at(x: float) -> Path:
    """Seen once."""
    feet, heights = np.array([[x, 400]], np.float32), np.array([100], np.float32)
    return Path(np.array([0], np.int64), feet, heights, np.zeros(1, bool))


@pytest.mark.parametrize("error", [0.0, 0.2, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("away", [0.1, 0.3, 0.7, 1.25, 2.5])
def test_the_spot_says_what_trying_it_out_says_however_little_the_map_knows(error: float, away: float) -> None:
    found = shifted(error).evidence(standing_at(0.0), standing_at(100.0 * away), cameras=(EAST, WEST))
    # Well within its error a spot is taken for hit: nearer than chance, though the map did not promise it.
    hit = 2.5 if away < 0.5 * error else 0.75
    tried_out = reference_place.tried_out(away, spread=math.hypot(SPREAD, error))
    assert found is not None
    assert tried_out - 0.75 <= found <= tried_out + hit

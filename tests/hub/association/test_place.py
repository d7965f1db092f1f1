"""Where two views show the same floor: found among wrong pairs, never in mere chance."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hub.association.place import UNSEEN_NS, Floor, Spacing, ViewMap, together
from hub.paths import NOWHERE, Path
from passerby.ids import CameraId
from tests.hub.association import reference_place
from tests.hub.association.reference_place import View

EAST, WEST = CameraId("east"), CameraId("west")
FIRST, SECOND_VIEW = View(yaw=0.0), View(yaw=1.1)
SECOND = 1_000_000_000

Row = tuple[float, float, float, float, float, float]


def spots(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    return rng.uniform(-2.5, 2.5, (count, 2))


def pairs(rng: np.random.Generator, count: int, *, wrong: float) -> list[Row]:
    """Places of people in both views, with two pixels of noise; of the `wrong` share they are two people."""
    here, there = spots(rng, count), spots(rng, count)
    right = rng.random(count) >= wrong
    there[right] = here[right]
    (feet, heights), (other_feet, other_heights) = FIRST.project(here), SECOND_VIEW.project(there)
    feet = feet + rng.normal(0, 2, feet.shape)
    other_feet = other_feet + rng.normal(0, 2, other_feet.shape)
    rows = np.column_stack([feet, heights, other_feet, other_heights])
    return [(a, b, c, d, e, f) for a, b, c, d, e, f in rows.tolist()]


def learned(rows: list[Row]) -> ViewMap:
    view_map = ViewMap()
    view_map.learn(rows)
    assert view_map.refit()
    return view_map


def walk(view: View, floor: NDArray[np.float64], *, begin_s: float = 0.0) -> Path:
    feet, heights = view.project(floor)
    at_ns = (round(begin_s * SECOND) + np.arange(len(floor)) * (SECOND // 2)).astype(np.int64)
    return Path(at_ns, feet.astype(np.float32), heights.astype(np.float32), np.zeros(len(floor), bool))


def line(start: tuple[float, float], end: tuple[float, float], count: int = 8) -> NDArray[np.float64]:
    return np.linspace(start, end, count)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("wrong", [0.0, 0.5])
def test_a_shared_floor_is_found_though_half_of_the_pairs_are_two_people(seed: int, wrong: float) -> None:
    rng = np.random.default_rng(seed)
    view_map = learned(pairs(rng, 160, wrong=wrong))
    assert view_map.matrix
    floor = spots(rng, 50)
    (here, _), (there, heights) = FIRST.project(floor), SECOND_VIEW.project(floor)
    mapped = np.column_stack([here, np.ones(50)]) @ np.array(view_map.matrix).reshape(3, 3).T
    away = np.linalg.norm(mapped[:, :2] / mapped[:, 2:] - there, axis=1) / heights
    assert np.median(away) < 0.1
    assert view_map.fitting_share == pytest.approx(1.0 - wrong, abs=0.2)


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("count", [40, 160, 800])
def test_no_floor_is_found_where_there_is_none(seed: int, count: int) -> None:
    assert not learned(pairs(np.random.default_rng(seed), count, wrong=1.0)).matrix


@pytest.mark.parametrize(
    "rows",
    [
        [(100.0, 200.0, 50.0, 300.0, 200.0, 60.0)] * 40,
        [(float(i), float(i), 50.0, float(2 * i), 7.0, 60.0) for i in range(40)],
        [(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)] * 40,
        [(1e30, -1e30, 1e30, 1e30, 1e30, 1e30)] * 40,
        [(float(i % 2), 0.0, 50.0, float(i % 2), 0.0, 60.0) for i in range(40)],
    ],
    ids=["one spot", "one line", "nothing", "huge", "two spots"],
)
def test_of_places_that_say_too_little_nothing_is_made(rows: list[Row]) -> None:
    assert not learned(rows).matrix


def test_few_places_are_waited_with_and_many_are_not_tried_again_and_again() -> None:
    rng, view_map = np.random.default_rng(0), ViewMap()
    tries = 0
    for _ in range(300):
        view_map.learn(pairs(rng, 6, wrong=0.3))
        tries += view_map.refit()
    assert 5 < tries < 40
    assert len(view_map.points) == 800
    assert not ViewMap().refit()


def test_the_same_places_give_the_same_map_to_the_last_bit() -> None:
    rows = pairs(np.random.default_rng(3), 200, wrong=0.5)
    first = learned(rows)
    assert learned(rows) == first
    stored = msgspec.msgpack.decode(msgspec.msgpack.encode(first), type=ViewMap)
    assert stored == first
    more = pairs(np.random.default_rng(4), 200, wrong=0.5)
    for one in (first, stored):
        one.learn(more)
        one.refit()
    assert stored == first


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

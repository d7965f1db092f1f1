"""Where two views show the same floor: found among wrong pairs, never in mere chance, unsure where it cannot know."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.association.place import SAME_VIEW
from hub.association.view_map import Transfer, ViewMap
from tests.hub.association import reference_view_map
from tests.hub.association.two_views import (
    FIRST,
    SECOND_VIEW,
    Float64Array,
    Row,
    View,
    learned,
    pairs,
    spots,
    standing,
)

NOISE = 0.1
"""Body heights."""

POINTS_AS_ONE = 3.0
"""Of so many points that are learned one counts: they come from tracklets, half a second apart."""


def transfer_of(view_map: ViewMap) -> Transfer:
    assert view_map.there is not None
    return view_map.there


def landing(view_map: ViewMap, floor: Float64Array) -> tuple[Float64Array, Float64Array]:
    """How far from where they are people on a floor (n, 2) are mapped, and the error that is said of it (n,)."""
    (here, _), (there, heights) = FIRST.project(floor), SECOND_VIEW.project(floor)
    return transfer_of(view_map).away(here, there, heights=heights)


def corridor(rng: np.random.Generator, *, width: float) -> Float64Array:
    """People along a line, about so many metres to its sides."""
    return np.column_stack([rng.uniform(-2.5, 2.5, 200), rng.normal(0, width, 200)])


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("wrong", [0.0, 0.5])
def test_a_shared_floor_is_found_though_half_of_the_pairs_are_two_people(seed: int, wrong: float) -> None:
    rng = np.random.default_rng(seed)
    view_map = learned(pairs(rng, 160, wrong=wrong))
    away, _ = landing(view_map, spots(rng, 50))
    assert np.median(away) < 0.1
    assert view_map.fitting_share == pytest.approx(1.0 - wrong, abs=0.2)


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("count", [60, 160, 800])
def test_no_floor_is_found_where_there_is_none(seed: int, count: int) -> None:
    view_map = learned(pairs(np.random.default_rng(seed), count, wrong=1.0))
    assert view_map.there is None
    assert view_map.back is None


@pytest.mark.parametrize(
    "rows",
    [
        [(100.0, 200.0, 50.0, 300.0, 200.0, 60.0)] * 60,
        [(float(i), float(i), 50.0, float(2 * i), 7.0, 60.0) for i in range(60)],
        [(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)] * 60,
        [(1e30, -1e30, 1e30, 1e30, 1e30, 1e30)] * 60,
        [(float(i % 2), 0.0, 50.0, float(i % 2), 0.0, 60.0) for i in range(60)],
    ],
    ids=["one spot", "one line", "nothing", "huge", "two spots"],
)
def test_of_places_that_say_too_little_nothing_is_made(rows: list[Row]) -> None:
    view_map = learned(rows)
    assert view_map.there is None
    assert view_map.back is None


def test_a_map_that_is_found_no_more_is_forgotten() -> None:
    view_map = learned(pairs(np.random.default_rng(0), 160, wrong=0.0))
    assert view_map.there is not None
    view_map.learn(pairs(np.random.default_rng(1), 800, wrong=1.0))
    assert view_map.refit()
    assert view_map.there is None
    assert view_map.back is None


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
    assert first.there is not None
    assert learned(rows) == first
    stored = msgspec.msgpack.decode(msgspec.msgpack.encode(first), type=ViewMap)
    assert stored == first
    more = pairs(np.random.default_rng(4), 200, wrong=0.5)
    for one in (first, stored):
        one.learn(more)
        one.refit()
    assert stored == first


@pytest.mark.parametrize("seed", range(4))
def test_the_way_back_is_the_way_there_turned_round(seed: int) -> None:
    rng = np.random.default_rng(seed)
    view_map = learned(pairs(rng, 160, wrong=0.3))
    assert view_map.there is not None
    assert view_map.back is not None
    here, heights = FIRST.project(spots(rng, 20))
    there = np.array([reference_view_map.mapped(view_map.there.matrix, point) for point in here.tolist()])
    np.testing.assert_allclose(view_map.there.away(here, there, heights=heights)[0], 0.0, atol=1e-8)
    np.testing.assert_allclose(view_map.back.away(there, here, heights=heights)[0], 0.0, atol=1e-8)
    # In body heights of one view and of the other, places among the points are about as sure both ways.
    other_heights = SECOND_VIEW.project(spots(rng, 20))[1]
    forth = view_map.there.away(here, there, heights=other_heights)[1]
    back = view_map.back.away(there, here, heights=heights)[1]
    assert 0.4 < np.median(forth) / np.median(back) < 2.5


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_how_far_a_place_is_away_is_what_its_naive_twin_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    transfer = transfer_of(learned(pairs(np.random.default_rng(7), 160, wrong=0.0)))
    (here, _), there = FIRST.project(spots(rng, 5)), rng.uniform(0, 640, (5, 2))
    heights = rng.uniform(0.0, 200.0, 5)
    found, error = transfer.away(here, there, heights=heights)
    for index in range(5):
        x, y = reference_view_map.mapped(transfer.matrix, here[index].tolist())
        pixels = float(np.hypot(x - there[index, 0], y - there[index, 1]))
        assert found[index] == pytest.approx(pixels / max(heights[index], 1.0))
        # Each place by itself.
        alone = transfer.away(here[[index]], there[[index]], heights=heights[[index]])
        assert error[index] == pytest.approx(alone[1][0])


def test_of_no_places_nothing_is_said() -> None:
    transfer = transfer_of(learned(pairs(np.random.default_rng(7), 160, wrong=0.0)))
    for one in (transfer, SAME_VIEW):
        away, error = one.away(np.zeros((0, 2)), np.zeros((0, 2)), heights=np.zeros(0))
        assert away.shape == error.shape == (0,)


def test_in_one_view_a_place_is_where_it_is() -> None:
    here = np.array([[100.0, 200.0], [1e30, -1e30]])
    there = np.array([[130.0, 240.0], [1e30, -1e30]])
    away, error = SAME_VIEW.away(here, there, heights=np.array([100.0, 50.0]))
    assert away.tolist() == [0.5, 0.0]
    assert error.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("together", [True, False], ids=["among others", "alone"])
def test_behind_the_horizon_nobody_stands(together: bool) -> None:
    transfer = transfer_of(learned(pairs(np.random.default_rng(7), 160, wrong=0.0)))
    floor = spots(np.random.default_rng(0), 20)
    (here, _), (there, heights) = FIRST.project(floor), SECOND_VIEW.project(floor)
    horizon = np.array(transfer.matrix)[6:]
    middle = here.mean(axis=0)
    # As far beyond the second camera's horizon, a line in the first picture, as the others are before it.
    here[0] = middle - 2.0 * (horizon[:2] @ middle + horizon[2]) / (horizon[:2] @ horizon[:2]) * horizon[:2]
    asked = [slice(None)] if together else [slice(index, index + 1) for index in range(20)]
    away = np.concatenate([transfer.away(here[one], there[one], heights=heights[one])[0] for one in asked])
    assert np.isinf(away[0])
    assert (away[1:] < 0.2).all()


@pytest.mark.parametrize("seed", range(8))
def test_a_map_is_sure_among_its_points_and_less_and_less_so_far_from_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    view_map = learned(standing(rng, spots(rng, 300), noise=NOISE))
    rings = [spots(rng, 40), *(radius * _circle() for radius in (4.0, 5.0, 6.0))]
    among, *outside = (float(np.median(landing(view_map, ring)[1])) for ring in rings)
    assert among < 0.05
    assert [among, *outside] == sorted([among, *outside])
    assert outside[0] > 2 * among
    assert outside[-1] > 4 * among


def _circle() -> Float64Array:
    # On the side of both cameras where they see the floor.
    angle = np.linspace(0.0, 2 * np.pi, 16, endpoint=False)
    points = np.column_stack([np.cos(angle), np.sin(angle)])
    return points[(FIRST.project(6.0 * points)[1] > 10.0) & (SECOND_VIEW.project(6.0 * points)[1] > 10.0)]


@pytest.mark.parametrize("seed", range(8))
def test_more_points_make_a_map_surer(seed: int) -> None:
    rng = np.random.default_rng(seed)
    few, many = (learned(standing(rng, spots(rng, count), noise=NOISE)) for count in (80, 800))
    at = spots(rng, 40)
    ratio = float(np.median(landing(few, at)[1] / landing(many, at)[1]))
    assert ratio == pytest.approx(np.sqrt(10.0), rel=0.35)


@pytest.mark.parametrize("seed", range(8))
def test_across_a_line_on_which_all_points_lie_a_map_knows_little(seed: int) -> None:
    rng = np.random.default_rng(seed)
    view_map = learned(standing(rng, corridor(rng, width=0.15), noise=NOISE / 2))
    if view_map.there is None:
        return  # The line may say too little for any map.
    along = np.column_stack([np.linspace(-2, 2, 9), np.zeros(9)])
    on_it = float(np.median(landing(view_map, along)[1]))
    beside = np.concatenate([landing(view_map, along + np.array([0.0, side]))[1] for side in (-2.0, 2.0)])
    assert on_it < 0.05
    assert float(np.median(beside)) > 4 * on_it


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("width", [0.8, None], ids=["corridor", "hall"])
def test_the_error_is_what_the_map_would_change_by_with_other_points(seed: int, width: float | None) -> None:
    rng = np.random.default_rng(seed)
    floor = spots(rng, 200) if width is None else corridor(rng, width=width)
    rows = standing(rng, floor, noise=NOISE)
    view_map = learned(rows)
    asked = rng.uniform(-3.0, 3.0, (25, 2))
    (here, _), (_, heights) = FIRST.project(asked), SECOND_VIEW.project(asked)
    refitted = reference_view_map.spread_of_refits(rows, here, heights=heights, times=80, rng=rng)
    # The map takes its points for as exact as they fit it, and for fewer than they are.
    expected = refitted * np.sqrt(POINTS_AS_ONE) * view_map.spread / NOISE
    # Farther out a map is no straight line of what it was found from.
    near = refitted < 0.15
    ratio = landing(view_map, asked)[1][near] / expected[near]
    assert len(ratio) > 12
    assert 1 / 2 < np.median(ratio) < 2
    assert np.mean((ratio > 1 / 2.5) & (ratio < 2.5)) > 0.8


def test_places_are_mapped_wrong_by_about_as_much_as_is_said() -> None:
    beyond = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        away, error = landing(learned(standing(rng, spots(rng, 200), noise=NOISE)), rng.uniform(-3.5, 3.5, (10, 2)))
        beyond += (away / error).tolist()
    # The distance in two directions has a Rayleigh distribution: median 1.18, and 3.03 at 99 %.
    assert np.median(beyond) < 2.0
    assert np.mean(np.array(beyond) > 4.0) < 0.05


def test_a_camera_that_looks_straight_along_the_other_s_horizon_gives_numbers() -> None:
    """Both views from one place, so that the map is nearly that of a view to itself."""
    rng = np.random.default_rng(0)
    other = View(yaw=0.01)
    floor = spots(rng, 100)
    (here, heights), (there, other_heights) = FIRST.project(floor), other.project(floor)
    noisy = there + rng.normal(0, 2, there.shape)
    rows = [(a, b, c, d, e, f) for a, b, c, d, e, f in np.column_stack([here, heights, noisy, other_heights]).tolist()]
    away, error = transfer_of(learned(rows)).away(here, there, heights=other_heights)
    assert np.median(away) < 0.05
    assert np.isfinite(error).all()

"""The best crops of a tracklet."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge.exemplars import BestCrops

BOX = np.array([0, 0, 10, 20], np.float32)
IMAGE = np.zeros((20, 10, 3), np.uint8)
MS = 1_000_000


def offer(crops: BestCrops, at_ms: int, quality: float) -> bool:
    return crops.add(at_ms * MS, BOX, quality=quality, image=IMAGE)


def qualities(crops: BestCrops) -> list[float]:
    return [crop.quality for crop in crops.ranked()]


def test_free_places_are_filled_and_then_the_worst_gives_way() -> None:
    crops = BestCrops(2)
    assert offer(crops, 0, 0.5)
    assert offer(crops, 1000, 0.4)
    assert not offer(crops, 2000, 0.42)
    assert offer(crops, 3000, 0.6)
    assert qualities(crops) == [0.6, 0.5]


def test_neighbours_in_time_compete_with_each_other() -> None:
    crops = BestCrops(5)
    assert offer(crops, 0, 0.5)
    assert not offer(crops, 200, 0.5)
    assert offer(crops, 200, 0.6)
    assert len(crops) == 1


def test_crops_spread_as_the_tracklet_grows() -> None:
    crops = BestCrops(3)
    for at_ms in range(0, 60_000, 200):
        offer(crops, at_ms, 0.5 + 0.4 * (at_ms % 1000 == 0))
    times = sorted(crop.captured_at_ns for crop in crops.ranked())
    assert len(times) == 3
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) >= 400 * MS


def test_worthless_and_not_a_number_is_never_kept() -> None:
    crops = BestCrops(3)
    assert not offer(crops, 0, 0.0)
    assert not offer(crops, 0, float("nan"))
    assert not crops.wants(0, -1.0)
    assert qualities(crops) == []


def test_the_picture_is_copied() -> None:
    crops, image = BestCrops(1), np.zeros((20, 10, 3), np.uint8)
    crops.add(0, BOX, quality=0.5, image=image)
    image[:] = 255
    assert crops.ranked()[0].image.max() == 0


@given(
    st.integers(1, 6),
    st.lists(st.tuples(st.integers(0, 2000), st.floats(0, 1)), max_size=60),
)
def test_never_more_than_the_limit_and_never_an_id_twice(limit: int, offers: list[tuple[int, float]]) -> None:
    crops, at_ms, ids = BestCrops(limit), 0, set()
    for step_ms, quality in offers:
        at_ms += step_ms
        wanted = crops.wants(at_ms * MS, quality)
        assert offer(crops, at_ms, quality) == wanted
        assert len(crops) <= limit
        ids |= {crop.crop_id for crop in crops.ranked()}
    assert len(ids) == max(ids, default=0)
    if crops.ranked():
        assert qualities(crops)[0] >= max(quality for _, quality in offers) - 0.05 - 1e-9

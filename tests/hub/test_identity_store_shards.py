"""Shards: indexes that cannot change, and a store on them that can."""

from typing import Any

import numpy as np
import pytest

from hub.identity_store import ExactStore, FaissGpuStore, UnitVectors
from hub.identity_store.shards import SHARD_ERROR, SHARD_SLOTS, STALE_LIMIT, Place
from passerby.arrays import Float32Array, l2_normalize
from passerby.ids import ModelId
from tests.hub.stores import PLACES

MODEL = ModelId("made-up@1")
DIMENSION = 6
COUNT = SHARD_SLOTS + 3000


class Device:
    """Keeps what was placed on it, in order."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.placed: list[Any] = []

    def place(self, index: Any) -> Any:
        self.placed.append(self._place(index))
        return self.placed[-1]


@pytest.fixture(params=PLACES)
def device(request: pytest.FixtureRequest) -> Device:
    return Device(request.param())


@pytest.fixture(scope="module")
def rows() -> Float32Array:
    return l2_normalize(np.random.default_rng(0).normal(size=(COUNT, DIMENSION)))


def units(rows: Float32Array) -> UnitVectors:
    return UnitVectors(MODEL, rows)


def filled(device: Device, rows: Float32Array) -> tuple[FaissGpuStore, ExactStore]:
    store, exact = FaissGpuStore(MODEL, DIMENSION, place=device.place), ExactStore(MODEL, DIMENSION)
    for one in (store, exact):
        one.put(np.arange(COUNT), units(rows))
    store.search(units(rows[:1]), k=1)
    return store, exact


def agree(store: FaissGpuStore, exact: ExactStore, rows: Float32Array) -> bool:
    first, second = store.search(units(rows[:5]), k=30), exact.search(units(rows[:5]), k=30)
    return np.array_equal(first.ids, second.ids) and np.array_equal(first.similarities, second.similarities)


def test_several_shards_answer_as_one_exact_store(device: Device, rows: Float32Array) -> None:
    store, exact = filled(device, rows)
    assert [index.ntotal for index in device.placed] == [SHARD_SLOTS, COUNT - SHARD_SLOTS]
    assert agree(store, exact, rows)


def test_what_has_changed_is_right_before_its_shard_is_made_anew(device: Device, rows: Float32Array) -> None:
    store, exact = filled(device, rows)
    for one in (store, exact):
        one.remove(np.arange(3))
        one.put(np.arange(100, 400), units(rows[1000:1300]))
        one.put(np.array([10**6]), units(rows[:1]))
    assert agree(store, exact, rows)
    assert len(device.placed) == 2


def test_only_the_shard_with_many_changes_is_made_anew(device: Device, rows: Float32Array) -> None:
    store, exact = filled(device, rows)
    for one in (store, exact):
        one.remove(np.arange(SHARD_SLOTS, SHARD_SLOTS + STALE_LIMIT + 1))
        one.remove(np.arange(5))
    assert agree(store, exact, rows)
    assert [index.ntotal for index in device.placed[2:]] == [COUNT - SHARD_SLOTS - STALE_LIMIT - 1]


def test_what_is_erased_leaves_the_device_at_once(device: Device, rows: Float32Array) -> None:
    store, exact = filled(device, rows)
    for one in (store, exact):
        one.erase(np.array([7]))
    assert [index.ntotal for index in device.placed[2:]] == [SHARD_SLOTS - 1]
    assert not (device.placed[2].reconstruct_n(0, SHARD_SLOTS - 1) == rows[7]).all(axis=1).any()
    assert agree(store, exact, rows)


def test_more_than_a_device_can_give_is_answered_all_the_same(device: Device, rows: Float32Array) -> None:
    store, exact = filled(device, rows)
    found = store.search(units(rows[:1]), k=3000)
    assert np.array_equal(found.ids, exact.search(units(rows[:1]), k=3000).ids)


def test_a_shard_says_similarities_as_exactly_as_it_promises(device: Device) -> None:
    dimension = 512
    rows = l2_normalize(np.random.default_rng(1).normal(size=(20_000, dimension)) + 1.0)  # alike: all products add up
    store = FaissGpuStore(MODEL, dimension, place=device.place)
    store.put(np.arange(len(rows)), units(rows))
    queries = l2_normalize(rows[:8] + 0.02)
    store.search(units(queries), k=1)
    said, found = device.placed[0].search(queries, 1000)
    exact = np.take_along_axis(queries.astype(np.float64) @ rows.T.astype(np.float64), found, axis=1)
    assert np.abs(said - exact).max() <= SHARD_ERROR

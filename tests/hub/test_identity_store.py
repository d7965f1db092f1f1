"""One suite over all stores: FAISS and its NumPy twin give the same answers as plain sorting."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.identity_store import FaissGpuStore, FaissStore, IdentityStore, UnitVectors, best_store, gpu_available
from hub.identity_store.rows import BLOCK_ROWS
from passerby.arrays import Float32Array, l2_normalize
from passerby.errors import DataError, StoreError
from passerby.ids import ModelId
from tests.hub.stores import STORE_PARAMS, STORES

MODEL = ModelId("made-up@1")
DIMENSION = 8


@pytest.fixture(params=STORE_PARAMS)
def store(request: pytest.FixtureRequest) -> IdentityStore:
    made: IdentityStore = request.param(MODEL, DIMENSION)
    return made


def vectors(count: int, *, seed: int = 0) -> UnitVectors:
    return UnitVectors(MODEL, l2_normalize(np.random.default_rng(seed).normal(size=(count, DIMENSION))))


def ids(*values: int) -> np.typing.NDArray[np.int64]:
    return np.array(values, np.int64)


def naive_search(known: dict[int, Float32Array], query: Float32Array, *, k: int) -> list[int]:
    ranked = sorted(known, key=lambda key: (-float(known[key] @ query), key))[:k]
    return ranked + [-1] * (k - len(ranked))


def test_an_empty_store_finds_nobody(store: IdentityStore) -> None:
    found = store.search(vectors(2), k=3)
    assert len(store) == 0
    assert found.ids.tolist() == [[-1] * 3] * 2
    assert np.isneginf(found.similarities).all()


def test_no_query_gives_no_answer(store: IdentityStore) -> None:
    store.put(ids(1), vectors(1))
    assert store.search(UnitVectors(MODEL, np.zeros((0, DIMENSION), np.float32)), k=3).ids.shape == (0, 3)


def test_the_nearest_comes_first_under_its_own_id(store: IdentityStore) -> None:
    known = vectors(5)
    store.put(ids(10, 20, 30, 40, 50), known)
    found = store.search(UnitVectors(MODEL, known.rows[2:3]), k=2)
    assert found.ids[0, 0] == 30
    assert found.similarities[0, 0] == pytest.approx(1.0, abs=1e-6)


def test_putting_an_id_again_replaces_it(store: IdentityStore) -> None:
    first, second = vectors(1, seed=1), vectors(1, seed=2)
    store.put(ids(7), first)
    store.put(ids(7), second)
    assert len(store) == 1
    assert store.search(second, k=2).ids.tolist() == [[7, -1]]
    assert store.search(second, k=1).similarities[0, 0] == pytest.approx(1.0, abs=1e-6)


def test_of_an_id_given_twice_the_last_one_stays(store: IdentityStore) -> None:
    both = vectors(2)
    store.put(ids(7, 7), both)
    assert len(store) == 1
    assert store.search(UnitVectors(MODEL, both.rows[1:]), k=1).similarities[0, 0] == pytest.approx(1.0, abs=1e-6)


def test_what_is_removed_is_gone(store: IdentityStore) -> None:
    known = vectors(3)
    store.put(ids(1, 2, 3), known)
    store.remove(ids(2, 99))
    assert len(store) == 2
    assert 2 not in store
    assert 3 in store
    assert 2 not in store.search(known, k=3).ids


def test_two_models_never_meet(store: IdentityStore) -> None:
    other = UnitVectors(ModelId("made-up@2"), vectors(1).rows)
    with pytest.raises(StoreError, match="made-up@2"):
        store.put(ids(1), other)
    with pytest.raises(StoreError, match="made-up@2"):
        store.search(other, k=1)


def test_another_dimension_is_refused(store: IdentityStore) -> None:
    with pytest.raises(StoreError, match="made-up@1 makes"):
        store.put(ids(1), UnitVectors(MODEL, np.eye(3, dtype=np.float32)))


def test_each_id_has_its_vector(store: IdentityStore) -> None:
    with pytest.raises(StoreError, match="one for each vector"):
        store.put(ids(1, 2), vectors(3))


def test_of_equals_the_smaller_id_comes_first_however_many_there_are(store: IdentityStore) -> None:
    one = vectors(1)
    many = np.random.default_rng(0).permutation(500)
    store.put(many, UnitVectors(MODEL, np.repeat(one.rows, 500, axis=0)))
    assert store.search(one, k=5).ids.tolist() == [[0, 1, 2, 3, 4]]


def test_more_can_be_asked_for_than_there_is(store: IdentityStore) -> None:
    store.put(ids(1, 2), vectors(2))
    assert (store.search(vectors(1), k=100).ids >= 0).sum() == 2
    assert store.search(vectors(2), k=0).ids.shape == (2, 0)


def test_ids_may_be_as_large_as_the_hub_counts(store: IdentityStore) -> None:
    store.put(ids(2**62, 0), vectors(2))
    assert store.search(vectors(1), k=2).ids[0].tolist() in ([2**62, 0], [0, 2**62])


def test_what_is_erased_is_gone(store: IdentityStore) -> None:
    store.put(ids(1, 2), vectors(2))
    store.erase(ids(1, 5))
    assert (len(store), 1 in store, 2 in store) == (1, False, True)


def test_a_store_can_be_emptied_and_filled_again(store: IdentityStore) -> None:
    everybody = np.arange(3 * BLOCK_ROWS)
    for _ in range(2):
        store.put(everybody, vectors(len(everybody)))
        assert len(store) == len(everybody)
        store.remove(everybody)
        assert len(store) == 0
        assert (store.search(vectors(1), k=3).ids == -1).all()


def test_queries_together_get_the_answers_that_they_get_alone_to_the_last_bit(store: IdentityStore) -> None:
    store.put(np.arange(2000), vectors(2000))
    queries = vectors(50, seed=3)
    together = store.search(queries, k=10)
    alone = [store.search(UnitVectors(MODEL, query[None]), k=10) for query in queries.rows]
    assert np.array_equal(together.ids, np.concatenate([one.ids for one in alone]))
    assert np.array_equal(together.similarities, np.concatenate([one.similarities for one in alone]))


def test_a_snapshot_stays_as_it_was(store: IdentityStore) -> None:
    known = vectors(5)
    store.put(ids(0, 1, 2, 3, 4), known)
    before = store.snapshot()
    expected = store.search(known, k=5)
    store.remove(ids(0, 1))
    store.put(ids(2, 9), vectors(2, seed=5))
    found = before.search(known, k=5)
    assert (len(before), before.model_id) == (5, MODEL)
    assert np.array_equal(found.ids, expected.ids)
    assert np.array_equal(found.similarities, expected.similarities)
    with pytest.raises(StoreError, match="made-up@2"):
        before.search(UnitVectors(ModelId("made-up@2"), known.rows), k=1)


def test_an_empty_snapshot_finds_nobody(store: IdentityStore) -> None:
    assert (store.snapshot().search(vectors(1), k=2).ids == -1).all()


def test_readers_search_a_snapshot_while_the_writer_goes_on(store: IdentityStore) -> None:
    everybody = np.arange(BLOCK_ROWS + 10)
    store.put(everybody, vectors(len(everybody)))
    queries = vectors(4, seed=8)
    before, expected = store.snapshot(), store.search(queries, k=6).ids.tolist()
    found: list[list[list[int]]] = []

    def read() -> None:
        found.extend(before.search(queries, k=6).ids.tolist() for _ in range(20))

    reader = threading.Thread(target=read)
    reader.start()
    turn = 0
    while reader.is_alive():
        turn += 1
        store.put(everybody[:50], vectors(50, seed=turn))
        store.remove(everybody[turn % 50 : 60])
    reader.join(10)
    assert found == [expected] * 20


def test_a_small_store_needs_no_structure(store: IdentityStore) -> None:
    store.put(ids(1), vectors(1))
    store.search(vectors(1), k=1)
    assert store.structure == b""
    with pytest.raises(StoreError, match="restore it first"):
        store.restore_structure(b"")


def test_a_negative_id_is_refused(store: IdentityStore) -> None:
    with pytest.raises(StoreError, match="negative"):
        store.put(ids(-1), vectors(1))


@pytest.mark.parametrize("row", [[0.0] * DIMENSION, [np.nan] * DIMENSION, [np.inf] * DIMENSION, [2.0] * DIMENSION])
def test_only_unit_vectors_are_taken(row: list[float]) -> None:
    with pytest.raises(DataError, match="unit vectors"), np.errstate(invalid="ignore"):
        UnitVectors(MODEL, np.array([row], np.float32))


def test_where_there_is_no_gpu_the_store_for_one_says_what_to_do() -> None:
    if gpu_available():
        assert best_store() is FaissGpuStore
    else:
        assert best_store() is FaissStore
        with pytest.raises(StoreError, match="faiss-gpu"):
            FaissGpuStore(MODEL, DIMENSION)


STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "remove"]), st.lists(st.integers(0, 12), min_size=0, max_size=6)), max_size=12
)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, k=st.integers(1, 15))
def test_all_stores_agree_with_sorting_after_any_history(steps: list[tuple[str, list[int]]], k: int) -> None:
    stores = [kind(MODEL, DIMENSION) for kind in STORES]
    known: dict[int, Float32Array] = {}
    for number, (action, keys) in enumerate(steps):
        rows = vectors(len(keys), seed=number)
        for one in stores:
            if action == "put":
                one.put(ids(*keys), rows)
            else:
                one.remove(ids(*keys))
        for position, key in enumerate(keys):
            if action == "put":
                known[key] = rows.rows[position]
            else:
                known.pop(key, None)
    queries = vectors(3, seed=999)
    for one in stores:
        assert len(one) == len(known)
        expected = [naive_search(known, query, k=k) for query in queries.rows]
        assert one.search(queries, k=k).ids.tolist() == expected

"""What a large store promises: 99% of the nearest, the same answers after any way there, and real deletion."""

import gc
from collections.abc import Iterator

import numpy as np
import pytest

from hub.identity_store import ExactStore, FaissStore, UnitVectors
from hub.identity_store.cells import Cells
from hub.identity_store.codes import encoded, grid_of, levels
from hub.identity_store.flat import Flat
from hub.identity_store.growing import Growth
from hub.identity_store.partition import FLAT_ROWS, Partition, cells_for, train
from hub.identity_store.rows import FrozenRows, VectorRows
from hub.identity_store.structure import Structure, pack, unpack
from passerby.arrays import Float32Array, Int64Array, l2_normalize
from passerby.errors import StoreError
from passerby.ids import ModelId

MODEL = ModelId("made-up@1")
DIMENSION = 40
LARGE = FLAT_ROWS + 5000


def people(count: int, *, seed: int = 0, each: int = 5) -> Float32Array:
    """Prototypes (count, 40), `each` of them of one person, on axes of falling energy as embeddings have."""
    draw = np.random.default_rng(seed)
    axes = (np.arange(DIMENSION) + 4.0) ** -0.6
    own = np.repeat(draw.normal(size=(count // each + 1, DIMENSION)), each, axis=0)[:count]
    return l2_normalize((own + draw.normal(size=(count, DIMENSION))) * axes)


def units(rows: Float32Array) -> UnitVectors:
    return UnitVectors(MODEL, rows)


@pytest.fixture(scope="module")
def everybody() -> Float32Array:
    return people(3 * FLAT_ROWS)


@pytest.fixture(scope="module")
def queries(everybody: Float32Array) -> UnitVectors:
    near = everybody[:40] + 0.5 * people(40, seed=1)
    return units(np.concatenate([l2_normalize(near), people(40, seed=2)]))


def answers(store: FaissStore, queries: UnitVectors) -> tuple[Int64Array, Float32Array]:
    found = store.search(queries, k=64)
    return found.ids, found.similarities


def partition(centroids: Float32Array, *, trained_at: int = 40_000) -> Partition:
    return Partition(centroids, trained_at, grid_of(centroids))


def same(first: tuple[Int64Array, Float32Array], second: tuple[Int64Array, Float32Array]) -> bool:
    return np.array_equal(first[0], second[0]) and np.array_equal(first[1], second[1])


def grown(everybody: Float32Array, *, upto: int, step: int = 2048) -> Iterator[FaissStore]:
    """A store after each step of its growth, searched once."""
    store = FaissStore(MODEL, DIMENSION)
    store.put(np.arange(FLAT_ROWS - 1), units(everybody[: FLAT_ROWS - 1]))
    for start in range(FLAT_ROWS - 1, upto, step):
        numbers = np.arange(start, min(start + step, upto))
        store.put(numbers, units(everybody[numbers]))
        store.search(units(everybody[:1]), k=1)
        yield store


def test_a_large_store_finds_nearly_all_that_an_exact_one_finds(everybody: Float32Array, queries: UnitVectors) -> None:
    exact, fast = ExactStore(MODEL, DIMENSION), FaissStore(MODEL, DIMENSION)
    for store in (exact, fast):
        store.put(np.arange(len(everybody)), units(everybody))
    expected, found = exact.search(queries, k=64).ids, fast.search(queries, k=64).ids
    assert fast.structure
    recall = np.mean([len(np.intersect1d(a, b)) / 64 for a, b in zip(expected, found, strict=True)])
    assert recall >= 0.95
    assert (expected[:40, 0] == found[:40, 0]).mean() >= 0.97


def test_a_store_grows_through_all_its_forms_without_losing_anybody(everybody: Float32Array) -> None:
    structures = set()
    for store in grown(everybody, upto=len(everybody)):
        structures.add(store.structure)
        newest = len(store) - 1
        assert store.search(units(everybody[[0, newest]]), k=1).ids[:, 0].tolist() == [0, newest]
    assert len(structures) == 4, "twice being made and made"


@pytest.mark.parametrize("upto", [FLAT_ROWS + 1000, FLAT_ROWS + 4096, 2 * FLAT_ROWS + 3000])
def test_a_store_made_anew_in_any_order_answers_as_the_one_that_grew(
    everybody: Float32Array, queries: UnitVectors, upto: int
) -> None:
    for store in grown(everybody, upto=upto):
        grew = store
    gone = np.arange(0, upto, 7)
    grew.remove(gone)
    grew.put(np.arange(1, 50), units(everybody[101:150]))
    present = np.setdiff1d(np.arange(upto), np.setdiff1d(gone, np.arange(1, 50)))
    vectors = everybody[present].copy()
    vectors[np.isin(present, np.arange(1, 50))] = everybody[101:150]

    anew = FaissStore(MODEL, DIMENSION)
    anew.restore_structure(grew.structure)
    order = np.random.default_rng(0).permutation(len(present))
    for part in np.array_split(order, 5):
        anew.put(present[part], units(vectors[part]))
    assert len(anew) == len(grew) == len(present)
    assert same(answers(anew, queries), answers(grew, queries))
    assert anew.structure == grew.structure
    # And they stay together through what follows.
    numbers = np.arange(upto, upto + 4000)
    for store in (anew, grew):
        store.put(numbers, units(everybody[numbers % len(everybody)]))
    assert same(answers(anew, queries), answers(grew, queries))
    assert anew.structure == grew.structure


def test_putting_everybody_again_is_as_if_they_had_always_been_so(
    everybody: Float32Array, queries: UnitVectors
) -> None:
    moved, straight = FaissStore(MODEL, DIMENSION), FaissStore(MODEL, DIMENSION)
    moved.put(np.arange(LARGE), units(everybody[:LARGE]))
    moved.search(queries, k=1)
    other = people(LARGE, seed=9)
    moved.put(np.arange(LARGE), units(other))
    straight.restore_structure(moved.structure)
    straight.put(np.arange(LARGE), units(other))
    assert len(moved) == LARGE
    assert same(answers(moved, queries), answers(straight, queries))


@pytest.mark.parametrize("act", ["remove", "erase", "put"])
def test_no_byte_of_a_deleted_vector_is_kept(everybody: Float32Array, act: str) -> None:
    marked = l2_normalize(np.full((1, DIMENSION), 0.123, np.float32))
    half = marked.astype(np.float16).tobytes()
    store = FaissStore(MODEL, DIMENSION)
    store.put(np.arange(2000), units(everybody[:2000]))
    store.put(np.array([2000]), units(marked))
    store.put(np.array([2001]), units(everybody[5000:5001]))
    assert marked.tobytes() in _bytes_of(store)
    assert half in _bytes_of(store)
    match act:
        case "remove":
            store.remove(np.array([2000]))
        case "erase":
            store.erase(np.array([2000]))
        case _:
            store.put(np.array([2000]), units(everybody[6000:6001]))
    gc.collect()
    assert marked.tobytes() not in _bytes_of(store)
    assert half not in _bytes_of(store)


def _bytes_of(store: FaissStore) -> bytes:
    """All that a store has of its prototypes: rows, and its single cell with the place behind its end."""
    import faiss

    lists = store._cells._lists
    kept = (lists.list_size(0) + 1) * lists.code_size
    cell = faiss.rev_swig_ptr(lists.get_codes(0), kept).tobytes()
    return b"".join(vectors.tobytes() for _, vectors in store._rows.view().blocks) + cell


def test_erasing_leaves_nothing_in_what_is_being_made(everybody: Float32Array, queries: UnitVectors) -> None:
    store = FaissStore(MODEL, DIMENSION)
    store.put(np.arange(LARGE), units(everybody[:LARGE]))
    store.search(queries, k=1)
    assert store._growth is not None
    making = store._growth
    store.erase(np.arange(10))
    assert store._growth is None
    assert not making._thread.is_alive()
    assert making._cells is making._rows is None
    structure = store.structure
    assert not np.isin(store.search(queries, k=64).ids, np.arange(10)).any()
    assert store.structure == structure


def test_what_is_deleted_while_larger_cells_are_made_does_not_come_back(everybody: Float32Array) -> None:
    store = FaissStore(MODEL, DIMENSION)
    store.put(np.arange(LARGE), units(everybody[:LARGE]))
    store.search(units(everybody[:1]), k=1)
    made = store.structure
    store.remove(np.arange(100))
    numbers = np.arange(LARGE, LARGE + 4000)
    store.put(numbers, units(everybody[numbers]))
    found = store.search(units(everybody[:100]), k=64).ids
    assert store.structure != made, "the larger cells are searched now"
    assert len(store) == LARGE + 3900
    assert not np.isin(found, np.arange(100)).any()


def test_centroids_depend_on_ids_and_vectors_not_on_where_they_lie(everybody: Float32Array) -> None:
    made = []
    for seed in (0, 1):
        rows = VectorRows(DIMENSION)
        order = np.random.default_rng(seed).permutation(LARGE)
        rows.put(np.arange(10**6, 10**6 + 50 * (seed + 1)), everybody[: 50 * (seed + 1)])
        rows.put(order, everybody[order])
        rows.remove(np.arange(10**6, 10**6 + 200))
        made.append(train(rows.view()))
    assert np.array_equal(made[0].centroids, made[1].centroids)
    assert made[0].trained_at == LARGE


def test_a_centroid_shows_nobody(everybody: Float32Array) -> None:
    rows = VectorRows(DIMENSION)
    alone = l2_normalize(-everybody[:20].mean(axis=0, keepdims=True) * np.linspace(-1, 1, DIMENSION))
    rows.put(np.arange(LARGE), everybody[:LARGE])
    rows.put(np.arange(0, LARGE, 9000), np.repeat(alone, len(range(0, LARGE, 9000)), axis=0))
    nearest = (train(rows.view()).centroids @ everybody[:LARGE].T).max()
    assert nearest < 0.97
    assert (train(rows.view()).centroids @ alone.T).max() < 0.97


def test_every_vector_goes_to_its_nearest_centroid_also_when_two_are_as_near() -> None:
    centroids = l2_normalize(np.random.default_rng(0).normal(size=(64, DIMENSION)))
    centroids[7] = centroids[3]
    vectors = np.concatenate([people(100), centroids[3:4]])
    cells = partition(centroids).assign(vectors)
    exact = (vectors.astype(np.float64) @ centroids.astype(np.float64).T).argmax(axis=1)
    assert cells.tolist() == exact.tolist()
    assert cells[-1] == 3


def test_a_great_crowd_of_one_vector_can_be_cut_into_cells() -> None:
    store = FaissStore(MODEL, DIMENSION)
    store.put(np.arange(2 * FLAT_ROWS), units(np.repeat(people(1), 2 * FLAT_ROWS, axis=0)))
    assert store.search(units(people(1)), k=3).ids.tolist() == [[0, 1, 2]]


def test_cells_grow_with_the_root_and_searched_rows_slower_than_the_store() -> None:
    sizes = [40_000, 100_000, 300_000, 1_000_000]
    shares = []
    for size in sizes:
        cells = partition(np.zeros((cells_for(size), 2), np.float32))
        shares.append(cells.probes / len(cells))
    assert shares == sorted(shares, reverse=True)
    assert cells_for(FLAT_ROWS - 1) == 1


def test_an_empty_or_unknown_slot_can_be_removed_from_cells() -> None:
    for cells in (Flat(DIMENSION), Cells(DIMENSION, partition(people(4)))):
        cells.remove(np.array([0, 99]))
        cells.put(np.zeros(0, np.int64), np.zeros((0, DIMENSION), np.float32))
        assert len(cells) == 0


def test_codes_are_of_the_nearest_levels() -> None:
    vectors = people(500)
    grid = grid_of(vectors)
    level = levels(grid)
    expected = np.abs(vectors[:, :, None] - level[None]).argmin(axis=2)
    codes = encoded(vectors, grid)
    assert np.array_equal(codes & 15, expected[:, 0::2])
    assert np.array_equal(codes >> 4, expected[:, 1::2])
    error = np.take_along_axis(level[None], expected[:, :, None], axis=2)[:, :, 0] - vectors
    assert (error.std(axis=0) < 0.15 * vectors.std(axis=0)).all()


def test_an_axis_on_which_all_are_the_same_has_a_code_too() -> None:
    vectors = np.concatenate([people(50), np.full((50, 2), 0.3, np.float32)], axis=1)
    grid = grid_of(vectors)
    assert len(set(encoded(vectors, grid)[:, -1].tolist())) == 1
    assert np.allclose(levels(grid)[-2:], 0.3, atol=0.003)


def test_a_deleted_code_is_overwritten_and_the_others_are_found() -> None:
    import faiss

    vectors = people(300)
    cells = Cells(DIMENSION, partition(people(2)))
    cells.put(np.arange(300), vectors)
    cells.remove(np.arange(0, 300, 3))
    cells.put(np.array([0, 1]), vectors[[150, 1]])
    present = np.union1d(np.setdiff1d(np.arange(300), np.arange(0, 300, 3)), [0])
    assert len(cells) == len(present)
    (found,) = cells.candidates(vectors[:1], 500)
    assert sorted(found.tolist()) == present.tolist()
    for cell in range(2):
        size, block = cells._lists.list_size(cell), cells._packer.block_size
        blocks = faiss.rev_swig_ptr(cells._lists.get_codes(cell), -(-size // 32) * block).reshape(-1, block)
        assert not any(cells._packer.unpack_1(blocks, place).any() for place in range(size, 32 * len(blocks)))


def test_structures_travel_as_bytes() -> None:
    first, second = partition(people(4)), partition(people(8), trained_at=80_000)
    for structure in (Structure(), Structure(first), Structure(None, first), Structure(first, second)):
        again = unpack(pack(structure, DIMENSION), DIMENSION)
        for before, after in zip(
            (structure.current, structure.following), (again.current, again.following), strict=True
        ):
            assert (before is None) == (after is None)
            if before is not None and after is not None:
                assert np.array_equal(before.centroids, after.centroids)
                assert np.array_equal(before.grid, after.grid)
                assert before.trained_at == after.trained_at


@pytest.mark.parametrize("damage", ["cut", "noise", "dimension", "half a row", "not finite"])
def test_a_damaged_structure_is_refused(damage: str) -> None:
    whole = pack(Structure(partition(people(4))), DIMENSION)
    match damage:
        case "cut":
            data = whole[:-9]
        case "noise":
            data = b"\xc1" + whole
        case "dimension":
            data = pack(Structure(partition(np.eye(3, dtype=np.float32))), 3)
        case "half a row":
            data = pack(Structure(partition(people(4)[:, :7])), DIMENSION)
        case _:
            data = pack(Structure(partition(people(4) * np.float32(np.nan))), DIMENSION)
    with pytest.raises(StoreError, match=r"structure|stored (centroids|grid)"):
        FaissStore(MODEL, DIMENSION).restore_structure(data)


class NoMemory(tuple[tuple[Int64Array, Float32Array], ...]):
    """Blocks that cannot be read."""

    def __iter__(self) -> Iterator[tuple[Int64Array, Float32Array]]:
        raise MemoryError("no memory is left")


def test_larger_cells_that_cannot_be_made_say_why() -> None:
    growth = Growth(partition(people(4)), FrozenRows(DIMENSION, 1, NoMemory()))
    with pytest.raises(StoreError, match="no memory is left"):
        growth.finish(VectorRows(DIMENSION).view())

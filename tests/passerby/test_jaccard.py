"""Sparse Jaccard distances against the dense definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from passerby.arrays import Float32Array
from passerby.errors import DataError
from passerby.features.camera_jaccard import camera_jaccard_graph
from passerby.features.camera_neighbours import camera_neighbours
from passerby.features.jaccard import jaccard_graph
from passerby.features.neighbours import Neighbours, nearest_neighbours
from passerby.features.sparse_rows import Graph
from tests.passerby.crowds import cameras_of, crowd, with_duplicates
from tests.reference import dense_camera_jaccard, dense_jaccard

SITES = {
    "one row": crowd(1),
    "two rows": crowd(2),
    "fewer than k1": crowd(9),
    "a crowd": crowd(300),
    "alike": np.tile(crowd(1), (40, 1)),
    "duplicates": with_duplicates(crowd(200)),
    "little noise": crowd(200, noise=0.1),
}


def dense(graph: Graph) -> NDArray[np.float64]:
    distances = np.ones(graph.shape)
    pairs = graph.tocoo()
    distances[pairs.row, pairs.col] = pairs.data
    return distances


@pytest.mark.parametrize("features", SITES.values(), ids=SITES)
@pytest.mark.parametrize(("k1", "k2"), [(30, 6), (7, 3), (20, 1), (1, 1)])
def test_distances_are_the_dense_ones(features: Float32Array, k1: int, k2: int) -> None:
    graph = jaccard_graph(features, nearest_neighbours(features, k1), k1=k1, k2=k2)
    np.testing.assert_allclose(dense(graph), dense_jaccard(features, k1=k1, k2=k2), atol=2e-6)


@pytest.mark.parametrize("features", SITES.values(), ids=SITES)
@pytest.mark.parametrize(("own", "other", "k2_own", "k2_other"), [(6, 21, 2, 4), (3, 4, 1, 1), (2, 3, 1, 0)])
def test_camera_aware_distances_are_the_dense_ones(
    features: Float32Array, own: int, other: int, k2_own: int, k2_other: int
) -> None:
    cameras = cameras_of(len(features))
    neighbours = camera_neighbours(features, cameras, own=own, other=other)
    graph = camera_jaccard_graph(features, neighbours, k2_own=k2_own, k2_other=k2_other)
    twin = dense_camera_jaccard(features, cameras, own=own, other=other, k2_own=k2_own, k2_other=k2_other)
    np.testing.assert_allclose(dense(graph), twin, atol=2e-6)


def test_one_camera_alone_has_neighbours_of_its_own_only() -> None:
    features, cameras = crowd(50), np.full(50, 3)
    graph = camera_jaccard_graph(features, camera_neighbours(features, cameras, own=6, other=21))
    np.testing.assert_allclose(dense(graph), dense_camera_jaccard(features, cameras), atol=2e-6)


@settings(max_examples=30, deadline=None)
@given(
    count=st.integers(0, 60),
    axes=st.integers(1, 20),
    k1=st.integers(1, 40),
    k2=st.integers(1, 8),
    bound=st.floats(0.05, 1.0),
    seed=st.integers(0, 9),
)
def test_a_graph_is_symmetric_sorted_and_bounded(
    *, count: int, axes: int, k1: int, k2: int, bound: float, seed: int
) -> None:
    features = crowd(count, axes=axes, seed=seed)
    graph = jaccard_graph(features, nearest_neighbours(features, k1), k1=k1, k2=min(k1, k2), bound=bound)
    assert graph.shape == (count, count)
    assert graph.data.dtype == np.float32
    assert ((graph.data >= 0) & (graph.data <= np.float32(bound)) & (graph.data < 1)).all()
    np.testing.assert_array_equal(dense(graph), dense(graph).T)
    for row in range(count):
        columns = graph.indices[graph.indptr[row] : graph.indptr[row + 1]]
        assert (np.diff(columns) > 0).all()
        assert row in columns
        assert graph[row, row] == 0.0


def test_a_bound_leaves_out_what_is_farther_and_nothing_else() -> None:
    features = crowd(200)
    neighbours = nearest_neighbours(features, 30)
    everything = dense(jaccard_graph(features, neighbours))
    near = dense(jaccard_graph(features, neighbours, bound=0.6))
    np.testing.assert_array_equal(near, np.where(everything <= np.float32(0.6), everything, 1.0))


def test_a_row_that_shares_more_than_a_guess_is_not_cut_short() -> None:
    features = crowd(2000, noise=3.0)
    graph = jaccard_graph(features, nearest_neighbours(features, 40), k1=40)
    assert np.diff(graph.indptr).max() > 300
    shares = dense_jaccard(features[:300], k1=40)  # The twin would take minutes for all.
    part = jaccard_graph(features[:300], nearest_neighbours(features[:300], 40), k1=40)
    np.testing.assert_allclose(dense(part), shares, atol=2e-6)


def test_no_rows_make_an_empty_graph() -> None:
    nothing = np.zeros((0, 8), np.float32)
    assert jaccard_graph(nothing, nearest_neighbours(nothing, 30)).shape == (0, 0)
    neighbours = camera_neighbours(nothing, np.zeros(0, np.int64), own=6, other=21)
    assert camera_jaccard_graph(nothing, neighbours).nnz == 0


def test_wrong_numbers_are_refused() -> None:
    features = crowd(50)
    neighbours = nearest_neighbours(features, 10)
    with pytest.raises(DataError, match=r"neighbours have shape \(50, 10\), expected \(50, 30\)"):
        jaccard_graph(features, neighbours)
    with pytest.raises(DataError, match="k1 is 10 and k2 is 11, expected 1 <= k2 <= k1"):
        jaccard_graph(features, neighbours, k1=10, k2=11)
    with pytest.raises(DataError, match="bound is nan, expected a Jaccard distance"):
        jaccard_graph(features, neighbours, k1=10, bound=float("nan"))
    with pytest.raises(DataError, match=r"neighbours have shape \(0, 10\)"):
        jaccard_graph(features, Neighbours(neighbours.indices[:0], 1.0), k1=10)
    by_camera = camera_neighbours(features, cameras_of(50), own=6, other=21)
    with pytest.raises(DataError, match="k2_own is 7 and k2_other is 4, expected 1 to 6 and 0 to 21"):
        camera_jaccard_graph(features, by_camera, k2_own=7)
    with pytest.raises(DataError, match="neighbours are of 50 rows, expected 49"):
        camera_jaccard_graph(features[1:], by_camera)

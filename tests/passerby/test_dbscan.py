"""DBSCAN on a sparse graph against its definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array

from passerby.errors import DataError
from passerby.features.clustering.dbscan import dbscan
from passerby.features.jaccard import jaccard_graph
from passerby.features.neighbours import nearest_neighbours
from passerby.features.sparse_rows import Graph
from tests.passerby.crowds import crowd, with_duplicates
from tests.reference import dense_dbscan, dense_jaccard


def sparse(distances: NDArray[np.float64], *, bound: float, diagonal: bool = True) -> Graph:
    """Distances (n, n) up to a bound, zeros among them."""
    stored = distances <= bound
    np.fill_diagonal(stored, diagonal)
    rows, columns = np.nonzero(stored)
    pointers = np.concatenate([[0], np.cumsum(stored.sum(axis=1))])
    return csr_array((distances[rows, columns], columns, pointers), shape=distances.shape)


def line(*places: float) -> NDArray[np.float64]:
    return np.abs(np.subtract.outer(np.array(places), np.array(places)))


@pytest.mark.parametrize("noise", [0.4, 0.7, 1.0, 1.5])
@pytest.mark.parametrize("eps", [0.3, 0.5, 0.6, 0.75])
def test_labels_of_jaccard_distances_are_the_dense_ones(noise: float, eps: float) -> None:
    features = with_duplicates(crowd(240, noise=noise))
    graph = jaccard_graph(features, nearest_neighbours(features, 15), k1=15, k2=4, bound=eps)
    expected = dense_dbscan(dense_jaccard(features, k1=15, k2=4), eps=eps, min_samples=4)
    labels = dbscan(graph, eps=eps, min_samples=4)
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(labels, expected)


@settings(max_examples=200, deadline=None)
@given(
    places=st.lists(st.integers(0, 30), max_size=25),
    eps=st.integers(0, 4),
    min_samples=st.integers(1, 5),
    diagonal=st.booleans(),
)
def test_labels_follow_the_definition_whatever_is_tied(
    *, places: list[int], eps: int, min_samples: int, diagonal: bool
) -> None:
    distances = line(*places)
    labels = dbscan(sparse(distances, bound=eps + 1, diagonal=diagonal), eps=eps, min_samples=min_samples)
    np.testing.assert_array_equal(labels, dense_dbscan(distances, eps=eps, min_samples=min_samples))


def test_clusters_are_numbered_by_their_first_core_point_not_by_their_first_member() -> None:
    # The first row is on the border of the second cluster, whose core points come later than the other's.
    distances = line(20, 0, 1, 2, 21, 22, 23)
    assert dbscan(sparse(distances, bound=9), eps=1.5, min_samples=3).tolist() == [1, 0, 0, 0, 1, 1, 1]


def test_who_is_near_two_clusters_belongs_to_the_first() -> None:
    distances = line(2.1, 2.2, 2.3, 2.4, 1.2, 0, 0.1, 0.2, 0.3)
    assert dbscan(sparse(distances, bound=9), eps=0.95, min_samples=4).tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 1]


def test_no_rows_and_one_row() -> None:
    assert dbscan(sparse(line(), bound=1), eps=0.5).tolist() == []
    assert dbscan(sparse(line(3), bound=1), eps=0.5).tolist() == [-1]
    assert dbscan(sparse(line(3), bound=1), eps=0.5, min_samples=1).tolist() == [0]


def test_wrong_numbers_are_refused() -> None:
    graph = sparse(line(0, 1), bound=1)
    with pytest.raises(DataError, match="eps is nan, expected a distance of at least 0"):
        dbscan(graph, eps=float("nan"))
    with pytest.raises(DataError, match="min_samples is 0, expected at least 1"):
        dbscan(graph, eps=0.5, min_samples=0)
    with pytest.raises(DataError, match=r"the graph has shape \(1, 2\), expected as many rows as columns"):
        dbscan(graph[:1], eps=0.5)

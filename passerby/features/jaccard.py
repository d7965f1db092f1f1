"""Jaccard distances of k-reciprocal sets (Zhong et al. 2017), in exact sparse form."""

from functools import partial

import numpy as np

from passerby.arrays import Float32Array
from passerby.errors import DataError
from passerby.features.neighbours import Neighbours
from passerby.features.ranking import Int32Array
from passerby.features.reciprocal import average_rows, encode_sets, jaccard_distances, reciprocal_sets
from passerby.features.sparse_rows import Graph, SparseArrays, sparse_rows


def jaccard_graph(
    features: Float32Array, neighbours: Neighbours, *, k1: int = 30, k2: int = 6, bound: float = 1.0
) -> Graph:
    """Distances d_J in 0-1 between unit rows `features` (n, d), where they are at most `bound` and below 1.

    What is not stored is farther; the diagonal is stored, and 0. Symmetric, deterministic.

    The recipe of SpCL and Cluster-Contrast, with `neighbours` of at least `k1` (fewer only where there are no more):
    those who have each other among their `k1` nearest, oneself included, form a set. It is expanded by the sets of its
    members among their k1/2 + 1 nearest (halves are rounded to even), where more than two thirds of such a set are in
    it. A set's weights are the softmax of -d^2 = 2 cos - 2, averaged over the `k2` nearest, oneself included; they sum
    to 1, so that d_J = 1 - s/(2 - s) with s the sum of the smaller weights of two rows.

    Raises DataError for too few neighbours, k2 over k1, and a bound out of (0, 1].
    """
    require_bound(bound)
    if not 1 <= k2 <= k1:
        raise DataError(f"k1 is {k1} and k2 is {k2}, expected 1 <= k2 <= k1")
    rows, width = neighbours.indices.shape
    if rows != len(features) or width < min(k1, rows):
        raise DataError(f"neighbours have shape {(rows, width)}, expected {(len(features), min(k1, len(features)))}")
    nearest = np.ascontiguousarray(neighbours.indices[:, :k1])
    half = reciprocal_sets(np.ascontiguousarray(nearest[:, : round(k1 / 2) + 1]))
    return overlap_graph(features, reciprocal_sets(nearest), half, nearest[:, :k2], bound=bound)


def overlap_graph(
    features: Float32Array, sets: Int32Array, halves: Int32Array, near: Int32Array, *, bound: float
) -> Graph:
    """Distances of `sets` (n, k) expanded by `halves` (n, h), with weights averaged over the rows `near` (n, k2).

    All three name rows of `features` (n, d); -1 fills up, in sets and halves at the end.
    """
    features = np.ascontiguousarray(features, np.float32)
    count = len(features)
    encoded = sparse_rows(partial(encode_sets, features, sets, halves), count, room=2 * sets.shape[1] + 1)
    if near.shape[1] > 1:
        average = partial(average_rows, SparseArrays.of(encoded), np.ascontiguousarray(near))
        encoded = sparse_rows(average, count, room=4 * sets.shape[1] + 1)
    by_row, by_column = SparseArrays.of(encoded), SparseArrays.of(encoded.tocsc())
    return sparse_rows(partial(jaccard_distances, by_row, by_column, bound), count, room=256)


def require_bound(bound: float) -> None:
    """Raise DataError unless a largest distance is in (0, 1]."""
    if not 0.0 < bound <= 1.0:
        raise DataError(f"bound is {bound}, expected a Jaccard distance over 0 and at most 1")

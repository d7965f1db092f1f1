"""DBSCAN on a sparse graph of distances."""

import numpy as np

from passerby.arrays import Int64Array
from passerby.errors import DataError
from passerby.features.compiled import compiled
from passerby.features.sparse_rows import Graph, SparseArrays


def dbscan(graph: Graph, *, eps: float, min_samples: int = 4) -> Int64Array:
    """The cluster (n,) int64 of each row of a symmetric `graph` (n, n) of distances, -1 for outliers.

    Core points have `min_samples` rows within `eps`, itself included; clusters are core points connected by steps of at
    most `eps`, numbered by their first (Ester et al. 1996). Who is near core points of several clusters belongs to the
    first of these, as in scikit-learn. Pairs that are not stored are farther than `eps`; the diagonal need not be
    stored. Raises DataError for a graph that is not square, eps below 0 or NaN, and min_samples below 1.

    >>> from scipy.sparse import csr_array
    >>> graph = csr_array(([0.2, 0.2, 0.9, 0.9], [1, 0, 2, 1], [0, 1, 3, 4]), shape=(3, 3))
    >>> dbscan(graph, eps=0.5, min_samples=2).tolist()
    [0, 0, -1]
    """
    rows, columns = graph.shape
    if rows != columns:
        raise DataError(f"the graph has shape {graph.shape}, expected as many rows as columns")
    if not eps >= 0.0:
        raise DataError(f"eps is {eps}, expected a distance of at least 0")
    if min_samples < 1:
        raise DataError(f"min_samples is {min_samples}, expected at least 1")
    labels = np.full(rows, -1, np.int64)
    eps = float(np.float32(eps)) if graph.dtype == np.float32 else eps  # As exact as what is compared with it.
    _spread(SparseArrays.of(graph), eps, min_samples, labels)
    return labels


@compiled
def _spread(graph: SparseArrays, eps: float, min_samples: int, labels: Int64Array) -> None:
    """Give each cluster its number in `labels` (n,), from its first core point on; all are -1 before."""
    core = np.zeros(len(labels), np.bool_)
    for row in range(len(labels)):
        near = 1
        for place in range(graph.pointers[row], graph.pointers[row + 1]):
            near += graph.places[place] != row and graph.values[place] <= eps
        core[row] = near >= min_samples
    waiting = np.empty(len(labels), np.int64)
    clusters = 0
    for first in range(len(labels)):
        if not core[first] or labels[first] >= 0:
            continue
        labels[first] = clusters
        waiting[0], count = first, 1
        while count:
            count -= 1
            row = waiting[count]
            for place in range(graph.pointers[row], graph.pointers[row + 1]):
                other = graph.places[place]
                if labels[other] < 0 and graph.values[place] <= eps:
                    labels[other] = clusters
                    if core[other]:
                        waiting[count] = other
                        count += 1
        clusters += 1

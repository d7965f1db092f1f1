"""Average linkage on a sparse graph: pairs that are not stored are at distance 1, the greatest there is.

The mean distance between two clusters is then 1 - the sum of the similarities stored between them / the number of their
pairs, and only stored pairs need looking at: as exact as on the full matrix, in the memory of the graph.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from passerby.arrays import Int64Array, require_shape
from passerby.errors import DataError
from passerby.features.clustering.agglomeration import FORBIDDEN, agglomerate

Float64Array = NDArray[np.float64]

_LARGEST_SUM = 2.0**62
"""Of all similarities, in whole numbers of 64 bits."""


@dataclass(frozen=True, slots=True)
class Dendrogram:
    """Who was merged with whom at which mean distance, over `nodes` nodes; the lowest merge comes first.

    `pairs` (m, 2) int64 names each of the two clusters by its first member; `heights` (m,) float64, ascending, in 0-1;
    `sizes` (m,) int64 is how many nodes there are in both together. Clusters at distance 1, or forbidden to meet, are
    not merged: m may be less than nodes - 1.
    """

    nodes: int
    pairs: Int64Array
    heights: Float64Array
    sizes: Int64Array

    def cut(self, height: float) -> Int64Array:
        """The cluster (nodes,) of each node where merges up to `height` count, numbered by first member.

        >>> tree = Dendrogram(3, np.array([[0, 2]]), np.array([0.4]), np.array([2]))
        >>> tree.cut(0.4).tolist(), tree.cut(0.3).tolist()
        ([0, 1, 0], [0, 1, 2])
        """
        return _components(self.nodes, self.pairs[: np.searchsorted(self.heights, height, side="right")])


def linkage(
    graph: "csr_array[np.float32]",
    *,
    weights: Int64Array | None = None,
    cannot_link: Int64Array | None = None,
) -> Dendrogram:
    """Merge the two nearest clusters by mean distance (UPGMA), again and again.

    `graph` is a symmetric (n, n) of distances in 0-1, where absent pairs are at distance 1 and the diagonal does not
    matter. `weights` (n,) is how many images each node stands for, 1 if not given: a mean is over pairs of images.
    `cannot_link` (k, 2) are nodes that never share a cluster, nor do clusters that hold them: where that forbids a
    merge the next nearest are taken. Equal inputs give equal results; of equal neighbours the one with the first
    member wins.

    Raises DataError for a graph that is not square and symmetric or has a distance outside 0-1, for weights below 1,
    and for pairs of nodes that do not exist.
    """
    n = _require_graph(graph)
    counts = np.ones(n) if weights is None else _require_weights(weights, n).astype(np.float64)
    rows, columns, similarities = _upper(graph)
    products = similarities * counts[rows] * counts[columns]
    scale = 2.0 ** np.floor(np.log2(_LARGEST_SUM / max(float(products.sum()), 1.0)))
    forbidden = np.zeros((0, 2), np.int32)
    if cannot_link is not None:
        forbidden = require_pairs("cannot_link", cannot_link, nodes=n).astype(np.int32)
    # Below every mean that is not 0: those at distance 1 are not merged.
    least = 0.5 / max(float(counts.sum()), 1.0) ** 2
    pairs, means, sizes = agglomerate(
        np.concatenate([rows, forbidden[:, 0]]),
        np.concatenate([columns, forbidden[:, 1]]),
        np.concatenate([np.rint(products * scale).astype(np.int64), np.full(len(forbidden), FORBIDDEN)]),
        counts,
        least,
    )
    heights = np.clip(1.0 - means / scale, 0.0, 1.0)
    order = np.argsort(heights, kind="stable")
    return Dendrogram(n, pairs[order], heights[order], sizes[order])


def drop_small(labels: Int64Array, *, min_images: int, weights: Int64Array | None = None) -> Int64Array:
    """Labels (n,) with -1 for clusters of fewer than `min_images` images, the others numbered anew in the same order.

    `weights` (n,) is how many images each node stands for, 1 if not given.

    >>> drop_small(np.array([0, 1, 1, 2, -1, 2]), min_images=2).tolist()
    [-1, 0, 0, 1, -1, 1]
    """
    inside = labels >= 0
    images = np.bincount(labels[inside], weights=None if weights is None else weights[inside])
    kept = images >= max(min_images, 1)
    numbers = np.where(kept, np.cumsum(kept) - 1, -1)
    result = np.full(len(labels), -1, np.int64)
    result[inside] = numbers[labels[inside]]
    return result


def require_pairs(name: str, pairs: Int64Array, *, nodes: int) -> Int64Array:
    """The pairs (k, 2) as they are; DataError for another shape, a node that does not exist, or one with itself."""
    require_shape(name, pairs, (None, 2))
    outside = ((pairs < 0) | (pairs >= nodes)).any(axis=1) | (pairs[:, 0] == pairs[:, 1])
    if outside.any():
        first, second = pairs[outside.argmax()].tolist()
        raise DataError(f"{name} has the pair ({first}, {second}), expected two different numbers of 0 to {nodes - 1}")
    return pairs.astype(np.int64, copy=False)


def _require_graph(graph: "csr_array[np.float32]") -> int:
    rows, columns = graph.shape
    if rows != columns:
        raise DataError(f"the graph has shape {graph.shape}, expected as many rows as columns")
    bad = ~((graph.data >= 0.0) & (graph.data <= 1.0))  # NaN is neither
    if bad.any():
        raise DataError(f"the graph has the distance {graph.data[bad.argmax()]}, expected 0 to 1")
    return int(rows)


def _require_weights(weights: Int64Array, n: int) -> Int64Array:
    require_shape("weights", weights, (n,))
    if n and weights.min() < 1:
        raise DataError(f"a node has the weight {weights.min()}, expected the number of its images, at least 1")
    return weights


def _upper(graph: "csr_array[np.float32]") -> tuple[NDArray[np.int32], NDArray[np.int32], Float64Array]:
    """Row, column and similarity of the pairs above the diagonal, which stand for those below."""
    index = graph.tocoo()
    above = index.col > index.row
    if 2 * np.count_nonzero(above) + np.count_nonzero(index.col == index.row) != graph.nnz:
        raise DataError("the graph has different pairs above and below the diagonal, expected a symmetric graph")
    rows, columns = index.row[above].astype(np.int32), index.col[above].astype(np.int32)
    return rows, columns, 1.0 - index.data[above].astype(np.float64)


def _components(n: int, pairs: Int64Array) -> Int64Array:
    joined = coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, labels = connected_components(joined, directed=False)
    _, first, dense = np.unique(labels, return_index=True, return_inverse=True)
    renumbered: Int64Array = np.argsort(np.argsort(first))[dense].astype(np.int64)
    return renumbered

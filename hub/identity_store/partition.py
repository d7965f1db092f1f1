"""How a large store is cut into cells: k-means centroids, and when they are made anew."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from hub.identity_store.codes import grid_of
from hub.identity_store.rows import FrozenRows
from passerby.arrays import Float32Array, Int64Array, require_shape

FLAT_ROWS = 32_768
"""Below this many prototypes there are no cells: comparing with everything takes about a millisecond."""

_SAMPLES_PER_CELL = 20
_ITERATIONS = 4

_LEAST_OF_A_MEAN = 8
"""Prototypes of the sample, which is itself a fraction of all. There are 20 a cell on average, so some cells remain."""

_NEAR_TIE = 1e-5


@dataclass(frozen=True, slots=True)
class Partition:
    """`centroids` (c, d) float32 unit rows; a vector belongs to the cell of the most similar one.

    `trained_at` is how many prototypes there were; `grid` (2, d) float32 is that of the codes of vectors.
    """

    centroids: Float32Array
    trained_at: int
    grid: Float32Array

    def __post_init__(self) -> None:
        require_shape("grid", self.grid, (2, self.centroids.shape[1]))

    def __len__(self) -> int:
        return len(self.centroids)

    @property
    def probes(self) -> int:
        """How many cells a search looks into: what finds 96% of the 64 nearest or more (docs/operating.md).

        Many, as embeddings of strangers are nearly as far from each other as vectors can be; fewer of more cells. What
        is not found is as far as what is, and of many alike that speak against each other.
        """
        return min(len(self), math.ceil(1.4 * math.pow(len(self), 0.74)))

    def assign(self, vectors: Float32Array) -> Int64Array:
        """The cell (n,) of each vector (n, d), whatever stands beside it."""
        return nearest(vectors, self.centroids)


def nearest(vectors: Float32Array, centroids: Float32Array) -> Int64Array:
    """The centroid (n,), of (c, d), that each vector (n, d) is most similar to, whatever stands beside it."""
    import faiss

    similarities, found = faiss.knn(vectors, centroids, min(2, len(centroids)), metric=faiss.METRIC_INNER_PRODUCT)
    chosen: Int64Array = np.ascontiguousarray(found[:, 0])
    if len(centroids) > 1:
        # A matrix product rounds by where a row stands in it: near ties are decided on each row's own.
        for row in np.flatnonzero(similarities[:, 0] - similarities[:, 1] < _NEAR_TIE).tolist():
            exact = (centroids.astype(np.float64) * vectors[row].astype(np.float64)).sum(axis=1)
            chosen[row] = int(exact.argmax())
    return chosen


def cells_for(count: int) -> int:
    """About 1.75 sqrt(n) cells, as a power of two; 1 where there is nothing to gain.

    >>> [cells_for(n) for n in (1_000, 50_000, 100_000, 300_000, 1_000_000)]
    [1, 512, 512, 1024, 2048]
    """
    doublings = 0 if count < FLAT_ROWS else round(math.log2(1.75 * math.sqrt(count)))
    return int(1 << doublings)


def train(rows: FrozenRows) -> Partition:
    """Centroids and grid of these prototypes: the same for the same ids and vectors, wherever they lie.

    k-means in two levels on unit vectors, of a sample spread over the ids: a quarter of a second among a million, where
    one level would take seconds. Each centroid is the mean of several prototypes, so that it shows nobody.
    """
    cells = cells_for(len(rows))
    sample = _sample(rows, _SAMPLES_PER_CELL * cells)
    groups = _k_means(sample, 1 << (cells.bit_length() // 2))
    group = nearest(sample, groups)
    centroids = []
    for number in range(len(groups)):
        members = sample[group == number]
        if len(members):
            share = round(cells * len(members) / len(sample))
            some = _k_means(members, min(max(1, share), len(members)))
            of_each = np.bincount(nearest(members, some), minlength=len(some))
            centroids.append(some[of_each >= _LEAST_OF_A_MEAN])
    return Partition(np.concatenate(centroids), len(rows), grid_of(sample))


def _sample(rows: FrozenRows, wanted: int) -> Float32Array:
    ids = rows.all_ids()
    occupied = np.flatnonzero(ids >= 0)
    by_id = occupied[np.argsort(ids[occupied])]
    return rows.vectors_at(by_id[:: max(1, len(by_id) // wanted)])


def _k_means(rows: Float32Array, k: int) -> Float32Array:
    import faiss

    clustering: Any = faiss.Kmeans(
        rows.shape[1],
        k,
        niter=_ITERATIONS,
        seed=1,
        spherical=True,
        min_points_per_centroid=1,
        max_points_per_centroid=len(rows),
    )
    clustering.train(np.ascontiguousarray(rows))
    centroids: Float32Array = clustering.centroids
    return centroids

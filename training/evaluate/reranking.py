"""Re-ranking with k-reciprocal neighbours, in sparse form, as three families of toolboxes compute it.

Zhong et al., Re-ranking Person Re-identification with k-reciprocal Encoding, CVPR 2017. Every image is described by the
neighbours that have it as a neighbour too (its encoding: weights that sum to 1); two images are near if their encodings
overlap. What toolboxes differ in stands in `Reranking`. No matrix of all images by all images is ever there.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from passerby.arrays import Float32Array, Int64Array, require_shape
from training.evaluate.distances import PAIRS_AT_ONCE, row_blocks

RerankingName: TypeAlias = Literal["zhong", "layumi", "faiss"]

_ROWS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class Reranking:
    """One toolbox's way: how far two images are to begin with, and how many neighbours are asked.

    The original distance of unit vectors is their squared Euclidean distance 2 - 2 cos, to the power of `power`, and
    with `scaled` divided by the largest of the image's row. Neighbours are the nearest images, the image itself among
    them: `k1`, with `beside_itself` one more; half of `k1` and one for the expansion; `k2` for the averaging.
    The result is (1 - `original_share`) Jaccard distance + `original_share` original distance.
    """

    power: int
    scaled: bool
    beside_itself: bool
    k1: int = 20
    k2: int = 6
    original_share: float = 0.3

    @property
    def neighbours(self) -> int:
        """How many of an image's nearest must be mutual."""
        return self.k1 + 1 if self.beside_itself else self.k1

    @property
    def half_neighbours(self) -> int:
        """The same for the neighbours' own neighbours."""
        return round(self.k1 / 2) + 1


RERANKINGS: dict[RerankingName, Reranking] = {
    "zhong": Reranking(power=1, scaled=True, beside_itself=True),
    "layumi": Reranking(power=2, scaled=True, beside_itself=True),
    "faiss": Reranking(power=1, scaled=False, beside_itself=False),
}
"""`zhong`: the paper's code and torchreid's function, given Euclidean distances. `layumi`: squares the squared distance
(so does torchreid's own engine, which gives its function squared distances). `faiss`: OpenUnReID and its family."""


class RerankedDistances:
    """Distances of queries to the gallery after re-ranking; computed a few queries at a time, anew at each call.

    `features` (n, d) float32 of unit length are all images, each once; `query` (q,) and `gallery` (g,) int64 say which
    of them search and which are searched, and may overlap. Ties stay in the order of `features`. Memory is a few
    hundred numbers an image.
    """

    def __init__(
        self,
        features: Float32Array,
        how: Reranking,
        *,
        query: Int64Array,
        gallery: Int64Array,
        pairs_at_once: int = PAIRS_AT_ONCE,
    ) -> None:
        require_shape("features", features, (None, None))
        self._features, self._how = features, how
        self._query, self._gallery = query, gallery
        self._largest = np.ones(len(features), np.float32)
        ranking = self._nearest(pairs_at_once)
        encodings = _averaged(self._encodings(ranking), ranking[:, : how.k2])
        self._of_query = encodings[query]
        self._of_gallery = sparse.csc_array(encodings[gallery])

    def __call__(self, rows: slice) -> Float32Array:
        """(r, g) float32 of the queries in `rows`."""
        query = self._query[rows]
        overlaps = np.empty((len(query), len(self._gallery)))
        for overlap, row in zip(overlaps, range(*rows.indices(len(self._query))), strict=True):
            overlap[:] = self._overlaps(row)
        jaccard = 1 - overlaps / (2 - overlaps)  # rows of encodings sum to 1
        original = self._original(query, self._features[self._gallery])
        share = self._how.original_share
        return np.asarray((1 - share) * jaccard + share * original, np.float32)

    def _original(self, rows: Int64Array | slice, others: Float32Array) -> Float32Array:
        """(r, m) float32: from the images `rows` to `others` (m, d)."""
        return self._transformed(self._features[rows] @ others.T) / self._largest[rows, np.newaxis]

    def _transformed(self, cosines: Float32Array) -> Float32Array:
        squared = np.maximum(2 - 2 * cosines, 0)
        return squared if self._how.power == 1 else squared**self._how.power

    def _nearest(self, pairs_at_once: int) -> Int64Array:
        """(n, k) int64: the images nearest to each, nearest first; `_largest` is found on the way."""
        n = len(self._features)
        ranking = np.empty((n, min(self._how.neighbours, n)), np.int64)
        for rows in row_blocks(n, columns=n, pairs_at_once=pairs_at_once):
            distances = self._transformed(self._features[rows] @ self._features.T)
            if self._how.scaled:
                largest = distances.max(axis=1)
                self._largest[rows] = np.where(largest > 0, largest, 1)
                distances /= self._largest[rows, np.newaxis]
            ranking[rows] = _stable_nearest(distances, ranking.shape[1])
        return ranking

    def _encodings(self, ranking: Int64Array) -> sparse.csr_array:
        """(n, n): row i weighs the expanded k-reciprocal neighbours of image i by exp(-distance); rows sum to 1."""
        mutual = _mutual(ranking)
        half = _mutual(ranking[:, : self._how.half_neighbours])
        half_sizes = half.sum(axis=1)
        parts = []
        for start in range(0, len(ranking), _ROWS_AT_ONCE):
            own = mutual[start : start + _ROWS_AT_ONCE]
            shared = sparse.coo_array((own @ half).multiply(own))  # `half` is symmetric: common members
            taken = 3 * shared.data > 2 * half_sizes[shared.col]
            candidates = sparse.csr_array((shared.data[taken], (shared.row[taken], shared.col[taken])), own.shape)
            candidates.data[:] = 1
            expanded = sparse.coo_array(own + candidates @ half)
            weights = np.exp(-self._between(expanded.row + start, expanded.col))
            totals = np.bincount(expanded.row, weights=weights, minlength=own.shape[0])
            parts.append(sparse.csr_array((weights / totals[expanded.row], (expanded.row, expanded.col)), own.shape))
        return sparse.csr_array(sparse.vstack(parts)) if parts else mutual

    def _between(self, rows: NDArray[np.integer], columns: NDArray[np.integer]) -> NDArray[np.float64]:
        """(m,): the original distances of m pairs."""
        distances = np.empty(len(rows))
        for part in row_blocks(len(rows), columns=self._features.shape[1], pairs_at_once=PAIRS_AT_ONCE):
            left, right = self._features[rows[part]], self._features[columns[part]]
            cosines = np.einsum("ij,ij->i", left, right)
            distances[part] = self._transformed(cosines) / self._largest[rows[part]]
        return distances

    def _overlaps(self, row: int) -> NDArray[np.float64]:
        """(g,): what the encodings of a query and of each gallery image share, the sum of the smaller weights."""
        first, last = self._of_query.indptr[row : row + 2]
        starts = self._of_gallery.indptr[self._of_query.indices[first:last]]
        lengths = self._of_gallery.indptr[self._of_query.indices[first:last] + 1] - starts
        ends = np.cumsum(lengths)
        entries = np.arange(lengths.sum()) + np.repeat(starts - (ends - lengths), lengths)
        smaller = np.minimum(np.repeat(self._of_query.data[first:last], lengths), self._of_gallery.data[entries])
        shared = np.bincount(self._of_gallery.indices[entries], weights=smaller, minlength=len(self._gallery))
        return np.asarray(shared, np.float64)


def _stable_nearest(distances: Float32Array, count: int) -> Int64Array:
    """(r, count): the columns of the smallest of each row, rising; of equal ones the first columns."""
    if count == distances.shape[1]:
        return np.argsort(distances, axis=1, kind="stable")
    found = np.sort(np.argpartition(distances, count - 1, axis=1)[:, :count], axis=1)
    kept = np.take_along_axis(distances, found, axis=1)
    order = np.argsort(kept, axis=1, kind="stable")
    nearest = np.take_along_axis(found, order, axis=1)
    # Where the last place is tied, the partition took any of them.
    tied = np.count_nonzero(distances <= kept.max(axis=1, keepdims=True), axis=1) > count
    nearest[tied] = np.argsort(distances[tied], axis=1, kind="stable")[:, :count]
    return nearest


def _chosen(ranking: Int64Array, weight: float) -> sparse.csr_array:
    """(n, n) with `weight` at (i, j) for each j in row i of `ranking` (n, k)."""
    n, count = ranking.shape
    starts = np.arange(0, ranking.size + 1, max(count, 1)) if count else np.zeros(n + 1, np.int64)
    return sparse.csr_array((np.full(ranking.size, weight), ranking.ravel(), starts), (n, n))


def _mutual(ranking: Int64Array) -> sparse.csr_array:
    """(n, n) with 1 where i is among the neighbours of j and j among those of i."""
    forward = _chosen(ranking, 1)
    return sparse.csr_array(forward.multiply(forward.T))


def _averaged(encodings: sparse.csr_array, nearest: Int64Array) -> sparse.csr_array:
    """Each row the mean of the rows `nearest` (n, k2) names: local query expansion."""
    return sparse.csr_array(_chosen(nearest, 1 / max(1, nearest.shape[1])) @ encodings)

"""Who may be among a row's nearest, by FAISS: flat in float32, or by rows quantized to half a byte per two axes.

Quantized rows are compared by table look-ups in registers, several times as fast as products; of the candidates the
true similarities then tell. Cells (IVF) alone lose where people are spread evenly over many axes: of the 30 nearest of
100,000 such rows, of which 14 are strangers, probing half of all cells finds 94%, in more time than comparing all.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from passerby.arrays import Float32Array, Int64Array
from passerby.features.ranking import Int32Array

_ROWS_AT_ONCE = 16_384
_TRAINED_ON = 20_000
_COMPARED_WITH = 250_000
"""Beyond twice so many rows a row is compared only with the cells nearest to it, which hold about so many."""
_CELLS = 1024
_MOST_CANDIDATES = 1024
_WANTED_RECALL = 0.995
"""What the number of candidates is chosen for; a little is lost between one sample and all rows."""
_SEED = 1234


def most_similar(queries: Float32Array, features: Float32Array, k: int) -> Int64Array:
    """The indices (q, k) of the rows of `features` (n, d) with the largest inner products; k is at most n."""
    import faiss

    _, found = faiss.knn(queries, features, k, metric=faiss.METRIC_INNER_PRODUCT)
    indices: Int64Array = found
    return indices


class QuantizedRows:
    """The quantized form of `features` (n, d), which finds candidates; deterministic."""

    def __init__(self, features: Float32Array) -> None:
        import faiss

        self._features = features
        rows, axes = features.shape
        parts = min(256, axes if axes < 128 else axes // 2)
        self._axes = -(-axes // parts) * parts
        self._index: Any
        if rows > 2 * _COMPARED_WITH:
            cells = faiss.IndexFlatIP(self._axes)
            self._index = faiss.IndexIVFPQFastScan(cells, self._axes, _CELLS, parts, 4, faiss.METRIC_INNER_PRODUCT)
            self._index.by_residual = False
            self._index.cp.niter, self._index.cp.spherical = 8, True
            self._index.nprobe = _CELLS * _COMPARED_WITH // rows
        else:
            self._index = faiss.IndexPQFastScan(self._axes, parts, 4, faiss.METRIC_INNER_PRODUCT)
        trained_on = sample_of(rows, count=_TRAINED_ON if rows <= 2 * _COMPARED_WITH else 64 * _CELLS)
        threads = faiss.omp_get_max_threads()
        faiss.omp_set_num_threads(1)  # Its many small steps take seconds where threads wait for a core, one without.
        try:
            self._index.train(self._padded(trained_on))
        finally:
            faiss.omp_set_num_threads(threads)
        for some in self._blocks():
            self._index.add(self._padded(some))
        self.count = _MOST_CANDIDATES
        """Candidates a row."""

    def tune(self, rows: Int64Array, truth: Int32Array) -> bool:
        """Take as few candidates as hold nearly all that there are in `truth` (m, k) of the sample `rows` (m,).

        False where so many would have to be compared that an exact search is the better one: much is alike, as where
        cameras give everybody their colours, and half a byte does not tell it apart. Never of more rows than an exact
        search takes minutes for.
        """
        self.count = min(_MOST_CANDIDATES, len(self._features))
        _, candidates = self._index.search(self._padded(rows), self.count)
        places = np.full(truth.shape, self.count)
        for number, (true, found) in enumerate(zip(truth, candidates, strict=True)):
            _, at, where = np.intersect1d(true, found, return_indices=True)
            places[number, at] = where
        places = places[truth >= 0]
        found = places[places < self.count]
        worst = np.quantile(found, _WANTED_RECALL, method="higher")
        self.count = max(truth.shape[1], int(worst) + 1)
        enough = len(found) >= _WANTED_RECALL * len(places)
        return enough or len(self._features) > 2 * _COMPARED_WITH

    def all_rows(self) -> Iterator[tuple[Int64Array, Int64Array]]:
        """Some ascending rows (m,) and their candidates (m, count), oneself among them, -1 where there are fewer."""
        for rows in self._blocks():
            _, candidates = self._index.search(self._padded(rows), self.count)
            missing = ~(candidates == rows[:, None]).any(axis=1)
            candidates[missing, -1] = rows[missing]
            yield rows, candidates

    def _blocks(self) -> Iterator[Int64Array]:
        for start in range(0, len(self._features), _ROWS_AT_ONCE):
            yield np.arange(start, min(start + _ROWS_AT_ONCE, len(self._features)))

    def _padded(self, rows: Int64Array) -> Float32Array:
        """Rows with zeros up to the number of axes that divides into parts."""
        padded = np.zeros((len(rows), self._axes), np.float32)
        padded[:, : self._features.shape[1]] = self._features[rows]
        return padded


def sample_of(rows: int, *, count: int, seed: int = _SEED) -> Int64Array:
    """At most `count` of so many rows, ascending."""
    chosen: Int64Array = np.sort(np.random.default_rng(seed).permutation(rows)[:count])
    return chosen


def recall_of(truth: Int32Array, found: Int32Array) -> float:
    """The share of what there is in `truth` (m, k), -1 where there is nothing, that is also in `found` (m, l)."""
    hits = sum(len(np.intersect1d(true[true >= 0], row)) for true, row in zip(truth, found, strict=True))
    return hits / max(1, int((truth >= 0).sum()))

"""Nearest neighbours of unit rows: exact, or so many candidates from quantized rows that nearly all are found."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from passerby.arrays import Float32Array, Int64Array, require_shape
from passerby.errors import DataError
from passerby.features.candidates import QuantizedRows, most_similar, recall_of, sample_of
from passerby.features.ranking import ANY, Int32Array, rank_candidates, rank_everything

Search: TypeAlias = Literal["auto", "exact", "approximate"]
"""auto: approximate from APPROXIMATE_FROM rows on, exact below."""

APPROXIMATE_FROM = 100_000
MARGIN = 8
"""Neighbours searched in float32 beyond those wanted; with them the order in float64 is right."""
SAMPLE = 512
"""Rows whose neighbours are searched exactly to see how many of them are found; half of them tune the search."""
_FEW = 10_000
_ROWS_AT_ONCE = 16_384


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest rows by cosine similarity, the row itself first, then falling, equal ones by index.

    `indices` (n, k) int32. `recall` (0-1) is the share of the true neighbours found, as measured on a sample of rows;
    1 for an exact search.
    """

    indices: Int32Array
    recall: float


def nearest_neighbours(features: Float32Array, k: int, *, search: Search = "auto") -> Neighbours:
    """The `k` nearest of unit rows `features` (n, d), oneself among them; all n where there are fewer than `k`.

    Deterministic. Raises DataError for another shape, NaN, infinity, rows that are not of unit length, and k < 1.

    >>> rows = np.array([[1, 0], [0, 1], [0.8, 0.6], [1, 0]], np.float32)
    >>> nearest_neighbours(rows, 3).indices.tolist()
    [[0, 3, 2], [1, 2, 0], [2, 0, 3], [3, 0, 2]]
    """
    features = require_unit_rows(features)
    if k < 1:
        raise DataError(f"k is {k}, expected at least 1 neighbour")
    k = min(k, len(features))
    found = np.empty((len(features), k), np.int32)
    if is_approximate(search, len(features)):
        quantized = QuantizedRows(features)
        sample = sample_of(len(features), count=SAMPLE)
        truth = _exact(features, sample, k)
        if quantized.tune(sample[::2], truth[::2]):
            for rows, candidates in quantized.all_rows():
                rank_candidates(features, rows, candidates, found[rows[0] : rows[-1] + 1], True)
            return Neighbours(found, recall_of(truth[1::2], found[sample[1::2]]))
    for start in range(0, len(features), _ROWS_AT_ONCE):
        rows = np.arange(start, min(start + _ROWS_AT_ONCE, len(features)))
        found[rows] = _exact(features, rows, k)
    return Neighbours(found, 1.0)


def is_approximate(search: Search, rows: int) -> bool:
    """Whether so many rows are searched approximately, if that does; few never are, as it would not be faster."""
    return rows >= (APPROXIMATE_FROM if search == "auto" else _FEW) and search != "exact"


def require_unit_rows(features: Float32Array) -> Float32Array:
    """`features` (n, d) as contiguous float32. Raises DataError unless all rows are finite and of length 1."""
    require_shape("features", features, (None, None))
    features = np.ascontiguousarray(features, np.float32)
    lengths = np.sqrt(np.einsum("nd,nd->n", features, features))
    wrong = np.flatnonzero(~(np.abs(lengths - 1.0) < 1e-3))
    if len(wrong):
        raise DataError(
            f"row {wrong[0]} of features has length {lengths[wrong[0]]:.4g}, expected 1: scale rows with l2_normalize, "
            "and leave out those that are zero or not finite"
        )
    return features


def _exact(features: Float32Array, rows: Int64Array, k: int) -> Int32Array:
    """The neighbours (m, k) of `rows` (m,)."""
    found = np.empty((len(rows), k), np.int32)
    fetched = min(k + MARGIN, len(features))
    candidates = most_similar(features[rows], features, fetched)
    ambiguous = rank_candidates(features, rows, candidates, found, fetched == len(features))
    if ambiguous.any():
        again = np.empty((int(ambiguous.sum()), k), np.int32)
        rank_everything(features, np.empty(0, np.int64), ANY, rows[ambiguous], again)
        found[ambiguous] = again
    return found

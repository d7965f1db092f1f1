"""Cosine similarities, the same to the last bit however many are asked for together."""

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, Int64Array

_AT_ONCE = 4096
"""Pairs that are computed together: 8 MB of 257 axes in double precision."""


def cosine_similarities(rows: Float32Array, columns: Float32Array) -> NDArray[np.float64]:
    """Cosine similarities (n, m) float64 of unit rows (n, d) and (m, d).

    Each is a sum over one row on its own, so that it does not depend on how many are computed together, as a matrix
    product may: a replay must find the same to the last bit.
    """
    wide = columns.astype(np.float64)
    out = np.empty((len(rows), len(columns)))
    for index, row in enumerate(rows.astype(np.float64)):
        out[index] = (wide * row).sum(axis=1)
    return out


def similarities_of_pairs(
    first: Float32Array, second: Float32Array, *, rows: Int64Array, columns: Int64Array
) -> NDArray[np.float64]:
    """`cosine_similarities` of k pairs alone, (k,): unit row `rows[i]` of `first` with `columns[i]` of `second`."""
    values = np.empty(len(rows))
    for start in range(0, len(rows), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        left, right = first[rows[some]].astype(np.float64), second[columns[some]].astype(np.float64)
        values[some] = (left * right).sum(axis=1)
    return values

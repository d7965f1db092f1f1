"""Cosine similarities, the same to the last bit however many are asked for together."""

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array


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

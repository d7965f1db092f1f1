"""Rows of people who are not there, for the tests of neighbours and clusters."""

import numpy as np

from passerby.arrays import Float32Array, Int64Array, l2_normalize


def crowd(count: int, *, axes: int = 16, each: int = 8, noise: float = 0.7, seed: int = 0) -> Float32Array:
    """Unit rows (count, axes), `each` of one person, in a random order."""
    draw = np.random.default_rng(seed)
    people = draw.permutation(np.arange(count) // each)
    centres = draw.standard_normal((count // each + 1, axes))
    return l2_normalize(centres[people] + noise * draw.standard_normal((count, axes)))


def with_duplicates(rows: Float32Array) -> Float32Array:
    """The same with a third of them alike, and with two more pairs."""
    rows = rows.copy()
    rows[len(rows) // 2 : len(rows) // 2 + len(rows) // 3] = rows[0]
    rows[-1], rows[1] = rows[2], rows[3]
    return rows


def cameras_of(count: int, *, cameras: int = 4, seed: int = 0) -> Int64Array:
    """A camera of each row, some with few rows."""
    chosen: Int64Array = np.random.default_rng(seed).geometric(1.5 / cameras, count).astype(np.int64) % cameras
    return chosen

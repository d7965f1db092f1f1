"""Consecutive numbers from many places on, as flat arrays."""

import numpy as np

from passerby.arrays import Int64Array


def ranges(begins: Int64Array, counts: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Which range (n,), and what is in it (n,), for ranges of so many numbers from `begins` (k,) on.

    >>> [part.tolist() for part in ranges(np.array([7, 0, 3]), np.array([2, 0, 1]))]
    [[0, 0, 2], [7, 8, 3]]
    """
    which = np.repeat(np.arange(len(counts)), counts)
    return which, np.arange(len(which)) + (begins - (np.cumsum(counts) - counts))[which]

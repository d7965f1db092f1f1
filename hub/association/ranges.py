"""Many ranges of rows at once: what is in them, and what they come to."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Int64Array

_Number = TypeVar("_Number", np.float64, np.int64)


def ranges(begins: Int64Array, counts: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Which range (n,), and what is in it (n,), for ranges of so many numbers from `begins` (k,) on.

    >>> [part.tolist() for part in ranges(np.array([7, 0, 3]), np.array([2, 0, 1]))]
    [[0, 0, 2], [7, 8, 3]]
    """
    which = np.repeat(np.arange(len(counts)), counts)
    return which, np.arange(len(which)) + (begins - (np.cumsum(counts) - counts))[which]


def reduced(add: np.ufunc, rows: NDArray[_Number], *, begins: Int64Array) -> NDArray[_Number]:
    """`add.reduceat(rows, begins, axis=0)` of rows (n, d) in ranges (k,) that are not empty, in the order of each.

    Row by row, as `reduceat` goes column by column: ten times as fast where rows are long and ranges short.

    >>> reduced(np.add, np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), begins=np.array([0, 2])).tolist()
    [[4.0, 6.0], [5.0, 6.0]]
    """
    sizes = np.diff(np.append(begins, len(rows)))
    found = rows[begins]
    for place in range(1, int(sizes.max(initial=0))):
        longer = np.flatnonzero(sizes > place)
        found[longer] = add(found[longer], rows[begins[longer] + place])
    return found

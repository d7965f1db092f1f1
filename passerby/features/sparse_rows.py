"""Sparse matrices row by row from compiled loops that do not know beforehand how long a row gets."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

from passerby.arrays import Float32Array, Int64Array
from passerby.features.ranking import Int32Array

Graph: TypeAlias = csr_array[Any, tuple[int, int]]
"""(n, n) float32 with ascending columns in each row; what is not stored is no zero but unknown or far."""


class SparseArrays(NamedTuple):
    """A sparse matrix for compiled loops: line i, a row or a column, has `places` and `values` from pointers[i] on."""

    pointers: NDArray[np.integer]
    places: Int32Array
    values: Float32Array

    @classmethod
    def of(cls, matrix: csr_array | csc_array) -> "SparseArrays":
        """The same arrays: rows of a CSR, columns of a CSC matrix."""
        return cls(matrix.indptr, matrix.indices, matrix.data)


class Room(NamedTuple):
    """Where a compiled loop writes rows: `places` (m, room), ascending, and `values` (m, room)."""

    places: Int32Array
    values: Float32Array


RowFiller: TypeAlias = Callable[[int, Room], Int64Array]
"""Fills rows from the one of a number on, and gives how long they are (m,): a row that has no room is only counted."""

_ENTRIES_AT_ONCE = 4_000_000
_LEAST_ROWS = 1024


def sparse_rows(fill: RowFiller, count: int, *, room: int) -> Graph:
    """The (count, count) matrix of the rows that `fill` gives, in little more memory than its own.

    `room` is a guess how long a row may be, at least 1; where it is too small, some rows are filled once more.
    """
    pointers = np.zeros(count + 1, np.int64)
    columns: list[NDArray[np.int32]] = [np.empty(0, np.int32)]
    values: list[NDArray[np.float32]] = [np.empty(0, np.float32)]
    start = 0
    while start < count:
        rows = min(max(_LEAST_ROWS, _ENTRIES_AT_ONCE // room), count - start)
        some, lengths = _filled(fill, start, rows, room)
        if lengths.max() > room:
            room = int(lengths.max())
            some, lengths = _filled(fill, start, rows, room)
        filled = np.arange(room) < lengths[:, None]
        columns.append(some.places[filled])
        values.append(some.values[filled])
        pointers[start + 1 : start + rows + 1] = lengths
        start += rows
    np.cumsum(pointers, out=pointers)
    small = pointers[-1] <= np.iinfo(np.int32).max  # Else SciPy widens the columns, too.
    return csr_array(
        (np.concatenate(values), np.concatenate(columns), pointers.astype(np.int32) if small else pointers),
        shape=(count, count),
    )


def _filled(fill: RowFiller, start: int, rows: int, room: int) -> tuple[Room, Int64Array]:
    some = Room(np.empty((rows, room), np.int32), np.empty((rows, room), np.float32))
    return some, fill(start, some)

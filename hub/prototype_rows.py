"""Vectors under numbers in one array, so that many are picked at once."""

from collections.abc import Sequence

import numpy as np

from hub.records import TrackletNumber
from passerby.arrays import Float32Array

_FIRST_ROWS = 64


class PrototypeRows:
    """Vectors (d,) float32 by number. Places that become free are used again; an array that is full grows by a quarter.

    A vector that is removed or replaced is overwritten at once.
    """

    def __init__(self, dimension: int) -> None:
        self._rows = np.zeros((_FIRST_ROWS, dimension), np.float32)
        self._places: dict[TrackletNumber, int] = {}
        self._free: list[int] = []

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, number: TrackletNumber) -> bool:
        return number in self._places

    def put(self, numbers: Sequence[TrackletNumber], vectors: Float32Array) -> None:
        """Add the vectors (n, d) of distinct numbers, or replace them."""
        places = [self._place(number) for number in numbers]
        if len(self._places) + len(self._free) > len(self._rows):
            rows = np.zeros((self._capacity(), self._rows.shape[1]), np.float32)
            rows[: len(self._rows)] = self._rows
            self._rows = rows
        self._rows[places] = vectors

    def remove(self, number: TrackletNumber) -> None:
        """Remove the vector of a number, if there is one."""
        place = self._places.pop(number, None)
        if place is None:
            return
        self._rows[place] = 0.0
        self._free.append(place)

    def rows(self, numbers: Sequence[TrackletNumber]) -> Float32Array:
        """The vectors (n, d) of these numbers, a new array. Raises KeyError if there is none of one."""
        return self._rows[[self._places[number] for number in numbers]]

    def _place(self, number: TrackletNumber) -> int:
        place = self._places.get(number)
        if place is None:
            place = self._places[number] = self._free.pop() if self._free else len(self._places)
        return place

    def _capacity(self) -> int:
        """Room for all places, and for a quarter more."""
        wanted = len(self._places) + len(self._free)
        return max(wanted + wanted // 4, 2 * _FIRST_ROWS)

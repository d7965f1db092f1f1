"""Vectors under numbers in one array, so that many are picked at once."""

from collections.abc import Sequence

import numpy as np

from hub.records import TrackletNumber
from passerby.arrays import Float32Array

_FIRST_ROWS = 64


class PrototypeRows:
    """Vectors (d,) float32 by number. Places that become free are used again; the array doubles when it is full.

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

    def put(self, number: TrackletNumber, vector: Float32Array) -> None:
        """Add the vector of a number, or replace it."""
        place = self._places.get(number)
        if place is None:
            place = self._places[number] = self._free.pop() if self._free else len(self._places)
        if place == len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        self._rows[place] = vector

    def remove(self, number: TrackletNumber) -> None:
        """Remove the vector of a number. Raises KeyError if there is none."""
        place = self._places.pop(number)
        self._rows[place] = 0.0
        self._free.append(place)

    def rows(self, numbers: Sequence[TrackletNumber]) -> Float32Array:
        """The vectors (n, d) of these numbers, a new array. Raises KeyError if there is none of one."""
        return self._rows[[self._places[number] for number in numbers]]

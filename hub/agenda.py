"""Which things come next by time, without looking at all of them."""

import heapq
from typing import Generic, TypeVar

_K = TypeVar("_K", bound=int)

_SPARE = 64
"""So many outdated entries are always allowed, beside as many as there are valid ones."""


class Agenda(Generic[_K]):
    """Numbers with a time each. What it answers depends on its contents alone, not on how they came about.

    A binary heap whose outdated entries are skipped when they come up, and swept out when they are the majority:
    every operation takes logarithmic time on average, and memory is proportional to the number of keys.

    >>> agenda = Agenda[int]()
    >>> agenda.put(7, at=30), agenda.put(8, at=10), agenda.put(7, at=20)
    (None, None, None)
    >>> agenda.earliest, agenda.until(20), agenda.until(19)
    (10, [8, 7], [8])
    """

    def __init__(self) -> None:
        self._times: dict[_K, int] = {}
        self._heap: list[tuple[int, _K]] = []

    def __len__(self) -> int:
        return len(self._times)

    def put(self, key: _K, *, at: int) -> None:
        """Add a key, or give it another time."""
        if self._times.get(key) != at:
            self._times[key] = at
            heapq.heappush(self._heap, (at, key))
            if len(self._heap) > 2 * len(self._times) + _SPARE:
                self._heap = sorted((at, key) for key, at in self._times.items())

    def discard(self, key: _K) -> None:
        """Remove a key, if it is there."""
        self._times.pop(key, None)

    @property
    def earliest(self) -> int | None:
        """The first time; None if there is nothing."""
        while self._heap:
            at, key = self._heap[0]
            if self._times.get(key) == at:
                return at
            heapq.heappop(self._heap)
        return None

    def until(self, limit: int) -> list[_K]:
        """The keys with times up to and including `limit`, by time, then by key. They stay."""
        found: list[tuple[int, _K]] = []
        while self._heap and self._heap[0][0] <= limit:
            entry = heapq.heappop(self._heap)
            # A key that was given this very time twice has two equal entries, of which one is enough.
            if self._times.get(entry[1]) == entry[0] and (not found or found[-1] != entry):
                found.append(entry)
        for entry in found:
            heapq.heappush(self._heap, entry)
        return [key for _, key in found]

"""Latencies counted in bins, so that millions of them take no memory and those of several processes add up."""

from dataclasses import dataclass, field

import numpy as np

_EDGES_S = np.geomspace(1e-4, 1e3, 351)
"""Bins of 4.7% each."""


@dataclass(slots=True)
class Latencies:
    """How often each was met, seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(_EDGES_S) + 1))

    def __len__(self) -> int:
        return sum(self.counts)

    def note(self, seconds: float) -> None:
        """Count one."""
        self.counts[int(np.searchsorted(_EDGES_S, seconds))] += 1

    def add(self, other: "Latencies") -> None:
        """Count all of another's."""
        self.counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]

    def quantile(self, share: float) -> float:
        """The latency that `share` (0-1) of them stay below, to within a bin; NaN when there is none.

        >>> some = Latencies()
        >>> for seconds in (0.1, 0.1, 0.1, 5.0):
        ...     some.note(seconds)
        >>> round(some.quantile(0.5), 1), round(some.quantile(1.0))
        (0.1, 5)
        """
        total = len(self)
        if not total:
            return float("nan")
        place = int(np.searchsorted(np.cumsum(self.counts), max(1.0, share * total)))
        return float(_EDGES_S[min(place, len(_EDGES_S) - 1)])

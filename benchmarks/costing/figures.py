"""What was measured of one gallery, and how it compares with others."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray


class Spread(Struct, frozen=True):
    """Milliseconds: half are at most `p50`, 99% at most `p99`, all at most `most`."""

    p50: float
    p99: float
    most: float


class Figures(Struct, frozen=True, kw_only=True):
    """One gallery's line of the table."""

    identities: int
    """Active ones when the live traffic began."""
    prototypes: int
    each: int
    """Tracklets of one identity of the crowd."""
    hours: float
    quiet_s: float
    minutes: float
    batches: int
    messages: int
    associations: int
    linked: int
    """Events that link a tracklet or merge two identities: a gallery in which nobody is found measures nothing."""
    begun: int
    """Events that begin an identity."""
    refreshes: int
    """How often statistics had moved and all prototypes were measured anew."""
    association_ms: Spread
    """Elapsed time of one association, all in."""
    association_cpu_ms: Spread
    """CPU of one association, of all threads."""
    memory_ms: Spread
    """Elapsed time of one association without rows and commit."""
    batch_ms: Spread
    """Elapsed time of a batch: so long a message waits for those that came with it."""
    phases_ms: dict[str, float]
    """Mean elapsed time of one association by phase; `else` is what is seen at no port."""
    queries: float
    """Searches for one association."""
    opening_s: float
    """Until the hub has everything in mind."""
    first_batch_s: float
    """The first batch after opening, in which everything is made searchable."""
    before_mib: float
    """Resident memory before the hub opens, tape in memory."""
    opened_mib: float
    """After the first batch, as the numbers below."""
    played_mib: float
    peak_mib: float
    disk_mib: float

    @property
    def bytes_each(self) -> float:
        """Resident bytes for each identity."""
        return (self.opened_mib - self.before_mib) * 2**20 / max(self.identities, 1)


def spread_ms(seconds: NDArray[np.float64], counts: NDArray[np.int64]) -> Spread:
    """Of `seconds` (n,) that occur `counts` (n,) times each; zeros where nothing does.

    >>> spread_ms(np.array([0.001, 0.002]), np.array([98, 2]))
    Spread(p50=1.0, p99=2.0, most=2.0)
    >>> spread_ms(np.zeros(0), np.zeros(0, int))
    Spread(p50=0.0, p99=0.0, most=0.0)
    """
    each = 1e3 * np.sort(np.repeat(seconds, counts))
    if not len(each):
        return Spread(0.0, 0.0, 0.0)
    p50, p99 = (round(float(each[math.ceil(q * len(each)) - 1]), 3) for q in (0.5, 0.99))
    return Spread(p50, p99, round(float(each[-1]), 3))


def of_each(figures: Sequence[Figures]) -> list[list[Figures]]:
    """Galleries of as many tracklets an identity, each by size: what can be compared."""
    kinds: dict[int, list[Figures]] = {}
    for one in sorted(figures, key=lambda one: one.identities):
        kinds.setdefault(one.each, []).append(one)
    return list(kinds.values())


def growth(figures: Sequence[Figures]) -> list[float]:
    """The power of the number of identities by which the median of CPU grows from each gallery to the next: below 1 is
    sub-linear."""
    return [
        math.log(after.association_cpu_ms.p50 / before.association_cpu_ms.p50)
        / math.log(after.identities / before.identities)
        for before, after in itertools.pairwise(figures)
    ]

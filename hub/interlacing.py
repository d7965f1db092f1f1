"""What ways say of two identities being one person: those that one would have gone, against those that either went.

Two fragments of one person follow each other again and again, and each fills the gaps of the other; two people who are
taken for one would have to be everywhere at once. So all ways that would be others, were the two one, are compared, not
only the one from the older identity to the beginning of the younger.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from hub.movement import Movement, Sightings
from hub.records import Tracklet
from passerby.arrays import Int64Array

Float64Array = NDArray[np.float64]

_LEAST, _MOST = -8.0, 4.0
"""One way says no more (nat): a tracker exchanges people."""

_MOST_MORE = 2.0
"""All further ways say no more together than the first one and this: who walk after each other look like one person."""

_IMPOSSIBLE = -30.0
"""A way that an operator forbids says no less than that: nobody goes it."""

_REPEATED = 0.5
"""How much of what each further way says is news: who has walked with somebody once does so again."""

_MOST_WAYS = 64
"""The latest ones are compared."""


def evidence_of_ways(
    pairs: Sequence[tuple[Sequence[Tracklet], Sequence[Tracklet]]], movement: Movement
) -> Float64Array:
    """Log (k,) of the likelihood of the ways of two identities that are one, over that of two who each went alone.

    Each of the `pairs` has the tracklets of the one and of the other, neither empty, in any order.
    """
    before: list[Tracklet] = []
    after: list[Tracklet] = []
    signs: list[float] = []
    owners: list[int] = []
    for index, (first, second) in enumerate(pairs):
        for one, next_one, sign in _changed_ways(first, second):
            before.append(one)
            after.append(next_one)
            signs.append(sign)
            owners.append(index)
    if not before:
        return np.zeros(len(pairs))
    sightings, n = Sightings.of([*before, *after]), len(before)
    nat = movement.evidence(sightings.taken(np.arange(n, 2 * n)), sightings.taken(np.arange(n)))
    said = np.array(signs) * np.clip(nat, _LEAST, _MOST)
    said = np.where((said < 0.0) & (nat < _IMPOSSIBLE), nat, said)
    begun, begins = np.unique(np.array(owners, np.int64), return_index=True)
    first_way, total = np.zeros(len(pairs)), np.bincount(owners, weights=said, minlength=len(pairs))
    first_way[begun] = said[begins]
    return np.asarray(first_way + np.minimum(_REPEATED * (total - first_way), _MOST_MORE), np.float64)


def _changed_ways(first: Sequence[Tracklet], second: Sequence[Tracklet]) -> Iterator[tuple[Tracklet, Tracklet, float]]:
    """The ways, from a tracklet to one, that one person would have gone and either alone did not, as 1, and the other
    way round, as -1; where these lead to one place the first kind comes first."""
    older, younger = sorted((first, second), key=lambda side: min(_begun(t) for t in side))
    next_one = min(younger, key=_begun)
    if max(_begun(t) for t in older) < _begun(next_one):
        # The one had gone before the other came, as most have.
        yield max(older, key=lambda t: (t.ended_at_ns, *_begun(t))), next_one, 1.0
        return
    both = sorted((*first, *second), key=_begun)
    together, alone = _predecessors(both, {t.number for t in first})
    for row in np.flatnonzero(together != alone)[-_MOST_WAYS:].tolist():
        for predecessor, sign in ((together[row], 1.0), (alone[row], -1.0)):
            if predecessor >= 0:
                yield both[predecessor], both[row], sign


def _begun(tracklet: Tracklet) -> tuple[int, int]:
    return tracklet.started_at_ns, tracklet.number


def _predecessors(both: Sequence[Tracklet], first: set[int]) -> tuple[Int64Array, Int64Array]:
    """Of tracklets (n,) in the order of their beginnings, where each came from: the row of the one that ended last of
    those that began before it, of all and of its own identity; -1 where there is none."""
    ends = np.array([t.ended_at_ns for t in both], np.int64)
    mine = np.array([t.number in first for t in both], np.bool_)
    alone = np.full(len(both), -1, np.int64)
    for side in (np.flatnonzero(mine), np.flatnonzero(~mine)):
        alone[side] = _ended_last(ends, side)
    return _ended_last(ends, np.arange(len(both))), alone


def _ended_last(ends_ns: Int64Array, rows: Int64Array) -> Int64Array:
    """Of some rows, which of them before each has ended last; of several the latest; -1 before the first."""
    latest = np.maximum.accumulate(ends_ns[rows])
    holder = np.maximum.accumulate(np.where(ends_ns[rows] == latest, np.arange(len(rows)), 0))
    return np.concatenate([[-1], rows[holder[:-1]]]).astype(np.int64)

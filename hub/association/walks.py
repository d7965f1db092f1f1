"""Whether tracklets were in one place, of many pairs in one pass: `place.Floor.evidence` of each.

What each number comes to does not depend on who else is asked about.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.association.place import (
    DISTANCES,
    ERROR_SHARE,
    FARTHEST,
    MOST_PLACES,
    MOST_SAMPLES,
    UNSEEN_NS,
    WALK_SD,
    Floor,
    Spacing,
)
from hub.association.ranges import ranges
from hub.association.transfers import Transfers
from hub.association.view_map import SPOT_SD
from hub.paths import PACED, Path, paces
from passerby.arrays import Float32Array, Int64Array
from passerby.ids import CameraId

Float64Array = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Walks:
    """The paths of p tracklets, one after the other: rows `begins[i]` to `ends[i]` (p,) are those of path i.

    `at_ns` (n,) int64, `feet` (n, 2) and `heights` (n,) float32, `cut` (n,) bool are as those of a Path. `ranks` (n,)
    int64 are the order of the times, equal ones alike; `keys` (n,) int64 rise, by path and rank: `keys` of path i and
    rank r are i * `base` + r.
    """

    at_ns: Int64Array
    feet: Float32Array
    heights: Float32Array
    cut: BoolArray
    begins: Int64Array
    ends: Int64Array
    ranks: Int64Array
    keys: Int64Array
    base: int

    @classmethod
    def of(cls, paths: Sequence[Path]) -> "Walks":
        """At least one path."""
        lengths = np.array([len(path) for path in paths], np.int64)
        ends = np.cumsum(lengths)
        at_ns = np.concatenate([path.at_ns for path in paths])
        times, ranks = np.unique(at_ns, return_inverse=True)
        return cls(
            at_ns=at_ns,
            feet=np.concatenate([path.feet for path in paths]),
            heights=np.concatenate([path.heights for path in paths]),
            cut=np.concatenate([path.cut for path in paths]),
            begins=ends - lengths,
            ends=ends,
            ranks=ranks,
            keys=np.repeat(np.arange(len(paths)), lengths) * len(times) + ranks,
            base=len(times),
        )


@dataclass(frozen=True, slots=True)
class _Places:
    """n places of k pairs, those of a pair together: `pairs` (n,) whose; feet `here` and `there` (n, 2) of the first
    and of the second, `heights` (n,) of the second."""

    pairs: Int64Array
    here: Float64Array
    there: Float64Array
    heights: Float64Array

    def taken(self, rows: Int64Array) -> "_Places":
        return _Places(self.pairs[rows], self.here[rows], self.there[rows], self.heights[rows])


def evidence_of_pairs(floor: Floor, walks: Walks, pairs: Int64Array, *, cameras: Sequence[CameraId]) -> Float64Array:
    """Log-likelihood ratios (k,) in nat of two tracklets being of one person, NaN where nothing can be said.

    `pairs` (k, 2) are paths of `walks`, the second of the tracklet that began later; `cameras` are those of the paths.
    """
    found = np.full(len(pairs), np.nan)
    lengths = walks.ends - walks.begins
    rows = np.flatnonzero((lengths[pairs] > 0).all(axis=1))
    names = sorted(set(cameras))
    code = {name: index for index, name in enumerate(names)}
    codes = np.array([code[name] for name in cameras], np.int64)
    ways, way_of = np.unique(codes[pairs[rows, 0]] * len(names) + codes[pairs[rows, 1]], return_inverse=True)
    ends = [(names[way // len(names)], names[way % len(names)]) for way in ways.tolist()]
    known = [(index, one) for index, way in enumerate(ends) if (one := floor.transfer(*way)) is not None]
    if not known:
        return found
    number = np.full(len(ways), -1, np.int64)
    number[[index for index, _ in known]] = np.arange(len(known))
    transfers, spreads = Transfers.of([one for _, one in known]), np.array([_spread(floor, *ends[i]) for i, _ in known])
    densities = np.array([floor.spacings.get(str(ends[i][1]), Spacing()).densities() for i, _ in known])
    rows, which = rows[number[way_of] >= 0], number[way_of][number[way_of] >= 0]

    first, second = pairs[rows].T
    gap_s = (walks.at_ns[walks.begins[second]] - walks.at_ns[walks.ends[first] - 1]).astype(np.float64) / 1e9
    at_once = gap_s <= 0.0
    hidden = walks.cut[walks.ends[first] - 1] | walks.cut[walks.begins[second]]
    meanwhile = ~at_once & (gap_s <= UNSEEN_NS / 1e9) & ((codes[first] == codes[second]) | ~hidden)
    for some, places in (
        (at_once, _together(walks, first[at_once], second[at_once])),
        (meanwhile, _met(walks, first[meanwhile], second[meanwhile], gap_s=gap_s[meanwhile])),
    ):
        asked = np.flatnonzero(some)
        mine = which[asked]
        away = transfers.away(mine[places.pairs], places.here, places.there, heights=places.heights)
        seen, begins, samples = np.unique(places.pairs, return_index=True, return_counts=True)
        middle = np.lexsort((away, places.pairs))[begins + samples // 2]
        chosen, mine = places.taken(middle), mine[seen]
        error = transfers.error(mine, chosen.here, heights=chosen.heights)
        gap = gap_s[asked[seen]]
        spread = np.sqrt(spreads[mine] ** 2 + error**2 + (WALK_SD * np.maximum(gap, 0.0)) ** 2)
        found[rows[asked[seen]]] = _evidence(away[middle], spread=spread, densities=densities[mine], samples=samples)
    return found


def _spread(floor: Floor, before: CameraId, after: CameraId) -> float:
    return SPOT_SD if before == after else floor.map_between(before, after).spread


def _met(walks: Walks, first: Int64Array, second: Int64Array, *, gap_s: Float64Array) -> _Places:
    """Where each first path (k,) and each second one were in the middle of the time between them, `gap_s` (k,), had
    they gone at their pace at the end of the one, and at the beginning of the other."""
    last, begin = walks.ends[first] - 1, walks.begins[second]
    feet = walks.feet.astype(np.float64)
    half = gap_s[:, None] / 2.0
    here = feet[last] + half * _paces(walks, first, last, step=-1)
    there = feet[begin] - half * _paces(walks, second, begin, step=1)
    return _Places(np.arange(len(first)), here, there, walks.heights[begin].astype(np.float64))


def _paces(walks: Walks, paths: Int64Array, rows: Int64Array, *, step: int) -> Float64Array:
    """How fast (k, 2) somebody went on `paths` (k,) at these `rows` (k,); those that tell come after them, `step` 1, or
    before them, -1."""
    near = rows[:, None] + step * np.arange(PACED)
    known = (near >= walks.begins[paths][:, None]) & (near < walks.ends[paths][:, None])
    near = np.where(known, near, rows[:, None])
    return paces(walks.at_ns[near], walks.feet[near], known)


def _together(walks: Walks, first: Int64Array, second: Int64Array) -> _Places:
    """Places at the times when both of two paths (k,) were seen whole, of each pair at most MOST_PLACES."""
    low = np.maximum(walks.ranks[walks.begins[first]], walks.ranks[walks.begins[second]])
    high = np.minimum(walks.ranks[walks.ends[first] - 1], walks.ranks[walks.ends[second] - 1])
    begins = np.searchsorted(walks.keys, second * walks.base + low, side="left")
    counts = np.maximum(np.searchsorted(walks.keys, second * walks.base + high, side="right") - begins, 0)
    pairs, rows = ranges(begins, counts)
    kept = ~walks.cut[rows]
    pairs, rows = pairs[kept], rows[kept]
    before = np.searchsorted(walks.keys, first[pairs] * walks.base + walks.ranks[rows], side="right") - 1
    # At a path's last time nothing comes after it, and it is that very time.
    after = np.minimum(before + 1, walks.ends[first[pairs]] - 1)
    since = walks.at_ns[rows] - walks.at_ns[before]
    whole = ~walks.cut[before] & ((since == 0) | ~walks.cut[after])
    pairs, rows, before, after, since = (column[whole] for column in (pairs, rows, before, after, since))
    rows_of_pairs = _spread_out(np.bincount(pairs, minlength=len(first)))
    pairs, rows, before, after, since = (column[rows_of_pairs] for column in (pairs, rows, before, after, since))
    span = np.maximum(walks.at_ns[after] - walks.at_ns[before], 1).astype(np.float64)
    start, end = walks.feet[before].astype(np.float64), walks.feet[after].astype(np.float64)
    here = (end - start) / span[:, None] * since.astype(np.float64)[:, None] + start
    return _Places(pairs, here, walks.feet[rows].astype(np.float64), walks.heights[rows].astype(np.float64))


def _spread_out(counts: Int64Array) -> Int64Array:
    """Of rows in groups of so many (k,) those that are looked at: all, or MOST_PLACES evenly spread ones."""
    kept = np.minimum(counts, MOST_PLACES)
    groups, order = ranges(np.zeros(len(counts), np.int64), kept)
    steps = np.where(counts > MOST_PLACES, (counts - 1) / (MOST_PLACES - 1.0), 1.0)
    first_rows = np.cumsum(counts) - counts
    return first_rows[groups] + (order * steps[groups]).round().astype(np.int64)


def _evidence(
    away: Float64Array, *, spread: Float64Array, densities: Float64Array, samples: Int64Array
) -> Float64Array:
    """Against somebody else's being there, whose distance has the `densities` (k, steps) of each."""
    away = np.minimum(away, FARTHEST)
    step = np.maximum(np.searchsorted(DISTANCES, away, side="right") - 1, 0)
    near = away / spread
    here = near / spread * np.exp(-np.minimum(near * near / 2.0, 700.0))
    here = np.where(near < 1.0, np.maximum(here, 0.5 / spread), here)
    ratio = np.log((1.0 - ERROR_SHARE) * here / densities[np.arange(len(step)), step] + ERROR_SHARE)
    return np.asarray(ratio * (1.0 + (np.minimum(samples, MOST_SAMPLES) - 1) / (MOST_SAMPLES - 1)), np.float64)

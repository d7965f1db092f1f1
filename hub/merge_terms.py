"""Why two identities may be one person: the evidence of many pairs in one pass."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.association.place import UNSEEN_NS
from hub.association.shares import Shares
from hub.association.standing import Looks, Standing, fits
from hub.interlacing import evidence_of_ways
from hub.link_terms import Sources
from hub.records import Tracklet, TrackletNumber
from passerby.arrays import Float32Array

Float64Array = NDArray[np.float64]

_MOST_COMPARED = 6
"""Tracklets of the younger of two identities that are looked at, the latest."""


@dataclass(frozen=True, slots=True)
class MergeTerms:
    """Why two identities may be one person, in natural logarithms of ratios; of place the worst (at most 0) and the
    best (at least 0) that is said of any tracklet.

    `strays` are the tracklets that are somebody else's if they are one; what these cost is in `apart`.
    """

    appearance: float
    movement: float
    worst_place: float
    best_place: float
    apart: float
    strays: tuple[TrackletNumber, ...] = ()

    @property
    def place(self) -> float:
        """All that places say."""
        return self.worst_place + self.best_place

    @property
    def log_odds(self) -> float:
        """All together."""
        return self.appearance + self.movement + self.worst_place + self.best_place + self.apart


@dataclass(frozen=True, slots=True)
class Ages:
    """What stands for two identities, each at least one tracklet, in the order of their beginnings: of the `older` one
    all, and of the `younger` one what is looked at. `walked` is all that is known of the one and of the other."""

    older: Sequence[Tracklet]
    younger: Sequence[Tracklet]
    walked: tuple[Sequence[Tracklet], Sequence[Tracklet]]

    @classmethod
    def of(
        cls,
        first: Sequence[Tracklet],
        second: Sequence[Tracklet],
        *,
        walked: tuple[Sequence[Tracklet], Sequence[Tracklet]],
    ) -> "Ages":
        """The first is the older one of two that began at once."""
        older, younger = (first, second) if first[0].started_at_ns <= second[0].started_at_ns else (second, first)
        return cls(older, younger[-_MOST_COMPARED:], walked)

    @property
    def are_near_in_time(self) -> bool:
        """Whether places, or views at once, can say anything of them."""
        return max(t.ended_at_ns for t in self.older) >= self.younger[0].started_at_ns - UNSEEN_NS


_AT_ONCE = 256
"""Pairs that are compared together. A consolidation may ask about thousands, and memory is to be bounded."""


def merge_terms(pairs: Sequence[Ages], sources: Sources) -> list[MergeTerms]:
    """The evidence for each pair of identities being one person."""
    starts = range(0, len(pairs), _AT_ONCE)
    return [one for start in starts for one in _merge_terms(pairs[start : start + _AT_ONCE], sources)]


def _merge_terms(pairs: Sequence[Ages], sources: Sources) -> list[MergeTerms]:
    seen_here = np.array([{t.camera_id for t in p.older} >= {t.camera_id for t in p.younger} for p in pairs])
    looks = sources.calibration.evidences(fits_of_sets(pairs, sources), seen_here=seen_here)
    moved = evidence_of_ways([p.walked for p in pairs], sources.movement)
    near = [p.are_near_in_time for p in pairs]
    placed = iter(
        sources.around.places([(t, p.older) for p, one in zip(pairs, near, strict=True) if one for t in p.younger])
    )
    terms = []
    for pair, look, movement, is_near in zip(pairs, looks.tolist(), moved.tolist(), near, strict=True):
        places, apart = [0.0], 0.0
        if is_near:
            places += [next(placed) for _ in pair.younger]
            apart = min(sources.movement.apart(t, sources.around.at_once(t, pair.older)) for t in pair.younger)
        terms.append(MergeTerms(look, movement, min(places), max(places), apart))
    return terms


def fits_of_sets(pairs: Sequence[Ages], sources: Sources) -> Float64Array:
    """`appearance.fit_of_sets` of each pair (k,): what the older set adds to the prediction of each of the younger, one
    after the other."""
    tracklets: list[Tracklet] = []
    row_of: dict[TrackletNumber, int] = {}
    for pair in pairs:
        for t in (*pair.older, *pair.younger):
            if row_of.setdefault(t.number, len(tracklets)) == len(tracklets):
                tracklets.append(t)
    # Steps are fits: of one tracklet, with some that stand, for or against some pair.
    fitted: list[int] = []
    standing: list[list[int]] = []
    alone: dict[tuple[int, ...], int] = {}
    counted: list[tuple[int, int, float]] = []

    def step(one: int, known: list[int]) -> int:
        fitted.append(one)
        standing.append(known)
        return len(fitted) - 1

    for index, pair in enumerate(pairs):
        older, younger = ([row_of[t.number] for t in some] for some in (pair.older, pair.younger))
        for number, one in enumerate(younger):
            before = younger[:number]
            counted.append((index, step(one, older + before), 1.0))
            if before:
                known = (*before, one)
                if known not in alone:
                    alone[known] = step(one, before)
                counted.append((index, alone[known], -1.0))
    units = sources.units([t.number for t in tracklets])
    values = fits_of_each(tracklets, units, fitted, standing, shares=sources.shares)
    of_pair, steps, signs = (np.array(column) for column in zip(*counted, strict=True))
    return np.bincount(of_pair, weights=values[steps] * signs, minlength=len(pairs)).astype(np.float64)


def fits_of_each(
    tracklets: Sequence[Tracklet],
    units: Float32Array,
    fitted: Sequence[int],
    standing: Sequence[Sequence[int]],
    *,
    shares: Shares,
) -> Float64Array:
    """How well each of the `fitted` (k,) fits what stands; both are rows of `tracklets`, lifted `units` (n, d)."""
    names = {name: place for place, name in enumerate(sorted({t.camera_id for t in tracklets}))}
    cameras = np.array([names[t.camera_id] for t in tracklets], np.int64)
    pictures = np.array([t.exemplars for t in tracklets], np.int64)
    rows = np.array([row for known in standing for row in known], np.int64)
    owners = np.repeat(np.arange(len(standing)), [len(known) for known in standing])
    # Those of a camera together, else as they came.
    order = np.lexsort((cameras[rows], owners))
    rows = rows[order]
    looks = Looks.of(Standing(owners, cameras[rows], pictures[rows], units[rows]), shares)
    asked, place = np.unique(np.array(fitted, np.int64), return_inverse=True)
    steps = np.argsort(place, kind="stable")
    values = np.empty(len(steps))
    values[steps] = fits(
        looks,
        place[steps],
        steps,
        units=units[asked],
        cameras=cameras[asked],
        pictures=pictures[asked],
        shares=shares,
    ).values
    return values

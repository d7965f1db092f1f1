"""Why two identities may be one person: the evidence of many pairs in one pass."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.association.standing import fits
from hub.link_terms import Sources
from hub.movement import seen_last
from hub.records import Tracklet

Float64Array = NDArray[np.float64]

_MOST_COMPARED = 6
"""Tracklets of the younger of two identities that are looked at, the latest."""


@dataclass(frozen=True, slots=True)
class MergeTerms:
    """Why two identities may be one person, in natural logarithms of ratios; of place the worst (at most 0) and the
    best (at least 0) that is said of any tracklet."""

    appearance: float
    movement: float
    worst_place: float
    best_place: float
    apart: float

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
    all, and of the `younger` one what is looked at."""

    older: Sequence[Tracklet]
    younger: Sequence[Tracklet]

    @classmethod
    def of(cls, first: Sequence[Tracklet], second: Sequence[Tracklet]) -> "Ages":
        """The first is the older one of two that began at once."""
        older, younger = (first, second) if first[0].started_at_ns <= second[0].started_at_ns else (second, first)
        return cls(older, younger[-_MOST_COMPARED:])


_AT_ONCE = 64
"""Pairs that are compared together. A consolidation may ask about thousands, and memory is to be bounded."""


def merge_terms(pairs: Sequence[Ages], sources: Sources) -> list[MergeTerms]:
    """The evidence for each pair of identities being one person."""
    starts = range(0, len(pairs), _AT_ONCE)
    return [one for start in starts for one in _merge_terms(pairs[start : start + _AT_ONCE], sources)]


def _merge_terms(pairs: Sequence[Ages], sources: Sources) -> list[MergeTerms]:
    seen_here = np.array([{t.camera_id for t in p.older} >= {t.camera_id for t in p.younger} for p in pairs])
    looks = sources.calibration.evidences(fits_of_sets(pairs, sources), seen_here=seen_here)
    moved = sources.movement.evidence([p.younger[0] for p in pairs], [_last_before_younger(p) for p in pairs])
    every = [(t, p.older) for p in pairs for t in p.younger]
    placed = iter(sources.around.places(every))
    terms = []
    for pair, look, movement in zip(pairs, looks.tolist(), moved.tolist(), strict=True):
        places = [0.0, *(next(placed) for _ in pair.younger)]
        apart = (sources.movement.apart(t, sources.around.at_once(t, pair.older)) for t in pair.younger)
        terms.append(MergeTerms(look, movement, min(places), max(places), min(apart)))
    return terms


def fits_of_sets(pairs: Sequence[Ages], sources: Sources) -> Float64Array:
    """`appearance.fit_of_sets` of each pair (k,): what the older set adds to the prediction of each of the younger, one
    after the other."""
    asked: list[Tracklet] = []
    standing: list[list[Tracklet]] = []
    steps: list[tuple[int, int, float]] = []  # the row asked about, its pair, and whether its fit counts for or against
    for index, pair in enumerate(pairs):
        for number, one in enumerate(pair.younger):
            before = pair.younger[:number]
            for known, sign in (([*pair.older, *before], 1.0), (before, -1.0)):
                if known:
                    standing.append(sorted(known, key=lambda t: t.camera_id))
                    steps.append((len(asked), index, sign))
            asked.append(one)
    looks, codes = sources.looks(standing)
    found = fits(
        looks,
        np.array([row for row, _, _ in steps], np.int64),
        np.arange(len(steps)),
        units=sources.units([t.number for t in asked]),
        cameras=np.array([codes.get(t.camera_id, -1) for t in asked], np.int64),
        pictures=np.array([t.exemplars for t in asked], np.int64),
        shares=sources.shares,
    )
    signed = found.values * np.array([sign for _, _, sign in steps])
    return np.bincount([index for _, index, _ in steps], weights=signed, minlength=len(pairs)).astype(np.float64)


def _last_before_younger(pair: Ages) -> Tracklet:
    """Who of the older one was seen last before the younger one began; where nobody was, who was seen at all."""
    begin_ns = pair.younger[0].started_at_ns
    return seen_last([t for t in pair.older if t.started_at_ns <= begin_ns] or pair.older, begin_ns)

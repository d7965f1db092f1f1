"""All evidence for several tracklets at once: each by itself, and then what those on one spot say of each other."""

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hub.association.ties import Rivals, Ties, credible, exclusive, pass_on
from hub.exclusion import seen_together
from hub.likelihood import Judge
from hub.link_terms import Asked, LinkTerms
from hub.records import Tracklet, TrackletNumber
from passerby.arrays import Float32Array
from passerby.ids import IdentityId

_NEAR_BY = 1.0
"""Evidence of place (nat) from which on a tracklet that is not due is asked too."""

_TOGETHER = 3.0
"""Evidence of place (nat) from which on two tracklets are judged by what is known without each other."""


@dataclass(frozen=True, slots=True)
class Companion:
    """A tracklet that is not due, perhaps on the spot of those that are: `beside` are their places among these."""

    tracklet: Tracklet
    beside: Sequence[int]


def companions(due: Sequence[Tracklet], judge: Judge) -> list[Companion]:
    """Tracklets of the same model with an identity that are not due, but perhaps on the spot of one that is: their word
    is asked too."""
    asked = {tracklet.number for tracklet in due}
    beside: dict[TrackletNumber, list[int]] = {}
    for row, (tracklet, ties) in enumerate(zip(due, _tied(due, judge), strict=True)):
        for number, nat in ties.items():
            other = judge.around.recent[number]
            alike = other.model_id == tracklet.model_id and other.identity_id is not None
            if nat >= _NEAR_BY and alike and number not in asked:
                beside.setdefault(number, []).append(row)
    return [Companion(judge.around.recent[number], beside[number]) for number in sorted(beside)]


@dataclass(frozen=True, slots=True)
class Weighed:
    """The evidence for n tracklets.

    `terms` of each for the m identities that it may be; `log_odds` (n, m) float64, NaN where nothing is known: of some
    identities without terms tracklets on its spot are known. `same` (n, n) float64: the probability of two on one spot
    being one person.
    """

    terms: LinkTerms
    log_odds: NDArray[np.float64]
    same: NDArray[np.float64]

    @classmethod
    def nothing(cls, n: int) -> "Weighed":
        """Of n tracklets, where similarities are enough."""
        return cls(LinkTerms.nothing(n), np.zeros((n, 0)), np.zeros((n, n)))


def weigh(
    tracklets: Sequence[Tracklet], units: Float32Array, alike: Sequence[Collection[IdentityId]], *, judge: Judge
) -> Weighed:
    """The evidence for everybody whom a tracklet may be: who looks like it, was near in time, or has it now.

    `units` (n, d) are the tracklets' lifted units; `alike` are identities that look like each. What is on one spot is
    asked about the same identities, and judged by what is known of them without each other.
    """
    row_of = {tracklet.number: row for row, tracklet in enumerate(tracklets)}
    tied = _tied(tracklets, judge)
    pairs = {
        (min(row, row_of[other]), max(row, row_of[other])): nat
        for row, ties in enumerate(tied)
        for other, nat in ties.items()
        if other in row_of
    }
    asked = [
        {*alike[row], *near, *_identity_of(one)}
        for row, (one, near) in enumerate(zip(tracklets, judge.around.beside(tracklets), strict=True))
    ]
    beside: list[dict[int, None]] = [{} for _ in tracklets]
    for (first, second), nat in sorted(pairs.items()):
        if nat >= _TOGETHER:
            beside[first][second] = beside[second][first] = None
    terms = judge.terms(
        [
            Asked(
                one,
                units[row],
                asked[row].union(*(asked[other] for other in beside[row])),
                beside=[tracklets[other] for other in beside[row]],
                rivals=[other for other in tracklets if other.number != one.number and seen_together(other, one)],
            )
            for row, one in enumerate(tracklets)
        ]
    )
    return _heard(tracklets, terms, tied, pairs, beside, judge=judge)


def _identity_of(tracklet: Tracklet) -> tuple[IdentityId, ...]:
    return () if tracklet.identity_id is None else (tracklet.identity_id,)


def _heard(
    tracklets: Sequence[Tracklet],
    terms: LinkTerms,
    tied: Sequence[dict[TrackletNumber, float]],
    pairs: Mapping[tuple[int, int], float],
    beside: Sequence[Collection[int]],
    *,
    judge: Judge,
) -> Weighed:
    """The evidence with what ties add to it."""
    column = {identity_id: index for index, identity_id in enumerate(terms.identities)}
    current = np.array([-1 if t.identity_id is None else column[t.identity_id] for t in tracklets], np.int64)
    bare = terms.log_odds()
    provisional = np.zeros(bare.shape, np.bool_)
    own = np.full(len(tracklets), -1, np.int64)
    high, low = np.zeros(bare.shape), np.zeros(bare.shape)
    asked = {one.number for one in tracklets}
    for row, mine in enumerate(current.tolist()):
        theirs = current[list(beside[row])]
        provisional[row, theirs[theirs >= 0]] = True
        if mine >= 0 and not terms.known[row, mine]:
            own[row] = mine
        for number, nat in tied[row].items():
            other = judge.around.recent[number].identity_id
            if number not in asked and other in column:
                high[row, column[other]] = max(high[row, column[other]], nat)
                low[row, column[other]] = min(low[row, column[other]], nat)
    provisional &= ~terms.known
    bare[provisional] = 0.0
    order = sorted(pairs)
    ties = Ties(np.array(order, np.int64).reshape(-1, 2), np.array([pairs[pair] for pair in order]), high, low)
    spoken = pass_on(bare, ties, own=own)
    placed = replace(terms, place=np.where(terms.known, spoken.place, 0.0) + 0.0)
    decided = np.flatnonzero(current >= 0)
    provisional[decided, current[decided]] = False
    return Weighed(placed, np.where(provisional, spoken.place, placed.log_odds()), spoken.same)


def _tied(tracklets: Sequence[Tracklet], judge: Judge) -> list[dict[TrackletNumber, float]]:
    """The ties of each tracklet to others near in time, given that two who were seen together are not one: by place,
    where that speaks for a tie by their looks too. Who stands where another has just stood is no less somebody else."""
    by_number = {**judge.around.recent, **{tracklet.number: tracklet for tracklet in tracklets}}
    raw = judge.around.tied(tracklets)
    known: dict[tuple[TrackletNumber, TrackletNumber], float] = {}
    for tracklet, ties in zip(tracklets, raw, strict=True):
        for other, nat in ties.items():
            if nat > 0.0:
                known[min(tracklet.number, other), max(tracklet.number, other)] = nat
    pairs = sorted(known)
    mistaken = judge.around.mistaken
    alike = judge.likenesses([(by_number[first], by_number[second]) for first, second in pairs])
    nat_of = exclusive(np.array([known[pair] for pair in pairs]) + alike, _rivals(pairs, by_number), mistaken=mistaken)
    nats = dict(zip(pairs, nat_of.tolist(), strict=True))
    return [
        {
            other: nats[min(tracklet.number, other), max(tracklet.number, other)]
            if nat > 0.0
            else credible(nat, mistaken=mistaken)
            for other, nat in ties.items()
        }
        for tracklet, ties in zip(tracklets, raw, strict=True)
    ]


def _rivals(
    pairs: Sequence[tuple[TrackletNumber, TrackletNumber]], by_number: Mapping[TrackletNumber, Tracklet]
) -> tuple[Rivals, Rivals]:
    """Of each tie between two the others of the first, and those of the second, of which both cannot hold."""
    of: dict[TrackletNumber, list[tuple[int, TrackletNumber]]] = {}
    for index, (first, second) in enumerate(pairs):
        of.setdefault(first, []).append((index, second))
        of.setdefault(second, []).append((index, first))
    sides: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
    for shared, ties in of.items():
        others = [by_number[other] for _, other in ties]
        for (a, one), (b, other) in itertools.permutations(zip([i for i, _ in ties], others, strict=True), 2):
            if seen_together(one, other):
                sides[shared != pairs[a][0]].append((a, b))
    of_first, of_second = (np.array(side, np.int64).reshape(-1, 2).T for side in sides)
    return Rivals(*of_first), Rivals(*of_second)

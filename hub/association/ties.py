"""Evidence of place between tracklets of which none is sure: who stands on one spot is one person, whoever that is.

A tie says that two tracklets are, or are not, of one person. It speaks for an identity only as far as the other
tracklet is believed to be that identity's, so one tracklet that was given to the wrong person does not draw the next
ones after it: what both look like decides for both. Beliefs are passed along the ties for a few rounds (loopy belief
propagation, Pearl 1988, Murphy, Weiss and Jordan 1999), to each neighbour without what it has said itself.

Ties of one moment are all about one position and no independent witnesses. So of several the one that speaks most for
an identity and the one that speaks most against it count.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.association.odds import shares
from passerby.arrays import Int64Array, require_shape

Float64Array = NDArray[np.float64]

_ROUNDS = 4
_ROUNDS_OF_MATCHING = 12
_MOST_NAT = 50.0
_EXCHANGED = 0.03
"""Share of tracklets that show two people, one after the other."""

_PEOPLE = 10.0
"""Any of about so many may be the other one."""


@dataclass(frozen=True, slots=True)
class Ties:
    """k ties between n tracklets, and what others say that are not asked now.

    `rows` (k, 2) int64: which two; `nat` (k,) float64: log-likelihood ratio of one person against two. `high` and `low`
    (n, m) float64: the most that is said for each of m identities, at least 0, and against it, at most 0, by
    tracklets whose identity is settled.
    """

    rows: Int64Array
    nat: Float64Array
    high: Float64Array
    low: Float64Array

    def __post_init__(self) -> None:
        require_shape("rows", self.rows, (None, 2))
        require_shape("nat", self.nat, (len(self.rows),))
        require_shape("low", self.low, self.high.shape)


@dataclass(frozen=True, slots=True)
class Spoken:
    """What ties come to, for n tracklets and m identities.

    `place` (n, m) float64: log-likelihood ratio of place for each identity. `same` (n, n) float64: the probability of
    two tied tracklets being one person, whoever that is; 0 where nothing ties them.
    """

    place: Float64Array
    same: Float64Array


def pass_on(bare: Float64Array, ties: Ties, *, own: Int64Array) -> Spoken:
    """Let tracklets hear of each other what is said by their places.

    `bare` (n, m) float64: log odds of all other evidence against a stranger, NaN where there is none. `own` (n,) int64
    is the identity that is a tracklet's if it is a stranger; -1 for none.
    """
    high, low = ties.high.copy(), ties.low.copy()
    same = np.zeros((len(bare), len(bare)))
    if not len(ties.rows):
        return Spoken(high + low, same)
    odds = _with_stranger(bare, own)
    sources = np.concatenate([ties.rows[:, 0], ties.rows[:, 1]])
    targets = np.concatenate([ties.rows[:, 1], ties.rows[:, 0]])
    gains = np.expm1(np.concatenate([ties.nat, ties.nat]))
    back = np.roll(np.arange(len(sources)), len(ties.rows))
    incoming = [np.flatnonzero(targets == row) for row in range(len(bare))]
    said = np.zeros((len(sources), bare.shape[1]))
    for _ in range(_ROUNDS):
        beliefs = np.empty_like(said)
        for tie, source in enumerate(sources.tolist()):
            others = said[[one for one in incoming[source].tolist() if one != back[tie]]]
            place = _strongest(others, ties.high[source], ties.low[source])
            beliefs[tie] = shares(odds[source] + np.append(place, 0.0))[:-1]
        said = np.log1p(beliefs * gains[:, None])
    for row, ties_in in enumerate(incoming):
        high[row] = np.maximum(high[row], said[ties_in].max(axis=0, initial=0.0))
        low[row] = np.minimum(low[row], said[ties_in].min(axis=0, initial=0.0))
    agree = (beliefs * beliefs[back]).sum(axis=1)
    same[sources, targets] = (gains + 1.0) * agree / (1.0 + gains * agree)
    return Spoken(high + low, same)


def exclusive(nat: Float64Array, rivals: Sequence[tuple[Int64Array, Int64Array]]) -> Float64Array:
    """Ties (k,), in nat, that know of each other: who is one with the first is not one with the second.

    `rivals` of each tie: those that share its first tracklet, and those that share its second, of which it is known
    that both cannot hold. The marginal odds of a matching, by belief propagation (Williams and Lau 2014, "Approximate
    evaluation of marginal association probabilities with belief propagation").

    >>> two_people_in_two_views = np.array([9.0, 6.0, 6.0, 9.0])
    >>> rivals = [([1], [2]), ([0], [3]), ([3], [0]), ([2], [1])]
    >>> exclusive(two_people_in_two_views, [(np.array(a), np.array(b)) for a, b in rivals]).round(1).tolist()
    [5.8, -3.5, -3.5, 5.8]
    """
    weight = np.exp(np.minimum(nat, _MOST_NAT))
    back = np.ones(len(nat))
    for _ in range(_ROUNDS_OF_MATCHING):
        forth = weight / (1.0 + np.array([(weight[first] * back[first]).sum() for first, _ in rivals]))
        back = 1.0 / (1.0 + np.array([forth[second].sum() for _, second in rivals]))
    left = np.array([(weight[first] * back[first]).sum() for first, _ in rivals])
    return np.array([credible(nat) for nat in np.log(weight * back / (1.0 + left)).tolist()])


def credible(nat: float) -> float:
    """A tie (nat) between tracklets of which either may show somebody else at that moment: a tracker exchanges people.

    >>> [round(credible(nat), 2) for nat in (2.0, 12.0, -12.0)]
    [1.98, 5.81, -3.51]
    """
    if nat <= 0.0:
        return float(np.log(_EXCHANGED + (1.0 - _EXCHANGED) * np.exp(nat)))
    return float(-np.log(np.exp(-nat) + _EXCHANGED / _PEOPLE))


def _strongest(said: Float64Array, high: Float64Array, low: Float64Array) -> Float64Array:
    if not len(said):
        return high + low
    return np.asarray(np.maximum(high, said.max(axis=0)) + np.minimum(low, said.min(axis=0)), np.float64)


def _with_stranger(bare: Float64Array, own: Int64Array) -> Float64Array:
    """Log odds (n, m + 1), the last of being a stranger; who is one and stands for an identity is that identity."""
    odds = np.hstack([np.where(np.isnan(bare), -np.inf, bare), np.zeros((len(bare), 1))])
    alone = np.flatnonzero(own >= 0)
    odds[alone, own[alone]] = 0.0
    odds[alone, -1] = -np.inf
    return odds

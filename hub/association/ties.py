"""Evidence of place between tracklets of which none is sure: who stands on one spot is one person, whoever that is.

A tie says that two tracklets are, or are not, of one person. It speaks for an identity only as far as the other
tracklet is believed to be that identity's, so one tracklet that was given to the wrong person does not draw the next
ones after it: what both look like decides for both. Beliefs are passed along the ties for a few rounds (loopy belief
propagation, Pearl 1988, Murphy, Weiss and Jordan 1999), to each neighbour without what it has said itself.

Ties of one moment are all about one position and no independent witnesses. So of several the one that speaks most for
an identity and the one that speaks most against it count.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from hub.association.odds import shares
from hub.association.ranges import reduced
from passerby.arrays import Int64Array, require_shape

Float64Array = NDArray[np.float64]

_ROUNDS = 4
_ROUNDS_OF_MATCHING = 12
_MOST_NAT = 50.0
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
    odds = _with_stranger(bare, own)
    for rows, places in _connected(ties.rows, len(bare)):
        # Of whom nobody here knows anything nobody can tell.
        columns = np.flatnonzero(np.isfinite(odds[rows, :-1]).any(axis=0))
        some = np.ix_(rows, columns)
        here = Ties(np.searchsorted(rows, ties.rows[places]), ties.nat[places], ties.high[some], ties.low[some])
        high[some], low[some], same[np.ix_(rows, rows)] = _pass_on(odds[np.ix_(rows, np.append(columns, -1))], here)
    return Spoken(high + low, same)


def _connected(pairs: Int64Array, n: int) -> list[tuple[Int64Array, Int64Array]]:
    """The tracklets that are tied, directly or through others, rising, and which of the `pairs` (k, 2) they are in."""
    if not len(pairs):
        return []
    tied = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    labels = connected_components(tied, directed=False)[1]
    of_pairs = labels[pairs[:, 0]]
    return [(np.flatnonzero(labels == one), np.flatnonzero(of_pairs == one)) for one in np.unique(of_pairs).tolist()]


def _pass_on(odds: Float64Array, ties: Ties) -> tuple[Float64Array, Float64Array, Float64Array]:
    """The most that is said for identities and against them, (n, m) each, and who is one with whom (n, n), of tied
    tracklets with log odds (n, m + 1), the last of being a stranger; at least one tie."""
    same = np.zeros((len(odds), len(odds)))
    sources = np.concatenate([ties.rows[:, 0], ties.rows[:, 1]])
    targets = np.concatenate([ties.rows[:, 1], ties.rows[:, 0]])
    gains = np.expm1(np.concatenate([ties.nat, ties.nat]))
    back = np.roll(np.arange(len(sources)), len(ties.rows))
    heard = _Incoming.at(targets)
    told = np.searchsorted(heard.rows, sources)
    said = np.zeros((len(sources), odds.shape[1] - 1))
    for _ in range(_ROUNDS):
        most = np.maximum(ties.high[sources], heard.most_but_one(said, back, told=told))
        least = np.minimum(ties.low[sources], -heard.most_but_one(-said, back, told=told))
        beliefs = shares(odds[sources] + np.hstack([most + least, np.zeros((len(sources), 1))]))[:, :-1]
        said = np.log1p(beliefs * gains[:, None])
    agree = (beliefs * beliefs[back]).sum(axis=1)
    same[sources, targets] = (gains + 1.0) * agree / (1.0 + gains * agree)
    # Everybody here is told something.
    return np.maximum(ties.high, heard.most(said)), np.minimum(ties.low, -heard.most(-said)), same


@dataclass(frozen=True, slots=True)
class Rivals:
    """r times two ties that cannot both hold: `ties` (r,) int64, and their `rivals` (r,) int64."""

    ties: Int64Array
    rivals: Int64Array

    def sums(self, values: Float64Array) -> Float64Array:
        """For each of k ties the sum of its rivals' values (k,)."""
        sums = np.bincount(self.ties, weights=values[self.rivals], minlength=len(values))
        return np.asarray(sums, np.float64)


def exclusive(nat: Float64Array, rivals: tuple[Rivals, Rivals], *, mistaken: float) -> Float64Array:
    """Ties (k,), in nat, that know of each other: who is one with the first is not one with the second.

    `rivals` of each tie: those that share its first tracklet, and those that share its second. The marginal odds of a
    matching, by belief propagation (Williams and Lau 2014, "Approximate evaluation of marginal association
    probabilities with belief propagation"), as far as they are `credible`.

    >>> two_people_in_two_views = np.array([9.0, 6.0, 6.0, 9.0])
    >>> each = np.arange(4)
    >>> rivals = Rivals(each, np.array([1, 0, 3, 2])), Rivals(each, np.array([2, 3, 0, 1]))
    >>> exclusive(two_people_in_two_views, rivals, mistaken=0.03).round(1).tolist()
    [5.7, -3.5, -3.5, 5.7]
    """
    weight = np.exp(np.minimum(nat, _MOST_NAT))
    back = np.ones(len(nat))
    for _ in range(_ROUNDS_OF_MATCHING):
        forth = weight / (1.0 + rivals[0].sums(weight * back))
        back = 1.0 / (1.0 + rivals[1].sums(forth))
    left = rivals[0].sums(weight * back)
    return np.array([credible(nat, mistaken=mistaken) for nat in np.log(weight * back / (1.0 + left)).tolist()])


def credible(nat: float, *, mistaken: float) -> float:
    """A tie (nat) between tracklets of which either may show somebody else at that moment: a tracker exchanges people.

    `mistaken` is the share of those on one spot that are two people: any of about _PEOPLE.

    >>> [round(credible(nat, mistaken=0.03), 2) for nat in (2.0, 12.0, -12.0)]
    [1.98, 5.78, -3.51]
    """
    if nat <= 0.0:
        return float(np.log(mistaken + (1.0 - mistaken) * np.exp(nat)))
    return float(-np.log(np.exp(-nat) + mistaken / (1.0 - mistaken) / _PEOPLE))


@dataclass(frozen=True, slots=True)
class _Incoming:
    """Words (k, m) to several tracklets by whom they are told: `rows` (r,) rising; `order` (k,) of the words so that
    those to one are together, from `begins` (r,) on."""

    rows: Int64Array
    order: Int64Array
    begins: Int64Array
    to: Int64Array

    @classmethod
    def at(cls, targets: Int64Array) -> "_Incoming":
        order = np.argsort(targets, kind="stable")
        rows, to = np.unique(targets, return_inverse=True)
        begins = np.searchsorted(targets[order], rows)
        return cls(rows, order, begins, to)

    def most(self, said: Float64Array) -> Float64Array:
        """The greatest word (r, m) to each."""
        return reduced(np.maximum, said[self.order], begins=self.begins)

    def most_but_one(self, said: Float64Array, left_out: Int64Array, *, told: Int64Array) -> Float64Array:
        """For t askers, the greatest word (t, m) to whom `told` (t,) indexes in `rows`, without the word `left_out`
        (t,), which is to the same one; -inf where there is no other."""
        most = self.most(said)
        greatest = said == most[self.to]
        alone = reduced(np.add, greatest[self.order].astype(np.int64), begins=self.begins) == 1
        second = self.most(np.where(greatest & alone[self.to], -np.inf, said))
        return np.where(greatest[left_out], second[told], most[told])


def _with_stranger(bare: Float64Array, own: Int64Array) -> Float64Array:
    """Log odds (n, m + 1), the last of being a stranger; who is one and stands for an identity is that identity."""
    odds = np.hstack([np.where(np.isnan(bare), -np.inf, bare), np.zeros((len(bare), 1))])
    alone = np.flatnonzero(own >= 0)
    odds[alone, own[alone]] = 0.0
    odds[alone, -1] = -np.inf
    return odds

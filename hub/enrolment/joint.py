"""Who several people are who were seen at once: no two of them have one name, which tells of each what they all are.

The posterior over all assignments of names is exact: the product of what is assumed and seen of each person, over those
assignments alone in which nobody shares a name with somebody who was there at the same moment. Of each person it gives
the marginal probabilities, not the best assignment's: of two who look like one enrolled person either may be that one,
and neither is said to be.

It is a sum over paths (forward and backward, as in a hidden Markov model): one person after the other takes a name or
none, and what is carried on is which names are forbidden to whom is still to come. Where everybody is told apart well
enough, or few are there at once, these are few. In a crowd of people who may each be many they would be very many: then
the name that is contested least is not kept apart any more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from hub.enrolment.posterior import Outcomes, identified

Float64Array = NDArray[np.float64]

_MOST_STATES = 1000
"""Combinations of forbidden names that are carried on: thirty people at once and forty names take three seconds."""

_HARDLY = 0.01
"""A name that nobody there has with such odds against being nobody known is not contested: it stays improbable whatever
the others are."""

_GREATEST_ODDS = 1e9
"""Of a name against being nobody known, so that whatever is seen there is some assignment that is possible."""


def identified_together(evidence: Float64Array, at_once: NDArray[np.bool_]) -> list[Outcomes]:
    """Who of m people each of n is, from the log-likelihood ratios (nat) `evidence` (n, m) against anybody else.

    `at_once` (n, n), symmetric, says who was seen at one moment by one camera. What is assumed of each is as in
    `identified`, which is what comes of those who were seen alone. For two who were seen at once the probabilities of
    one name are together at most 1.

    >>> alone = identified_together(np.array([[4.0], [4.0]]), np.zeros((2, 2), bool))
    >>> [round(float(one.known[0]), 3) for one in alone]
    [0.982, 0.982]
    >>> together = identified_together(np.array([[4.0], [4.0]]), ~np.eye(2, dtype=bool))
    >>> [round(float(one.known[0]), 3) for one in together]
    [0.495, 0.495]
    """
    outcomes = [identified(row.tolist()) for row in evidence]
    if not evidence.size:
        return outcomes
    odds = _odds(evidence)
    contested = odds.max(axis=0) >= _HARDLY
    seen = (odds > 0) & contested
    shared = (seen.astype(np.float64) @ seen.T.astype(np.float64)) > 0
    conflict = at_once & shared & ~np.eye(len(evidence), dtype=bool)
    _, component = connected_components(conflict, directed=False)
    for label in np.unique(component):
        rows = np.flatnonzero(component == label)
        if len(rows) > 1:
            found = _Chain(odds[rows], conflict[np.ix_(rows, rows)]).marginals()
            for row, one in zip(rows, found, strict=True):
                outcomes[row] = Outcomes(one[:-1], float(one[-1]))
    return outcomes


def _odds(evidence: Float64Array) -> Float64Array:
    """Of each name (n, m) against nobody known, before anybody else is looked at; the greatest is bounded."""
    logarithms = evidence - np.log(evidence.shape[1])
    best = logarithms.max(axis=1, keepdims=True)
    beyond = np.maximum(best - np.log(_GREATEST_ODDS), 0.0)
    odds: Float64Array = np.exp(logarithms - beyond)
    return odds


@dataclass(frozen=True, slots=True)
class _Step:
    """One person's choices: `free` is the weight of all that forbids nobody anything; `names` are those that do.

    Of each of `names`: its column, its weight, and as a bit each the cells (person, name) it forbids and its own.
    """

    free: float
    names: Sequence[tuple[int, float, int, int]]
    keep: int
    """The cells of those who are still to come."""


class _Chain:
    """People who are connected by conflicts, in order; cell (person i, name j) is bit i * m + j of a state."""

    def __init__(self, odds: Float64Array, conflict: NDArray[np.bool_]) -> None:
        self._odds = odds
        self._count, self._names = len(odds), len(odds[0])
        # Both by cell: who comes later may want it, and who came before may have taken it.
        wanted = conflict.astype(np.float64) @ (odds > 0) > 0
        self._tied = (odds > 0) & wanted & (odds.max(axis=0) >= _HARDLY)
        self._steps = [self._step(row, conflict) for row in range(self._count)]

    def marginals(self) -> Float64Array:
        """The probabilities (n, m + 1) of each name, and in the last column of nobody known."""
        layers, kept = self._forward()
        ahead = dict.fromkeys(layers[-1], 1.0)
        found = np.zeros((self._count, self._names + 1))
        for row in range(self._count - 1, -1, -1):
            step, mask, behind = self._steps[row], kept[row], dict[int, float]()
            of_free = 0.0
            for state, weight in layers[row].items():
                after = ahead[state & mask]
                of_free += weight * after
                value = step.free * after
                for column, odds, forbids, own in step.names:
                    if not state & own:
                        after = odds * ahead[(state | forbids) & mask]
                        found[row, column] += weight * after
                        value += after
                behind[state] = value
            found[row] += of_free * self._untied(row)
            greatest = max(behind.values())
            ahead = {state: value / greatest for state, value in behind.items()}
        marginals: Float64Array = found / found.sum(axis=1, keepdims=True)
        return marginals

    def _forward(self) -> tuple[list[dict[int, float]], list[int]]:
        """The weights of the states before each person and after the last, and which cells each transition keeps."""
        layers, kept = [{0: 1.0}], []
        for row, step in enumerate(self._steps):
            new: dict[int, float] = {}
            for state, weight in layers[-1].items():
                free = state & step.keep
                new[free] = new.get(free, 0.0) + weight * step.free
                for _, odds, forbids, own in step.names:
                    if not state & own:
                        taken = (state | forbids) & step.keep
                        new[taken] = new.get(taken, 0.0) + weight * odds
            mask, greatest = step.keep, max(new.values())
            new = {state: weight / greatest for state, weight in new.items()}
            for column in self._least_contested(row):
                if len(new) <= _MOST_STATES:
                    break
                mask &= ~self._cells(column)
                fewer: dict[int, float] = {}
                for state, weight in new.items():
                    fewer[state & mask] = fewer.get(state & mask, 0.0) + weight
                new = fewer
            layers.append(new)
            kept.append(mask)
        return layers, kept

    def _step(self, row: int, conflict: NDArray[np.bool_]) -> _Step:
        tied = np.flatnonzero(self._tied[row]).tolist()
        later = np.flatnonzero(conflict[row, row + 1 :]) + row + 1
        names = []
        for column in tied:
            forbids = sum(self._bit(other, column) for other in later.tolist() if self._tied[other, column])
            names.append((column, float(self._odds[row, column]), forbids, self._bit(row, column)))
        keep = sum(self._bit(other, column) for other in range(row + 1, self._count) for column in range(self._names))
        return _Step(float(self._untied(row).sum()), names, keep)

    def _untied(self, row: int) -> Float64Array:
        """The weights (m + 1,) of the names that forbid nobody anything, and last of nobody known."""
        return np.append(np.where(self._tied[row], 0.0, self._odds[row]), 1.0)

    def _least_contested(self, row: int) -> Iterator[int]:
        """The names that are forbidden to anybody after a person: first those that no two of all are likely to have."""
        shares = self._odds / (1.0 + self._odds.sum(axis=1, keepdims=True))
        contest = np.sort(shares, axis=0)[-2:].prod(axis=0)
        open_ones = self._tied[row + 1 :].any(axis=0)
        return (column for column in np.argsort(contest, kind="stable").tolist() if open_ones[column])

    def _bit(self, row: int, column: int) -> int:
        return 1 << (row * self._names + column)

    def _cells(self, column: int) -> int:
        return sum(self._bit(row, column) for row in range(self._count))

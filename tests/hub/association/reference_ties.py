"""Naive twins of what ties come to: every matching and every joint assignment, and trees walked from each tracklet."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]
Tie = tuple[int, int]


def matching_odds(nat: Sequence[float], ties: Sequence[Tie]) -> list[float]:
    """The log odds of each tie being so, over all sets of ties in which no tracklet of either view is twice."""
    on, off = [0.0] * len(ties), [0.0] * len(ties)
    for chosen in itertools.product([False, True], repeat=len(ties)):
        taken = [tie for tie, one in zip(ties, chosen, strict=True) if one]
        if any(len({tie[side] for tie in taken}) < len(taken) for side in (0, 1)):
            continue
        weight = math.exp(sum(value for value, one in zip(nat, chosen, strict=True) if one))
        for index, one in enumerate(chosen):
            (on if one else off)[index] += weight
    return [math.log(a / b) for a, b in zip(on, off, strict=True)]


def joint(odds: Float64Array, ties: Sequence[Tie], nat: Sequence[float]) -> tuple[Float64Array, Float64Array]:
    """Of n tracklets with log odds (n, m) against a stranger, NaN where impossible: how probable each identity is, and
    last the stranger (n, m + 1); and how probable (n, n) two are one known person."""
    n, m = odds.shape
    alone = np.hstack([np.exp(np.where(np.isnan(odds), -np.inf, odds)), np.ones((n, 1))])
    probable, same, total = np.zeros((n, m + 1)), np.zeros((n, n)), 0.0
    for labels in itertools.product(range(m + 1), repeat=n):
        weight = math.prod(float(alone[row, label]) for row, label in enumerate(labels))
        for (a, b), value in zip(ties, nat, strict=True):
            weight *= math.exp(value) if labels[a] == labels[b] != m else 1.0
        total += weight
        for row, label in enumerate(labels):
            probable[row, label] += weight
        for a, b in itertools.permutations(range(n), 2):
            same[a, b] += weight if labels[a] == labels[b] != m else 0.0
    return probable / total, same / total


@dataclass(frozen=True, slots=True)
class Tree:
    """n tracklets with log odds (n, m) against a stranger, ties between them in no circle, and what others say."""

    odds: Float64Array
    ties: Sequence[Tie]
    nat: Sequence[float]
    high: Float64Array
    low: Float64Array

    def place(self) -> Float64Array:
        """What is said of place (n, m): of several ties the most that is said for and against."""
        return np.array([self._said(row, asking=None) for row in range(len(self.odds))]).reshape(self.odds.shape)

    def _said(self, row: int, *, asking: int | None) -> list[float]:
        """What `row` hears of each identity from all its neighbours but the one that asks."""
        best, worst = self.high[row].tolist(), self.low[row].tolist()
        for (a, b), value in zip(self.ties, self.nat, strict=True):
            if row not in (a, b) or asking in (a, b):
                continue
            other = b if row == a else a
            odds = zip(self.odds[other].tolist(), self._said(other, asking=row), strict=True)
            weights = [0.0 if math.isnan(one) else math.exp(one + more) for one, more in odds]
            for column, weight in enumerate(weights):
                word = math.log(1.0 + weight / (1.0 + sum(weights)) * (math.exp(value) - 1.0))
                best[column], worst[column] = max(best[column], word), min(worst[column], word)
        return [for_it + against for for_it, against in zip(best, worst, strict=True)]

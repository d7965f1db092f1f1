"""Naive twins of assignment and of the posterior: every possibility, one after the other."""

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray


def best_total(gain: NDArray[np.float64], conflict: NDArray[np.bool_]) -> float:
    """The greatest total gain of n rows over m columns or none, where rows in conflict share no column."""
    n, m = gain.shape
    totals = []
    for columns in itertools.product(range(-1, m), repeat=n):
        shared = any(columns[i] == columns[j] != -1 and conflict[i, j] for i, j in itertools.combinations(range(n), 2))
        total = sum(gain[row, column] for row, column in enumerate(columns) if column != -1)
        if not shared and np.isfinite(total):
            totals.append(float(total))
    return max(totals)


def posterior(odds: Sequence[float]) -> list[float]:
    """Of natural logarithms of odds against a stranger: the probability of each, and last of the stranger."""
    weights = [math.exp(value) for value in odds] + [1.0]
    return [weight / sum(weights) for weight in weights]


def right(odds: Sequence[float], one: Mapping[tuple[int, int], float]) -> list[float]:
    """How probable it is of each identity that to link to it is right; NaN odds are not possible.

    `one` says of two identities, the greater column first, how probable it is that they are of one person.
    """
    probable = posterior([-math.inf if math.isnan(value) else value for value in odds])
    known = 1.0 - probable[-1]
    totals = []
    for column, value in enumerate(odds):
        total = 0.0
        for other, share in enumerate(probable[:-1]):
            total += share * (1.0 if other == column else one.get((max(column, other), min(column, other)), 0.0))
        totals.append(0.0 if math.isnan(value) else min(total, known))
    return totals

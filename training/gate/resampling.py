"""How sure a difference is: groups drawn again, the same for both networks.

A paired bootstrap over people (Efron and Tibshirani 1993): pairs of tracklets are no independent samples, people
nearly are. A figure of two groups, as an impostor pair, weighs by the product of how often both were drawn.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Int64Array

Weights: TypeAlias = NDArray[np.float32]
"""(draws, groups): how often each group was drawn. The first row is ones: all as they are."""

DRAWS = 1000


@dataclass(frozen=True, slots=True)
class Change:
    """A figure of both networks, and the 95% interval of after - before. NaN where it cannot be measured."""

    before: float
    after: float
    low: float
    high: float


def draw_groups(groups: int, *, seed: int, draws: int = DRAWS) -> Weights:
    """So many draws of as many groups as there are, with replacement, below a row of ones."""
    drawn = np.random.default_rng(seed).multinomial(groups, np.full(groups, 1.0 / groups), size=draws)
    return np.concatenate([np.ones((1, groups)), drawn]).astype(np.float32)


def change_of(before: NDArray[np.floating], after: NDArray[np.floating]) -> Change:
    """From a figure of each draw (draws + 1,), the first as all are; draws in which it is not defined (NaN) count not.

    >>> change_of(np.array([0.5, 0.4, 0.6]), np.array([0.75, 0.75, 0.75]))
    Change(before=0.5, after=0.75, low=0.155, high=0.345)
    """
    one, other = float(before[0]), float(after[0])
    differences = np.asarray(after[1:], np.float64) - np.asarray(before[1:], np.float64)
    differences = differences[np.isfinite(differences)]
    if len(differences) == 0 or not np.isfinite([one, other]).all():
        return Change(one, other, float("nan"), float("nan"))
    low, high = np.quantile(differences, [0.025, 0.975]).tolist()
    return Change(one, other, round(low, 12), round(high, 12))


def means(values: NDArray[np.floating], groups: Int64Array, *, weights: Weights) -> NDArray[np.float64]:
    """(draws + 1,): the mean of `values` (n,) of items that belong to `groups` (n,), in each draw; NaN values are not
    there."""
    known = np.flatnonzero(np.isfinite(values))
    size = weights.shape[1]
    sums = np.bincount(groups[known], weights=values[known], minlength=size)
    counts = np.bincount(groups[known], minlength=size)
    totals = weights.astype(np.float64) @ counts
    found: NDArray[np.float64] = np.divide(
        weights.astype(np.float64) @ sums, totals, out=np.full(len(weights), np.nan), where=totals > 0
    )
    return found

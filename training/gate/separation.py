"""How well similarities tell pairs of one person from pairs of two, in every draw of the bootstrap at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, Int64Array, require_shape
from training.gate.resampling import Weights

FALSE_POSITIVE_RATE = 0.01

_PAIRS_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """`rows` (k, 2) of tracklets, and `groups` (k, 2) that they belong to."""

    rows: Int64Array
    groups: Int64Array

    def __post_init__(self) -> None:
        require_shape("rows", self.rows, (None, 2))
        require_shape("groups", self.groups, self.rows.shape)

    def __len__(self) -> int:
        return len(self.rows)

    def weights(self, of_groups: Weights) -> Weights:
        """(draws + 1, k): how often each pair was drawn; a pair within a group as often as the group."""
        one, other = self.groups.T
        drawn: Weights = of_groups[:, one] * np.where(one == other, np.float32(1.0), of_groups[:, other])
        return drawn


@dataclass(frozen=True, slots=True, eq=False)
class Separation:
    """Of each draw (draws + 1,), NaN without pairs of both kinds: `area` the probability that a pair of one person is
    more alike than one of two, a tie half; `true_positives` the share of pairs of one person that are recognized where
    1% of the pairs of two are taken for one; `spreads` how far the means of both are apart, in standard deviations
    (of both, the root of their mean square): the d' of signal detection, which has no ceiling; 0 where all are equal.
    """

    area: NDArray[np.float64]
    true_positives: NDArray[np.float64]
    spreads: NDArray[np.float64]


def separate(
    genuine: Float32Array, impostor: Float32Array, *, pairs: tuple[Pairs, Pairs], weights: Weights
) -> Separation:
    """From similarities of pairs of one person (m,) and of two (k,), `pairs` being both."""
    draws = len(weights)
    if len(genuine) == 0 or len(impostor) == 0:
        nothing = np.full(draws, np.nan)
        return Separation(nothing, nothing, nothing)
    order = np.argsort(impostor, kind="stable")
    below, within = (np.searchsorted(impostor[order], genuine, side=side) for side in ("left", "right"))
    ordered = Pairs(pairs[1].rows[order], pairs[1].groups[order])
    area, true, spreads = (np.full(draws, np.nan) for _ in range(3))
    step = max(1, _PAIRS_AT_ONCE // len(impostor))
    for start in range(0, draws, step):
        part = weights[start : start + step]
        drawn = ordered.weights(part)
        summed = np.zeros((len(part), len(impostor) + 1))
        np.cumsum(drawn, axis=1, dtype=np.float64, out=summed[:, 1:])
        own = pairs[0].weights(part).astype(np.float64)
        total, matching = summed[:, -1], own.sum(axis=1)
        wins = (own * (summed[:, below] + summed[:, within])).sum(axis=1) / 2.0
        # Rounding must not take a pair that is exactly at the rate for one beyond it.
        accepted = total[:, None] - summed[:, below] <= FALSE_POSITIVE_RATE * total[:, None] * (1 + 1e-9)
        possible = (total > 0) & (matching > 0)
        rows = slice(start, start + step)
        np.divide(wins, total * matching, out=area[rows], where=possible)
        np.divide((own * accepted).sum(axis=1), matching, out=true[rows], where=possible)
        (mean, variance), (other_mean, other_variance) = _moments(genuine, own), _moments(impostor[order], drawn)
        both = np.sqrt(np.maximum((variance + other_variance) / 2.0, 0.0))
        apart = np.divide(mean - other_mean, both, out=np.zeros(len(part)), where=both > 1e-6)
        spreads[rows] = np.where(possible, apart, np.nan)
    return Separation(area, true, spreads)


def _moments(values: Float32Array, weights: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and variance (draws,) of `values` (k,) by `weights` (draws, k)."""
    powers = np.stack([np.ones(len(values)), values, values.astype(np.float64) ** 2])
    total, first, second = powers @ weights.T.astype(np.float64)
    total = np.maximum(total, 1.0)
    return first / total, second / total - (first / total) ** 2

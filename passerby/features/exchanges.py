"""Whether two people came out of a crossing exchanged: told by looks, at odds that the camera teaches."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, l2_normalize

EXCHANGE_RATE = 0.02
"""Of crossings, before anybody has looked: few trackers do worse."""

_PRIOR_PAIRS = 20.0
_PRIOR_DISTANCE = 1.5
_PRIOR_LEAN = 0.25
_PRIOR_VARIANCE = 0.04
"""What is believed before the first crossing, as if of so many sides: less than the worth of any network measured."""


@dataclass(frozen=True, slots=True)
class Leanings:
    """How two people look after a crossing, by what each was before it.

    `towards_other` (2,) float64, of each: cosine similarity to what the other was, less that to what they were
    themselves; NaN who was not seen. `squared_distance` between the two before, 0-4, of unit vectors.
    """

    towards_other: NDArray[np.float64]
    squared_distance: float


def mean_look(embeddings: NDArray[np.floating[Any]]) -> Float32Array:
    """The direction (d,) of some pictures (n, d), raw, of one person: each counts the same. Of none, zeros."""
    if not len(embeddings):
        return np.zeros(embeddings.shape[1], np.float32)
    look: Float32Array = l2_normalize(l2_normalize(embeddings.astype(np.float32)).sum(axis=0, keepdims=True))[0]
    return look


def leanings(before: Float32Array, after: Float32Array) -> Leanings:
    """Of two people with unit vectors `before` (2, d) and `after` (2, d); a row of zeros is somebody not seen.

    >>> ann, eve = [1.0, 0.0], [0.0, 1.0]
    >>> exchanged = leanings(np.array([ann, eve], np.float32), np.array([eve, ann], np.float32))
    >>> exchanged.towards_other.tolist(), exchanged.squared_distance
    ([1.0, 1.0], 2.0)
    """
    similarity = after.astype(np.float64) @ before.astype(np.float64).T
    towards = np.array([similarity[0, 1] - similarity[0, 0], similarity[1, 0] - similarity[1, 1]])
    towards[~after.any(axis=1)] = np.nan
    return Leanings(towards, float(np.square(before[0].astype(np.float64) - before[1]).sum()))


@dataclass(frozen=True, slots=True)
class SwitchOdds:
    """What a camera's crossings have taught of leanings, as sums over sides. A new one believes little.

    Who is not exchanged leans by about -k q towards the other, who is by k q, either with variance v q, where q is the
    squared distance of the two before: two who dress alike tell little. So each unit of leaning is worth 2 k / v nats,
    whatever q. k and v are those of the crossings so far, each taken for what it was judged to be.
    """

    sides: float = _PRIOR_PAIRS
    leaning: float = -_PRIOR_PAIRS * _PRIOR_LEAN * _PRIOR_DISTANCE
    distance: float = _PRIOR_PAIRS * _PRIOR_DISTANCE
    scatter: float = _PRIOR_PAIRS * (_PRIOR_VARIANCE + _PRIOR_LEAN**2 * _PRIOR_DISTANCE)
    """Sum of squared leaning / q."""

    @property
    def nats_per_unit(self) -> float:
        """What a unit of leaning is worth; 0 where people lean to the other as often as not."""
        lean = max(0.0, -self.leaning / self.distance)
        variance = (self.scatter + 2 * lean * self.leaning + lean**2 * self.distance) / self.sides
        return 2 * lean / max(variance, 1e-9)

    def log_odds(self, found: Leanings) -> float:
        """Natural log odds that the two were exchanged; above 0 it is the likelier."""
        prior = np.log(EXCHANGE_RATE / (1 - EXCHANGE_RATE))
        return float(prior + self.nats_per_unit * np.nansum(found.towards_other))

    def taught(self, found: Leanings) -> "SwitchOdds":
        """With one more crossing. Two who looked the same to the last bit teach nothing."""
        seen = found.towards_other[~np.isnan(found.towards_other)]
        if found.squared_distance < 1e-6:
            return self
        signed = -seen if self.log_odds(found) > 0 else seen
        return SwitchOdds(
            self.sides + len(seen),
            self.leaning + float(signed.sum()),
            self.distance + len(seen) * found.squared_distance,
            self.scatter + float(np.square(seen).sum()) / found.squared_distance,
        )

"""How far a camera's own statistics may be trusted: shrinkage by the number of people behind them.

The estimates are those of a random-effects model, as best linear unbiased prediction gives them (Henderson 1975;
Efron and Morris 1977 for the many-means view). An embedding is the site's offset + the camera's offset + the person.
A mean over n people has the variance of one person / n, so that a camera's offset is believed by n / (n + k), k being
the variance of people over the variance of cameras.
"""

import bisect
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from passerby.features.people import PeopleSeen
from passerby.ids import CameraId

Float64Array = NDArray[np.float64]

RegimeKey: TypeAlias = tuple[CameraId, int]
"""A camera in one of its regimes, which has statistics as if it were a camera of its own."""

PEOPLE_PER_CAMERA_OFFSET = 5.0
"""k: variance between people over variance between cameras. Three networks on PKU-Reid have 2.9, 4.2 and 7.3."""

CAMERA_PER_SITE_OFFSET = 0.5
"""Variance between cameras over the variance of the offset that all cameras of a site share. Small values put what
one camera has shown into that shared offset, which moves all cameras alike and therefore does little harm."""

PEOPLE_FOR_SCALE = 20.0
"""People at which a camera's own variance of each axis counts as much as the common one. Variances need more people
than means, and gain less: mean alone gives PKU-Reid's retail networks all of the z-score's gain, OSNet's 85%."""


@dataclass(frozen=True, slots=True)
class Moments:
    """What one camera's people amount to; (d,) float64 each.

    `people` is the effective number (Kish), `variance` that between people (divisor n - 1; zeros for a single one).
    """

    people: float
    mean: Float64Array
    variance: Float64Array

    @property
    def evidence(self) -> float:
        """People beyond the first: a single one cannot be told from the camera."""
        return max(0.0, self.people - 1.0)

    @property
    def belief(self) -> float:
        """How far a camera's own mean is believed, 0 to 1."""
        return self.evidence / (self.evidence + PEOPLE_PER_CAMERA_OFFSET)

    @property
    def energy(self) -> float:
        """Mean squared length of the people's raw embeddings."""
        return float((self.mean**2).sum() + self.variance.sum())


@dataclass(frozen=True, slots=True)
class Standardization:
    """What normalization applies: (f - shift) / scale; (d,) float64 each, scale positive with mean square one."""

    shift: Float64Array
    scale: Float64Array


def moments_of(seen: PeopleSeen) -> Moments:
    """Moments over people, each counted once; one with less than a whole tracklet's quality counts for that quality."""
    dimension = seen.means.shape[1]
    counts = np.minimum(seen.weights, 1.0)
    if not counts.any():
        return Moments(0.0, np.zeros(dimension), np.zeros(dimension))
    people = float(counts.sum() ** 2 / (counts**2).sum()) * float(counts.max())
    shares = counts / counts.sum()
    mean = shares @ seen.means
    deviations = seen.means - mean
    deviations *= deviations
    unbiased = 1.0 - float((shares**2).sum())
    several = np.count_nonzero(counts) > 1
    variance = shares @ deviations / unbiased if several else np.zeros(dimension)
    return Moments(people, mean, variance)


class Estimates:
    """What is known of all cameras of a site, one row each, in the order of their keys; it changes camera by camera.

    Without evidence every camera needs `prior` and scale one: with a zero prior the identity, so that cosines stay as
    they are.
    """

    def __init__(self, prior: Float64Array) -> None:
        self._prior = prior
        self._keys: list[RegimeKey] = []
        self._moments: dict[RegimeKey, Moments] = {}
        self._means = np.zeros((0, len(prior)))
        self._beliefs = np.zeros(0)
        self.energies = np.zeros(0)
        """Mean squared length (c,) of the raw embeddings of each camera's people."""

    @property
    def keys(self) -> list[RegimeKey]:
        """Whose rows there are, in order."""
        return self._keys

    def __contains__(self, key: RegimeKey) -> bool:
        return key in self._moments

    def moments(self, key: RegimeKey) -> Moments:
        """What one camera's people amount to."""
        return self._moments[key]

    def put(self, key: RegimeKey, moments: Moments) -> None:
        """Add or replace a camera."""
        row = bisect.bisect_left(self._keys, key)
        if key not in self._moments:
            self._keys.insert(row, key)
            self._means = np.insert(self._means, row, 0.0, axis=0)
            self._beliefs = np.insert(self._beliefs, row, 0.0)
            self.energies = np.insert(self.energies, row, 0.0)
        self._moments[key] = moments
        self._means[row] = moments.mean
        self._beliefs[row] = moments.belief
        self.energies[row] = moments.energy

    def remove(self, key: RegimeKey) -> None:
        """Forget a camera."""
        row = self._keys.index(key)
        del self._keys[row], self._moments[key]
        self._means = np.delete(self._means, row, axis=0)
        self._beliefs = np.delete(self._beliefs, row)
        self.energies = np.delete(self.energies, row)

    def site(self) -> Float64Array:
        """The offset (d,) shared by all cameras: drawn from the prior, the model's own mean, as cameras give evidence.

        A camera of which nobody was seen yet is normalized by it.
        """
        pull = (self._beliefs[:, None] * (self._means - self._prior)).sum(axis=0)
        offset: Float64Array = self._prior + pull / (float(self._beliefs.sum()) + CAMERA_PER_SITE_OFFSET)
        return offset

    def shifts(self, site: Float64Array) -> Float64Array:
        """The shift (c, d) of each camera, between its own mean and the site's offset."""
        shifts: Float64Array = site + self._beliefs[:, None] * (self._means - site)
        return shifts

    def scale(self, key: RegimeKey) -> Float64Array:
        """The scale (d,) of one camera, which depends on nothing else."""
        moments = self._moments[key]
        typical = float(moments.variance.mean())
        if typical <= 0.0:
            return np.ones_like(moments.variance)
        evidence = moments.evidence
        relative = moments.variance / typical
        shrunk: Float64Array = (evidence * relative + PEOPLE_FOR_SCALE) / (evidence + PEOPLE_FOR_SCALE)
        return np.sqrt(shrunk)

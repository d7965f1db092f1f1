"""How far a camera's own statistics may be trusted: shrinkage by the number of people behind them.

The estimates are those of a random-effects model, as best linear unbiased prediction gives them (Henderson 1975;
Efron and Morris 1977 for the many-means view). An embedding is the site's offset + the camera's offset + the person.
A mean over n people has the variance of one person / n, so that a camera's offset is believed by n / (n + k), k being
the variance of people over the variance of cameras.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passerby.features.people import PeopleSeen
from passerby.ids import CameraId

Float64Array = NDArray[np.float64]

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


@dataclass(frozen=True, slots=True)
class Standardization:
    """What normalization applies: (f - shift) / scale; (d,) float64 each, scale positive with mean square one."""

    shift: Float64Array
    scale: Float64Array


def moments_of(seen: PeopleSeen) -> Moments:
    """Moments over people, each counted once; one with less than a whole tracklet's quality counts for that quality."""
    dimension = seen.means.shape[1]
    counts = np.minimum(seen.weights, 1.0)
    if len(seen) == 0:
        return Moments(0.0, np.zeros(dimension), np.zeros(dimension))
    people = float(counts.sum() ** 2 / (counts**2).sum()) * float(counts.max())
    shares = counts / counts.sum()
    means = seen.means.astype(np.float64)
    mean = shares @ means
    unbiased = 1.0 - float((shares**2).sum())
    variance = shares @ (means - mean) ** 2 / unbiased if len(seen) > 1 else np.zeros(dimension)
    return Moments(people, mean, variance)


def site_offset(cameras: Sequence[Moments], *, prior: Float64Array) -> Float64Array:
    """The offset (d,) shared by all cameras: drawn from `prior`, the model's own mean, as cameras give evidence."""
    beliefs = [_belief(camera) for camera in cameras]
    pull = sum((belief * (camera.mean - prior) for belief, camera in zip(beliefs, cameras, strict=True)), 0.0 * prior)
    offset: Float64Array = prior + pull / (sum(beliefs) + CAMERA_PER_SITE_OFFSET)
    return offset


def standardize_cameras(
    cameras: Mapping[CameraId, Moments], *, prior: Float64Array
) -> tuple[dict[CameraId, Standardization], Standardization]:
    """What each camera needs, and what a camera needs of which nobody was seen yet.

    Without evidence that is `prior` and scale one: with a zero prior the identity, so that cosines stay as they are.
    """
    site = site_offset(list(cameras.values()), prior=prior)
    known = {
        camera_id: Standardization(site + _belief(camera) * (camera.mean - site), _scale(camera))
        for camera_id, camera in cameras.items()
    }
    return known, Standardization(site, np.ones_like(site))


def _belief(camera: Moments) -> float:
    return camera.evidence / (camera.evidence + PEOPLE_PER_CAMERA_OFFSET)


def _scale(camera: Moments) -> Float64Array:
    typical = float(camera.variance.mean())
    if typical <= 0.0:
        return np.ones_like(camera.variance)
    relative = camera.variance / typical
    shrunk: Float64Array = (camera.evidence * relative + PEOPLE_FOR_SCALE) / (camera.evidence + PEOPLE_FOR_SCALE)
    return np.sqrt(shrunk)

"""Naive twin of `hub.association.appearance`: the whole covariance of all tracklets, and its conditional by linear
algebra. For vectors of exactly the length that the model expects, and as many dimensions as it has axes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.association.appearance import Known, Shares

Float64Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Conditional:
    """Of the next tracklet: `mean` (d,) and `variance`, on the scale of the shares, the tracklet's own noise apart."""

    mean: Float64Array
    variance: float


def vectors(known: Sequence[Known], *, shares: Shares) -> Float64Array:
    """The tracklets (n, d) as long as the model expects them to be."""
    return np.stack([np.sqrt(shares.energy(one.pictures)) * one.unit.astype(np.float64) for one in known])


def covariance(known: Sequence[Known], *, shares: Shares) -> Float64Array:
    """Covariance (n, n) of one axis of all tracklets of one person, times the number of axes."""
    cameras = np.array([one.camera_id for one in known])
    noise = np.diag([shares.noise(one.pictures) for one in known])
    same_camera = cameras[:, None] == cameras[None, :]
    return np.asarray(shares.person + shares.in_camera * same_camera + noise, np.float64)


def conditional(known: Sequence[Known], camera_id: str, *, shares: Shares) -> Conditional:
    """What all that is known says of the next tracklet in a camera."""
    between = np.array([shares.person + shares.in_camera * (one.camera_id == camera_id) for one in known])
    gain = np.linalg.solve(covariance(known, shares=shares), between)
    return Conditional(gain @ vectors(known, shares=shares), shares.person + shares.in_camera - float(gain @ between))


def log_density(known: Sequence[Known], *, shares: Shares) -> float:
    """Logarithm of the density of all tracklets being one person's: zero mean, axes independent of each other."""
    values = vectors(known, shares=shares)
    matrix = covariance(known, shares=shares) / shares.axes
    _, log_determinant = np.linalg.slogdet(2.0 * np.pi * matrix)
    squares = float(np.einsum("nd,nm,md->", values, np.linalg.inv(matrix), values))
    return float(-0.5 * (values.shape[1] * float(log_determinant) + squares))


def log_ratio(first: Sequence[Known], second: Sequence[Known], *, shares: Shares) -> float:
    """Log-likelihood ratio of two sets being one person's, against two people's."""
    together = log_density([*first, *second], shares=shares)
    apart = log_density(first, shares=shares) + log_density(second, shares=shares)
    return together - apart

"""How well a tracklet's look fits what is known of an identity: a Gaussian model of people, cameras and pictures.

A normalized embedding is taken as the sum of four independent parts: the person, the person in this camera (light,
usual directions), the tracklet (pose, direction, what covers them) and the picture's noise. What is known of an
identity predicts its next tracklet in a camera, by the conditional distribution of the model: many tracklets count for
more than one, those of the same camera for more than those of others, many alike for less than many different. The
likelihood ratio against anybody else is then a closed formula. It is the two-covariance model of speaker verification
(Brummer and de Villiers, "The speaker partitioning problem", 2010) with a level for cameras, and equal variance in all
axes.

All of it needs inner products alone. These are of "lifted" unit vectors (`hub.statistics`), of which the share
`common` is common to everybody and speaks for nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hub.association.shares import Shares
from passerby.arrays import Float32Array
from passerby.ids import CameraId

MOST_OF_ONE_CAMERA = 3.0
"""Tracklets of one camera are alike in what they get wrong: however many, they count as no more than so many of the
best one of them."""


class Known(NamedTuple):
    """A tracklet that stands for an identity: `unit` (d,) float32 lifted, in a camera, of so many pictures."""

    camera_id: CameraId
    unit: Float32Array
    pictures: int


@dataclass(frozen=True, slots=True)
class Prediction:
    """What is expected of an identity's next tracklet in one camera.

    `direction` (d,) float64: the weighted sum of the units that are known; `weight`: the sum of the weights; `length`:
    squared length of the expected vector without what is common; `variance`: of the next one about it, noise apart.
    """

    direction: NDArray[np.float64]
    weight: float
    length: float
    variance: float
    seen_here: bool
    """Something is known from this very camera."""


def predict(known: Sequence[Known], camera_id: CameraId, *, shares: Shares) -> Prediction:
    """What at least one known tracklet says of the next one in a camera."""
    groups: dict[CameraId, list[int]] = {}
    for index, one in enumerate(known):
        groups.setdefault(one.camera_id, []).append(index)
    # Weights of the units in the expected vector; each camera is one noisy look at the person.
    weights = [0.0] * len(known)
    precision = 1.0 / shares.person
    for camera, rows in groups.items():
        if camera != camera_id:
            own, noise = _camera_mean(known, rows, shares=shares)
            looks = 1.0 / (shares.in_camera + noise)
            precision += looks
            for row, weight in zip(rows, own, strict=True):
                weights[row] = weight * looks
    weights = [weight / precision for weight in weights]
    variance = 1.0 / precision + shares.in_camera
    here = groups.get(camera_id)
    if here is not None:
        own, noise = _camera_mean(known, here, shares=shares)
        gain = variance / (variance + noise)
        weights = [weight * (1.0 - gain) for weight in weights]
        for row, weight in zip(here, own, strict=True):
            weights[row] = gain * weight
        variance *= 1.0 - gain
    direction = np.zeros(len(known[0].unit))
    for one, weight in zip(known, weights, strict=True):
        direction += weight * one.unit
    weight = sum(weights)
    length = (float((direction * direction).sum()) - shares.common * weight**2) / (1.0 - shares.common)
    return Prediction(direction, weight, max(length, 0.0), variance, here is not None)


def fit(prediction: Prediction, unit: Float32Array, *, pictures: int, shares: Shares) -> float:
    """Log-likelihood ratio (nat) of a tracklet's lifted unit (d,) being the predicted person's, against anybody's."""
    energy = shares.energy(pictures)
    variance = prediction.variance + shares.noise(pictures)
    lifted = float((prediction.direction * unit).sum())
    agreement = math.sqrt(energy) * (lifted - shares.common * prediction.weight) / (1.0 - shares.common)
    apart = energy - 2.0 * agreement + prediction.length
    return float(shares.axes / 2.0 * (math.log(energy / variance) + 1.0 - apart / variance))


def fit_of_sets(first: Sequence[Known], second: Sequence[Known], *, shares: Shares) -> float:
    """Log-likelihood ratio (nat) of two sets of tracklets being one person's, against two people's.

    By the chain rule: what the first set adds to the prediction of each of the second, one after the other.
    """
    total = 0.0
    for index, one in enumerate(second):
        before = second[:index]
        joint = predict([*first, *before], one.camera_id, shares=shares)
        total += fit(joint, one.unit, pictures=one.pictures, shares=shares)
        if before:
            alone = predict(before, one.camera_id, shares=shares)
            total -= fit(alone, one.unit, pictures=one.pictures, shares=shares)
    return total


def _camera_mean(known: Sequence[Known], rows: list[int], *, shares: Shares) -> tuple[list[float], float]:
    """Weights of a camera's units in its mean, on the scale of the shares, and the noise of that mean."""
    noises = [shares.noise(known[row].pictures) for row in rows]
    total = sum(1.0 / noise for noise in noises)
    weights = [
        math.sqrt(shares.energy(known[row].pictures)) / noise / total for row, noise in zip(rows, noises, strict=True)
    ]
    return weights, max(1.0 / total, min(noises) / MOST_OF_ONE_CAMERA)

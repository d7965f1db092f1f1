"""How well one tracklet fits many identities: `appearance.predict` and `appearance.fit` of all of them in one pass.

The arithmetic is that of `appearance`; what each number comes to does not depend on who else is asked about.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.association.appearance import MOST_OF_ONE_CAMERA
from hub.association.shares import Shares
from passerby.arrays import Float32Array, Int64Array, require_shape

Float64Array = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Standing:
    """k tracklets that stand for identities, those of an identity together, and in it those of a camera.

    `owners` (k,) int64: whose they are, rising; `cameras` (k,) int64; `pictures` (k,) int64: how many of each; `units`
    (k, d) float32 lifted.
    """

    owners: Int64Array
    cameras: Int64Array
    pictures: Int64Array
    units: Float32Array

    def __post_init__(self) -> None:
        k = len(self.owners)
        require_shape("cameras", self.cameras, (k,))
        require_shape("pictures", self.pictures, (k,))
        require_shape("units", self.units, (k, None))


def fits(
    standing: Standing, unit: Float32Array, *, camera: int, pictures: int, shares: Shares
) -> tuple[Int64Array, Float64Array, BoolArray]:
    """Log-likelihood ratios (nat) of a tracklet's lifted unit (d,), of so many `pictures` in a `camera`, being each
    identity's, against anybody's.

    Gives the owners (m,) that have something standing, their fits (m,), and whether anything of them is known from
    this very camera (m,) bool.
    """
    if not len(standing.owners):
        return np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.bool_)
    owners, cameras = standing.owners, standing.cameras
    new_owner = np.concatenate([[True], owners[1:] != owners[:-1]])
    new_group = new_owner | np.concatenate([[True], cameras[1:] != cameras[:-1]])
    groups = np.flatnonzero(new_group)
    group_of = np.cumsum(new_group) - 1
    first_groups = np.flatnonzero(new_owner[groups])
    owner_of = np.cumsum(new_owner[groups]) - 1
    first_rows = np.flatnonzero(new_owner)

    noise = shares.tracklet + shares.picture / np.maximum(standing.pictures, 1)
    precision_of = 1.0 / noise
    total = np.add.reduceat(precision_of, groups)
    counts = np.diff(np.append(groups, len(owners)))
    camera_noise = np.maximum(1.0 / total, np.add.reduceat(noise, groups) / counts / MOST_OF_ONE_CAMERA)
    own = np.sqrt(shares.person + shares.in_camera + noise) * precision_of / total[group_of]

    here = cameras[groups] == camera
    looks = np.where(here, 0.0, 1.0 / (shares.in_camera + camera_noise))
    precision = 1.0 / shares.person + np.add.reduceat(looks, first_groups)
    variance = 1.0 / precision + shares.in_camera
    seen_here = np.logical_or.reduceat(here, first_groups)
    noise_here = np.add.reduceat(np.where(here, camera_noise, 0.0), first_groups)
    gain = np.where(seen_here, variance / (variance + noise_here), 0.0)
    factor = np.where(here, gain[owner_of], looks / precision[owner_of] * (1.0 - gain[owner_of]))
    variance = variance * (1.0 - gain)

    weights = own * factor[group_of]
    wide = standing.units.astype(np.float64)
    lifted = np.add.reduceat(weights * (wide * unit).sum(axis=1), first_rows)
    directions = np.add.reduceat(weights[:, None] * wide, first_rows)
    weight = np.add.reduceat(weights, first_rows)
    length = ((directions * directions).sum(axis=1) - shares.common * weight**2) / (1.0 - shares.common)

    energy = shares.energy(pictures)
    spread = variance + shares.noise(pictures)
    agreement = np.sqrt(energy) * (lifted - shares.common * weight) / (1.0 - shares.common)
    apart = energy - 2.0 * agreement + np.maximum(length, 0.0)
    fit = shares.axes / 2.0 * (np.log(energy / spread) + 1.0 - apart / spread)
    return owners[first_rows], fit, seen_here

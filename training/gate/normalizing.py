"""Embeddings as the hub would compare them: by camera, drawn towards no normalization where people are few.

The hub's running normalizer follows time; here all of a snapshot's people are known at once, and count once each.
"""

from dataclasses import dataclass

import numpy as np

from passerby.arrays import Float32Array, Int64Array, l2_normalize, require_shape
from passerby.features.people import PeopleSeen
from passerby.features.shrinkage import Estimates, Float64Array, moments_of
from passerby.ids import CameraId


@dataclass(frozen=True, slots=True, eq=False)
class CameraStatistics:
    """`shifts` and `scales` (c, d) float64, a row for each camera."""

    shifts: Float64Array
    scales: Float64Array

    def normalize(self, raw: Float32Array, cameras: Int64Array) -> Float32Array:
        """Unit rows (n, d) for raw ones and the cameras (n,) that gave them; exactly the mean gives zeros."""
        values = (raw.astype(np.float64) - self.shifts[cameras]) / self.scales[cameras]
        lengths = np.linalg.norm(values, axis=1, keepdims=True)
        return l2_normalize(values / np.where(lengths > 0.0, lengths, 1.0))


def statistics_of(raw: Float32Array, *, cameras: Int64Array, people: Int64Array, count: int) -> CameraStatistics:
    """From raw embeddings (n, d), one for each tracklet or picture, of `people` (n,) before `count` cameras.

    Who comes to a camera often counts once; a camera that saw nobody has what all share. There is no reference mean:
    two networks have none in common.
    """
    require_shape("raw", raw, (len(cameras), None))
    require_shape("people", people, (len(cameras),))
    estimates = Estimates(np.zeros(raw.shape[1]))
    for camera in np.unique(cameras).tolist():
        rows = np.flatnonzero(cameras == camera)
        names, own = np.unique(people[rows], return_inverse=True)
        means = np.zeros((len(names), raw.shape[1]))
        np.add.at(means, own, raw[rows])
        seen = np.bincount(own).astype(np.float64)
        means /= seen[:, None]
        estimates.put((_key(camera), 0), moments_of(PeopleSeen(means, seen, (means**2).sum(axis=1))))
    site = estimates.site()
    shifts, scales = np.tile(site, (count, 1)), np.ones((count, raw.shape[1]))
    for key, shift in zip(estimates.keys, estimates.shifts(site), strict=True):
        shifts[int(key[0])], scales[int(key[0])] = shift, estimates.scale(key)
    return CameraStatistics(shifts, scales)


def _key(camera: int) -> CameraId:
    return CameraId(f"{camera:06d}")

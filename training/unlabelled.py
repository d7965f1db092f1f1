"""Crops of which nobody has said who is on them: what an adaptation learns from."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Int64Array, require_shape
from passerby.errors import DataError
from passerby.features.clustering.constraints import NO_PAIRS


@dataclass(frozen=True, slots=True)
class UnlabelledCrops:
    """Element i of each is one crop.

    `pictures` (n, height, width, 3) uint8 BGR in the network's size. `cameras` (n,) int64: rows of the names of the
    cameras, from 0. `tracklets` (n,) int64: crops of one tracklet have one number, and one camera. `together` (p, 2)
    and `apart` (q, 2) int64 are pairs of these numbers: tracklets that are known to be one person, or two.
    """

    pictures: NDArray[np.uint8]
    cameras: Int64Array
    tracklets: Int64Array
    camera_names: tuple[str, ...]
    together: Int64Array = field(default_factory=NO_PAIRS.copy)
    apart: Int64Array = field(default_factory=NO_PAIRS.copy)

    def __post_init__(self) -> None:
        require_shape("pictures", self.pictures, (len(self.cameras), None, None, 3))
        require_shape("cameras", self.cameras, (None,))
        require_shape("tracklets", self.tracklets, self.cameras.shape)
        require_shape("together", self.together, (None, 2))
        require_shape("apart", self.apart, (None, 2))
        if len(self) and not 0 <= self.cameras.min() <= self.cameras.max() < len(self.camera_names):
            raise DataError(
                f"cameras are {self.cameras.min()} to {self.cameras.max()}, expected rows of {len(self.camera_names)}"
            )
        first = np.unique(self.tracklets, return_index=True, return_inverse=True)
        elsewhere = np.flatnonzero(self.cameras[first[1]][first[2]] != self.cameras)
        if len(elsewhere):
            raise DataError(
                f"tracklet {self.tracklets[elsewhere[0]]} has crops of two cameras; a tracklet is of one camera"
            )

    def __len__(self) -> int:
        return len(self.cameras)

"""Where in the picture a tracklet was: its feet twice a second, for evidence of place."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, Int64Array
from passerby.messages import Observations

STEP_NS = 500_000_000
"""One sighting is kept of every step of time, the first in it; and the last of all."""

PACED = 4
"""Sightings, the last or the first ones of a path, that tell how fast somebody goes."""

_PACED_NS = 1_200_000_000
"""They are no older than this."""

_STANDING_S2 = 0.01
"""Squared seconds that speak for standing still: a box that trembles by a twentieth of a body is no step."""

_CUT_PX = 3.0
"""A box that comes so near to the picture's lower edge may have its feet beyond it."""


@dataclass(frozen=True, slots=True)
class Path:
    """Feet over time, in order: `at_ns` (n,) int64, `feet` (n, 2) float32 pixels, `heights` (n,) float32 pixels.

    `cut` (n,) bool: the feet are below the picture, so that their place is not known. The last row is the latest
    sighting; before it stands the first sighting of each step of time.
    """

    at_ns: Int64Array
    feet: Float32Array
    heights: Float32Array
    cut: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.at_ns)

    def extended(self, seen: Observations, *, frame_height: int) -> "Path":
        """With later sightings. However they are cut into pieces, the path is the same.

        `frame_height` is that of the picture now; where it has changed, the latest one counts for all.
        """
        if not len(seen) and not len(self):
            return self
        boxes = seen.boxes_xyxy.astype(np.float32)
        feet = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1)
        at_ns = np.concatenate([self.at_ns, seen.captured_at_ns])
        order = np.argsort(at_ns, kind="stable")
        at_ns = at_ns[order]
        steps = at_ns // STEP_NS
        keep = np.concatenate([[True], steps[1:] != steps[:-1]])
        keep[-1] = True
        rows = order[keep]
        feet = np.concatenate([self.feet, feet])[rows]
        heights = np.concatenate([self.heights, boxes[:, 3] - boxes[:, 1]])[rows]
        return Path(at_ns[keep], feet, heights, feet[:, 1] >= frame_height - _CUT_PX)


def paces(at_ns: Int64Array, feet: NDArray[np.floating], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How fast people go at the first of some sightings, in pixels per second (k, 2): the slope of a line through them.

    `at_ns` (k, PACED) int64, `feet` (k, PACED, 2): the nearest in time come first. Those that are not `known` (k,
    PACED), or long ago, are left out.
    """
    since = (at_ns - at_ns[:, :1]).astype(np.float64) / 1e9
    weights = (known & (np.abs(since) <= _PACED_NS / 1e9)).astype(np.float64)
    count = np.maximum(weights.sum(axis=1), 1.0)
    apart = weights * (since - ((weights * since).sum(axis=1) / count)[:, None])
    gone = (apart[:, :, None] * feet.astype(np.float64)).sum(axis=1)
    return np.asarray(gone / ((apart * apart).sum(axis=1) + _STANDING_S2)[:, None], np.float64)


NOWHERE = Path(np.zeros(0, np.int64), np.zeros((0, 2), np.float32), np.zeros(0, np.float32), np.zeros(0, np.bool_))
"""The path of a tracklet without sightings."""

"""Who counts: people whose feet are in a zone, not in a mask, and who are tall enough in pixels."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Detections, Float32Array
from passerby.config import CameraSettings

Corners = Sequence[tuple[float, float]]


class Region:
    """The part of a camera's picture that is watched."""

    def __init__(self, settings: CameraSettings) -> None:
        self._zones = [np.array(zone, np.float64) for zone in settings.zones]
        self._masks = [np.array(mask, np.float64) for mask in settings.masks]
        self._min_height = settings.min_person_height

    def watched(self, detections: Detections, *, width: int, height: int) -> NDArray[np.bool_]:
        """(n,) bool: which detections of a `width` x `height` pixel picture count. Not-finite boxes never do."""
        boxes = detections.boxes_xyxy
        keep: NDArray[np.bool_] = np.isfinite(boxes).all(axis=1) & np.isfinite(detections.confidence)
        keep &= (boxes[:, 3] - boxes[:, 1] >= self._min_height) & (boxes[:, 2] - boxes[:, 0] >= 1)
        feet = feet_fractions(boxes, width=width, height=height)
        if self._zones:
            keep &= np.any([inside_polygon(feet, zone) for zone in self._zones], axis=0)
        for mask in self._masks:
            keep &= ~inside_polygon(feet, mask)
        return keep


def feet_fractions(boxes_xyxy: Float32Array, *, width: int, height: int) -> NDArray[np.float64]:
    """(n, 2) x and y of the bottom centre of each box, as fractions of the picture.

    >>> feet_fractions(np.array([[10, 0, 30, 50]], np.float32), width=100, height=100).tolist()
    [[0.2, 0.5]]
    """
    boxes = boxes_xyxy.astype(np.float64)
    return np.column_stack(((boxes[:, 0] + boxes[:, 2]) / 2 / width, boxes[:, 3] / height))


def inside_polygon(points: NDArray[np.float64], corners: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(n,) bool: which points (n, 2) lie inside the polygon with `corners` (m, 2), by the even-odd rule.

    >>> square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)
    >>> inside_polygon(np.array([[0.5, 0.5], [1.5, 0.5]]), square).tolist()
    [True, False]
    """
    start, end = corners, np.roll(corners, -1, axis=0)
    x, y = points[:, :1], points[:, 1:]
    crosses = (start[:, 1] > y) != (end[:, 1] > y)
    rise = np.where(end[:, 1] == start[:, 1], 1.0, end[:, 1] - start[:, 1])
    at_x = start[:, 0] + (y - start[:, 1]) / rise * (end[:, 0] - start[:, 0])
    inside: NDArray[np.bool_] = (np.sum(crosses & (x < at_x), axis=1) % 2).astype(bool)
    return inside

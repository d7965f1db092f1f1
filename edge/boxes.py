"""Areas and overlaps of boxes."""

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array


def intersection_areas(first: Float32Array, second: Float32Array) -> NDArray[np.float64]:
    """(n, m) square pixels that boxes (n, 4) and boxes (m, 4), both xyxy, have in common."""
    a, b = first.astype(np.float64)[:, None], second.astype(np.float64)[None]
    width = np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    height = np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    common: NDArray[np.float64] = np.clip(width, 0, None) * np.clip(height, 0, None)
    return common


def areas(boxes_xyxy: Float32Array) -> NDArray[np.float64]:
    """(n,) square pixels."""
    boxes = boxes_xyxy.astype(np.float64)
    size: NDArray[np.float64] = np.clip(boxes[:, 2] - boxes[:, 0], 0, None) * np.clip(
        boxes[:, 3] - boxes[:, 1], 0, None
    )
    return size


def iou(first: Float32Array, second: Float32Array) -> NDArray[np.float64]:
    """(n, m) intersection over union of boxes (n, 4) and (m, 4), both xyxy; 0 for boxes without area.

    >>> iou(np.array([[0, 0, 2, 2]], np.float32), np.array([[1, 0, 3, 2], [5, 5, 6, 6]], np.float32)).round(3).tolist()
    [[0.333, 0.0]]
    """
    common = intersection_areas(first, second)
    union = areas(first)[:, None] + areas(second)[None] - common
    return np.divide(common, union, out=np.zeros_like(common), where=union > 0)

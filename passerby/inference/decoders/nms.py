"""Greedy non-maximum suppression for boxes of one class."""

import numpy as np

from passerby.arrays import Float32Array, Int64Array, require_shape


def non_maximum_suppression(boxes_xyxy: Float32Array, confidence: Float32Array, *, max_iou: float) -> Int64Array:
    """Indices (m,) of the boxes that stay, most confident first; of equal ones the first comes first.

    A box goes when it overlaps a more confident one that stays by an intersection over union above `max_iou`.
    `boxes_xyxy` (n, 4), `confidence` (n,).

    >>> boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10]], np.float32)
    >>> non_maximum_suppression(boxes, np.array([0.5, 0.9, 0.7], np.float32), max_iou=0.5).tolist()
    [1, 2]
    """
    require_shape("boxes_xyxy", boxes_xyxy, (len(confidence), 4))
    order = np.argsort(-confidence, kind="stable")
    left, top, right, bottom = boxes_xyxy.astype(np.float64).T
    areas = np.maximum(right - left, 0) * np.maximum(bottom - top, 0)
    kept = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(best)
        overlap_width = np.minimum(right[best], right[rest]) - np.maximum(left[best], left[rest])
        overlap_height = np.minimum(bottom[best], bottom[rest]) - np.maximum(top[best], top[rest])
        overlap = np.maximum(overlap_width, 0) * np.maximum(overlap_height, 0)
        union = areas[best] + areas[rest] - overlap
        order = rest[overlap <= max_iou * union]
    return np.array(kept, np.int64)

"""Non-maximum suppression as one would explain it, box by box."""

import numpy as np
from numpy.typing import NDArray


def suppress(boxes: NDArray[np.float32], confidence: NDArray[np.float32], max_iou: float) -> list[int]:
    kept: list[int] = []
    for candidate in sorted(range(len(boxes)), key=lambda index: (-confidence[index], index)):
        if all(iou(boxes[candidate], boxes[other]) <= max_iou for other in kept):
            kept.append(candidate)
    return kept


def iou(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    width = min(float(first[2]), float(second[2])) - max(float(first[0]), float(second[0]))
    height = min(float(first[3]), float(second[3])) - max(float(first[1]), float(second[1]))
    overlap = max(width, 0.0) * max(height, 0.0)
    union = _area(first) + _area(second) - overlap
    return overlap / union if union > 0 else 0.0


def _area(box: NDArray[np.float32]) -> float:
    return (float(box[2]) - float(box[0])) * (float(box[3]) - float(box[1]))

"""The raw grid of YOLOX (Ge et al., YOLOX: Exceeding YOLO Series in 2021)."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from passerby.arrays import Detections, Float32Array
from passerby.errors import EngineError
from passerby.inference.decoders.nms import non_maximum_suppression
from passerby.inference.preprocessing import Placement
from passerby.models import DetectionOutput, Preprocessing

_STRIDES = (8, 16, 32)


def decode_yolox(
    outputs: Sequence[Float32Array], placements: Sequence[Placement], *, how: DetectionOutput, network: Preprocessing
) -> list[Detections]:
    """People in each picture, best first.

    The output is (n, cells, 5 + classes): centre x, y in cells from the cell's corner; logarithm of width, height in
    strides; objectness; class probabilities. Cells run row by row over the grids of stride 8, 16, 32. A cell is a
    person when no other class is likelier; its confidence is objectness times the class's probability.
    """
    corners, strides = _grid(network.height, network.width)
    raw = outputs[0]
    if raw.ndim != 3 or raw.shape[1] != len(strides) or raw.shape[2] < 6 + how.person_class:
        raise EngineError(
            f"a YOLOX output for {network.height}x{network.width} is (n, {len(strides)}, 5 + classes), "
            f"this network gives {raw.shape}"
        )
    return [
        _decode_one(cells, corners, strides, how, placement) for cells, placement in zip(raw, placements, strict=True)
    ]


def _decode_one(
    cells: Float32Array, corners: Float32Array, strides: Float32Array, how: DetectionOutput, placement: Placement
) -> Detections:
    confidence = cells[:, 4] * cells[:, 5 + how.person_class]
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is dropped as not finite
        people = (confidence >= how.min_confidence) & (cells[:, 5:].argmax(axis=1) == how.person_class)
        cells, corners, strides, confidence = cells[people], corners[people], strides[people], confidence[people]
        centre = (cells[:, 0:2] + corners) * strides
        half = np.exp(cells[:, 2:4]) * strides / 2
        boxes = np.concatenate([centre - half, centre + half], axis=1)
    finite = np.isfinite(boxes).all(axis=1)
    boxes, confidence = boxes[finite], confidence[finite]
    kept = non_maximum_suppression(boxes, confidence, max_iou=how.nms_iou)
    return Detections(placement.to_picture(boxes[kept]), confidence[kept])


@lru_cache(maxsize=8)
def _grid(height: int, width: int) -> tuple[Float32Array, Float32Array]:
    """Corner (cells, 2) of each cell in cells, x then y, and its stride (cells, 1) in pixels."""
    corners, strides = [], []
    for stride in _STRIDES:
        ys, xs = np.mgrid[0 : height // stride, 0 : width // stride]
        corners.append(np.stack([xs.ravel(), ys.ravel()], axis=1))
        strides.append(np.full((xs.size, 1), stride))
    return np.concatenate(corners).astype(np.float32), np.concatenate(strides).astype(np.float32)

"""How good a crop is for recognizing the person in it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.boxes import areas, intersection_areas
from passerby.arrays import Float32Array, Image

_FULL_HEIGHT = 192.0
"""Pixels; re-ID networks see 256 x 128, and gain little above three quarters of that."""

_HALF_SHARP = 60.0
"""Variance of the Laplacian, on a 64 x 128 grey crop, at which sharpness is one half."""

_EDGE_PIXELS = 2.0
_CUT_OFF = 0.5
"""A person cut off by the picture's edge is worth half."""


def visible_quality(
    boxes_xyxy: Float32Array, confidence: Float32Array, *, width: int, height: int
) -> NDArray[np.float64]:
    """(n,) in 0-1: what the boxes of one frame alone tell: an upper bound of the crop's quality.

    The cube root of size x confidence (sharpness, the third factor, needs pixels: see `sharpness`), times the
    part not covered by people nearer to the camera (whose feet are lower in the picture), times one half if the
    picture's edge cuts the person off.
    """
    boxes = boxes_xyxy.astype(np.float64)
    tall = boxes[:, 3] - boxes[:, 1]
    size = np.clip(tall / _FULL_HEIGHT, 0, 1)
    cut = (boxes[:, 0] <= _EDGE_PIXELS) | (boxes[:, 2] >= width - _EDGE_PIXELS)
    cut |= (boxes[:, 1] <= _EDGE_PIXELS) | (boxes[:, 3] >= height - _EDGE_PIXELS)
    seen = 1 - covered_fraction(boxes_xyxy)
    quality: NDArray[np.float64] = np.cbrt(size * np.clip(confidence, 0, 1)) * seen * np.where(cut, _CUT_OFF, 1.0)
    return quality


def covered_fraction(boxes_xyxy: Float32Array) -> NDArray[np.float64]:
    """(n,) in 0-1: how much of each box is covered by the one nearer person who covers most of it.

    >>> covered_fraction(np.array([[0, 0, 10, 20], [5, 5, 15, 25]], np.float32)).tolist()
    [0.375, 0.0]
    """
    if len(boxes_xyxy) < 2:
        return np.zeros(len(boxes_xyxy))
    common = intersection_areas(boxes_xyxy, boxes_xyxy)
    feet = boxes_xyxy[:, 3]
    common[feet[None, :] <= feet[:, None]] = 0  # also each with itself
    covered: NDArray[np.float64] = np.clip(common.max(axis=1) / np.maximum(areas(boxes_xyxy), 1), 0, 1)
    return covered


def sharpness(crop: Image) -> float:
    """0-1, one half for a variance of the Laplacian of 60 at 64 x 128; a flat or empty crop has 0.

    Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000.
    """
    if crop.size == 0:
        return 0.0
    grey = cv2.cvtColor(cv2.resize(crop, (64, 128), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    variance = float(cv2.Laplacian(grey, cv2.CV_32F).var())
    return variance / (variance + _HALF_SHARP)


def crop_quality(visible: float, crop: Image) -> float:
    """0-1: `visible_quality` of the crop's box, and the crop's sharpness."""
    return visible * float(np.cbrt(sharpness(crop)))

"""Detection metrics: average precision and recall at one overlap, hardly visible people left out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Detections, Float32Array, require_shape
from passerby.errors import DataError


@dataclass(frozen=True, slots=True)
class PeopleInFrame:
    """Who is truly in one frame.

    `boxes_xyxy` (n, 4); `ignored` (n,) bool: may be found or not, it counts neither way.
    """

    boxes_xyxy: Float32Array
    ignored: NDArray[np.bool_]

    def __post_init__(self) -> None:
        require_shape("boxes_xyxy", self.boxes_xyxy, (None, 4))
        require_shape("ignored", self.ignored, (len(self.boxes_xyxy),))


@dataclass(frozen=True, slots=True)
class DetectionQuality:
    """What a detector was worth on some frames. Shares in 0-1; of no people or no detections they are NaN."""

    average_precision: float
    """Area under precision over recall, precision made to fall (PASCAL VOC 2010, every point), at one overlap."""
    recall: float
    """Of all detections handed over, however little confident."""
    precision: float
    people: int
    detections: int
    """Without those that found somebody ignored."""


def evaluate_detections(
    found: Sequence[Detections], truth: Sequence[PeopleInFrame], *, min_iou: float = 0.5
) -> DetectionQuality:
    """Match each frame's detections with its people, the most confident first, each with the best still free.

    A match needs an overlap of `min_iou`. A detection that matches nobody counted, but whose box overlaps
    somebody ignored by as much, or lies by half within, is left out. Raises DataError for unequal numbers of frames.
    """
    if len(found) != len(truth):
        raise DataError(f"detections of {len(found)} frames, truth of {len(truth)}; expected one for one")
    confidence, right = [], []
    people = 0
    for detections, present in zip(found, truth, strict=True):
        outcome = _match(detections, present, min_iou=min_iou)
        kept = outcome >= 0
        confidence.append(detections.confidence[kept])
        right.append(outcome[kept] == 1)
        people += int((~present.ignored).sum())
    confidences = np.concatenate([np.zeros(0, np.float32), *confidence])
    hits = np.concatenate([np.zeros(0, np.bool_), *right])[np.argsort(-confidences, kind="stable")]
    total = int(hits.sum())
    return DetectionQuality(
        average_precision=_average_precision(hits, people),
        recall=total / people if people else float("nan"),
        precision=total / len(hits) if len(hits) else float("nan"),
        people=people,
        detections=len(hits),
    )


def _match(detections: Detections, present: PeopleInFrame, *, min_iou: float) -> NDArray[np.int8]:
    """For each detection 1: found somebody, 0: nobody is there, -1: left out."""
    outcome = np.zeros(len(detections), np.int8)
    overlap, within = _overlaps(detections.boxes_xyxy, present.boxes_xyxy)
    free = ~present.ignored
    for row in np.argsort(-detections.confidence, kind="stable"):
        candidates = np.where(free, overlap[row], 0.0)
        best = int(candidates.argmax()) if candidates.size else -1
        if best >= 0 and candidates[best] >= min_iou:
            free[best] = False
            outcome[row] = 1
        elif bool((present.ignored & ((overlap[row] >= min_iou) | (within[row] >= 0.5))).any()):
            outcome[row] = -1
    return outcome


def _overlaps(boxes: Float32Array, others: Float32Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Intersection over union, and over the area of `boxes`: (n, m) each."""
    first, second = boxes[:, None].astype(np.float64), others[None].astype(np.float64)
    sides = np.minimum(first[..., 2:], second[..., 2:]) - np.maximum(first[..., :2], second[..., :2])
    shared = np.prod(np.maximum(sides, 0), axis=-1)
    area, other = (np.prod(np.maximum(each[..., 2:] - each[..., :2], 0), axis=-1) for each in (first, second))
    return shared / np.maximum(area + other - shared, 1e-9), shared / np.maximum(area, 1e-9)


def _average_precision(hits: NDArray[np.bool_], people: int) -> float:
    """`hits` (n,): from the most confident detection to the least, whether each found somebody."""
    if people == 0:
        return float("nan")
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    falling = np.maximum.accumulate(precision[::-1])[::-1]
    return float(falling[hits].sum() / people)

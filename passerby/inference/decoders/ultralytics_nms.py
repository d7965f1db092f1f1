"""The head of YOLOv8 and YOLO11 as Ultralytics exports it, before non-maximum suppression."""

from collections.abc import Sequence

import numpy as np

from passerby.arrays import Detections, Float32Array
from passerby.errors import EngineError
from passerby.inference.decoders.nms import non_maximum_suppression
from passerby.inference.preprocessing import Placement
from passerby.models import DetectionOutput, Preprocessing


def decode_ultralytics_nms(
    outputs: Sequence[Float32Array], placements: Sequence[Placement], *, how: DetectionOutput, network: Preprocessing
) -> list[Detections]:
    """People in each picture, best first.

    The output is (n, 4 + classes, anchors): centre x, y, width, height in pixels of the network's input, then class
    probabilities. An anchor is a person when no other class is likelier; that probability is its confidence.
    """
    raw = outputs[0]
    if raw.ndim != 3 or raw.shape[1] < 5 + how.person_class or raw.shape[2] < raw.shape[1] - 4:
        raise EngineError(
            f"a head before suppression is (n, 4 + classes, anchors), this network gives {raw.shape} "
            f"for {network.height}x{network.width}"
        )
    return [_decode_one(anchors.T, how, placement) for anchors, placement in zip(raw, placements, strict=True)]


def _decode_one(anchors: Float32Array, how: DetectionOutput, placement: Placement) -> Detections:
    confidence = anchors[:, 4 + how.person_class]
    anchors = anchors[confidence >= how.min_confidence]
    anchors = anchors[(anchors[:, 4:].argmax(axis=1) == how.person_class) & np.isfinite(anchors).all(axis=1)]
    confidence = anchors[:, 4 + how.person_class]
    centre, half = anchors[:, 0:2], anchors[:, 2:4] / 2
    boxes = np.concatenate([centre - half, centre + half], axis=1)
    kept = non_maximum_suppression(boxes, confidence, max_iou=how.nms_iou)
    return Detections(placement.to_picture(boxes[kept]), confidence[kept].astype(np.float32))

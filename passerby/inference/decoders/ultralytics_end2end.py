"""The end-to-end head of YOLO26 as Ultralytics exports it: one box per person, no suppression needed."""

from collections.abc import Sequence

import numpy as np

from passerby.arrays import Detections, Float32Array
from passerby.errors import EngineError
from passerby.inference.preprocessing import Placement
from passerby.models import DetectionOutput, Preprocessing


def decode_ultralytics_end2end(
    outputs: Sequence[Float32Array], placements: Sequence[Placement], *, how: DetectionOutput, network: Preprocessing
) -> list[Detections]:
    """People in each picture, best first.

    The output is (n, boxes, 6): x1, y1, x2, y2 in pixels of the network's input, confidence, class.
    """
    raw = outputs[0]
    if raw.ndim != 3 or raw.shape[2] != 6:
        raise EngineError(
            f"an end-to-end head gives (n, boxes, 6), this network gives {raw.shape} "
            f"for {network.height}x{network.width}"
        )
    found = []
    for rows, placement in zip(raw, placements, strict=True):
        people = (rows[:, 5] == how.person_class) & (rows[:, 4] >= how.min_confidence)
        mine = rows[people & np.isfinite(rows).all(axis=1)]
        mine = mine[np.argsort(-mine[:, 4], kind="stable")]
        found.append(Detections(placement.to_picture(mine[:, 0:4]), mine[:, 4].astype(np.float32)))
    return found

"""SSD rows, as Open Model Zoo's detectors give them (Liu et al., SSD, 2016: the network's last layer suppresses)."""

from collections.abc import Sequence

import numpy as np

from passerby.arrays import Detections, Float32Array
from passerby.errors import EngineError
from passerby.inference.preprocessing import Placement
from passerby.models import DetectionOutput, Preprocessing


def decode_ssd(
    outputs: Sequence[Float32Array], placements: Sequence[Placement], *, how: DetectionOutput, network: Preprocessing
) -> list[Detections]:
    """People in each picture, best first.

    The output is (..., 7): rows [image, label, confidence, x1, y1, x2, y2], `image` the index in the batch (a
    negative one ends the list), corners 0-1 of the network's input. Rows with a number that is not finite are dropped.
    """
    if outputs[0].shape[-1] != 7:
        raise EngineError(f"an SSD output has rows of 7, this network gives {outputs[0].shape}")
    rows = outputs[0].reshape(-1, 7)
    ended = np.flatnonzero(rows[:, 0] < 0)
    rows = rows[: ended[0]] if ended.size else rows
    wanted = (rows[:, 1] == how.person_class) & (rows[:, 2] >= how.min_confidence) & np.isfinite(rows).all(axis=1)
    rows = rows[wanted]
    size = np.array([network.width, network.height] * 2, np.float32)
    found = []
    for index, placement in enumerate(placements):
        mine = rows[rows[:, 0] == index]
        mine = mine[np.argsort(-mine[:, 2], kind="stable")]
        found.append(Detections(placement.to_picture(mine[:, 3:7] * size), mine[:, 2].astype(np.float32)))
    return found

"""Whom a clustering took for one person, to look at: a row of crops for each cluster."""

import cv2
import numpy as np

from passerby.arrays import Image, Int64Array
from training.unlabelled import UnlabelledCrops

_HEIGHT, _WIDTH = 96, 48
_ROWS, _COLUMNS = 24, 16
_EDGE = 3
"""Pixels around a crop, in the colour of its camera."""

_COLOURS = ((214, 140, 58), (60, 160, 240), (90, 190, 80), (180, 90, 200), (70, 210, 220), (90, 90, 230))


def cluster_sheet(crops: UnlabelledCrops, people: Int64Array) -> Image:
    """The largest clusters of `people` (n,) int64, -1 for nobody, from above: crops of each spread over its cameras.

    A frame's colour is that of the camera. Without any cluster it is an empty row.
    """
    names, counts = np.unique(people[people >= 0], return_counts=True)
    order = names[np.argsort(-counts, kind="stable")][:_ROWS]
    sheet = np.full((max(len(order), 1) * (_HEIGHT + 4), _COLUMNS * (_WIDTH + 4), 3), 28, np.uint8)
    for row, person in enumerate(order.tolist()):
        members = np.flatnonzero(people == person)
        members = members[np.argsort(crops.cameras[members], kind="stable")]
        shown = members[np.linspace(0, len(members) - 1, min(len(members), _COLUMNS)).round().astype(int)]
        for column, crop in enumerate(shown.tolist()):
            picture = cv2.resize(crops.pictures[crop], (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
            colour = _COLOURS[int(crops.cameras[crop]) % len(_COLOURS)]
            cv2.rectangle(picture, (0, 0), (_WIDTH - 1, _HEIGHT - 1), colour, _EDGE)
            top, left = row * (_HEIGHT + 4) + 2, column * (_WIDTH + 4) + 2
            sheet[top : top + _HEIGHT, left : left + _WIDTH] = picture
    return sheet

"""What is taken for a person and never moves: posters, mannequins, statues; masks that somebody may judge."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hub.listing import Listing, Wanted
from hub.reader import SiteReader
from passerby.arrays import Float32Array
from passerby.ids import CameraId

Polygon: TypeAlias = list[tuple[float, float]]
"""Corners (x, y) as fractions of the picture, as in a camera's `masks`."""

Boxes: TypeAlias = NDArray[np.floating]

SAME_PLACE = 0.7
"""Two boxes with this intersection over union or more are the same thing that has not moved."""

_LEAST_PICTURES = 4
_LEAST_SHARE = 0.8
"""Of the pictures of a short look something must be in so many."""

_LEAST_S = 60.0
"""So long something must have stood, in all tracklets of one place together."""

_LATEST = 300
"""Tracklets of a camera that are looked at."""

_MARGIN_X, _MARGIN_Y = 0.35, 0.08
"""The mask reaches so far around the feet, in widths and heights of the box."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """Something that stood in one place."""

    polygon: Polygon
    """A rectangle around its feet, which is all that a mask asks about."""
    box_xyxy: tuple[float, float, float, float]
    """Fractions of the picture."""
    times: int
    """Pictures of a short look, or tracklets."""
    seconds: float = 0.0
    """How long in all; 0 for a short look."""


def stood_still(seen: Sequence[Float32Array]) -> list[Still]:
    """What stood still as long as was looked: `seen` has the people of each picture, boxes xyxy (n, 4) as fractions.

    Of less than four pictures nothing is said. Somebody who waits is among it: that a look of some seconds cannot tell.

    >>> poster, walker = [0.1, 0.2, 0.2, 0.8], [0.5, 0.2, 0.6, 0.8]
    >>> looks = [np.array([poster, np.add(walker, 0.05 * step)], np.float32) for step in range(5)]
    >>> [one.times for one in stood_still(looks)]
    [5]
    """
    if len(seen) < _LEAST_PICTURES:
        return []
    picture = np.repeat(np.arange(len(seen)), [len(boxes) for boxes in seen])
    boxes = np.concatenate([*seen, np.empty((0, 4), np.float32)]).astype(np.float64)
    found = []
    for members in _places(boxes, np.ones(len(boxes))):
        times = len(np.unique(picture[members]))
        if times >= max(_LEAST_PICTURES, _LEAST_SHARE * len(seen)):
            found.append(_still(boxes[members], times=times))
    return found


def stands_still(walks: Sequence[Boxes], seconds: Sequence[float]) -> list[Still]:
    """What stood still for a minute or more in all: `walks` are tracklets' boxes xyxy (n, 4), as fractions, in order.

    `seconds` says how long each of them was. A tracklet of which a box is elsewhere than most of it has moved.
    The longest first.
    """
    rested = [
        (np.median(walk, axis=0), length)
        for walk, length in zip(walks, seconds, strict=True)
        if len(walk) and float(_overlaps(np.median(walk, axis=0), walk).min()) >= SAME_PLACE
    ]
    if not rested:
        return []
    boxes, lengths = np.array([box for box, _ in rested]), np.array([length for _, length in rested])
    found = [
        _still(boxes[members], times=len(members), seconds=float(lengths[members].sum()))
        for members in _places(boxes, lengths)
    ]
    return sorted((one for one in found if one.seconds >= _LEAST_S), key=lambda one: -one.seconds)


def stands_in(reader: SiteReader, listing: Listing, camera_id: CameraId) -> list[Still]:
    """What stands still in a camera, by its latest tracklets. Raises StoreError."""
    walks, seconds = [], []
    for tracklet in listing.tracklets(scope=None, wanted=Wanted(camera=camera_id), limit=_LATEST):
        size = (tracklet.frame_width, tracklet.frame_height) * 2
        walks.append(reader.observations(tracklet.number).boxes_xyxy / np.array(size, np.float64))
        seconds.append((tracklet.ended_at_ns - tracklet.started_at_ns) / 1e9)
    return stands_still(walks, seconds)


def _places(boxes: Boxes, weights: NDArray[np.floating]) -> list[NDArray[np.intp]]:
    """Rows of `boxes` (n, 4) that are one place each: around the heaviest that is left, what overlaps with it."""
    left = np.ones(len(boxes), bool)
    places = []
    for row in np.argsort(-weights, kind="stable"):
        if left[row]:
            mine = left & (_overlaps(boxes[row], boxes) >= SAME_PLACE)
            left &= ~mine
            if mine.any():
                places.append(np.flatnonzero(mine))
    return places


def _overlaps(box: Boxes, boxes: Boxes) -> NDArray[np.floating]:
    """(n,) intersection over union of one box (4,) with boxes (n, 4)."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    common = np.prod(np.clip(high - low, 0.0, None), axis=1)
    both = np.prod(box[2:] - box[:2]) + np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) - common
    share: NDArray[np.floating] = common / np.maximum(both, 1e-12)
    return share


def _still(boxes: Boxes, *, times: int, seconds: float = 0.0) -> Still:
    box = np.clip(np.median(boxes, axis=0), 0.0, 1.0)
    middle, feet = (boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]
    width, height = box[2] - box[0], box[3] - box[1]
    left, right = middle.min() - _MARGIN_X * width, middle.max() + _MARGIN_X * width
    top, bottom = feet.min() - _MARGIN_Y * height, feet.max() + _MARGIN_Y * height
    x1, x2, y1, y2 = (round(float(np.clip(value, 0.0, 1.0)), 4) for value in (left, right, top, bottom))
    x, y, to_x, to_y = (round(float(value), 4) for value in box)
    return Still(
        polygon=[(x1, y1), (x2, y1), (x2, y2), (x1, y2)], box_xyxy=(x, y, to_x, to_y), times=times, seconds=seconds
    )

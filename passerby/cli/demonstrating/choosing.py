"""What of a run is worth a picture: the moment that shows most, and each person's best look in each camera."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.export import CameraTracks, one_row_each
from passerby.arrays import Float32Array, Int64Array, require_shape
from passerby.ids import CameraId

_LEAST_HEIGHT_PX = 56.0
"""Smaller people are hard to make out in a picture."""

_TALL_PX = 180.0
"""Larger people make no moment better."""

_SLIMNESS = (1.9, 3.8)
"""Height over width of a box that holds a whole person, probably."""

_EDGE_PX = 3.0
"""A box nearer to the picture's edge is perhaps cut off."""

_MOST_OVERLAP = 0.25
"""Share of a box that another box may cover."""

_STEP_S = 0.2
"""Moments that are looked at."""

_MOST_SHARED = 3
"""More people than so many in two cameras at once make no moment better."""


@dataclass(frozen=True, slots=True)
class SeenPeople:
    """Whom a camera saw, row i of each array being one person in one frame, each person at most once in a frame.

    `frames` (n,) int64 from 0; `identities` (n,) int64; `boxes_xyxy` (n, 4) float32 px; `clear` (n,) bool: large
    enough, whole, and hardly behind anybody.
    """

    frames: Int64Array
    identities: Int64Array
    boxes_xyxy: Float32Array
    clear: NDArray[np.bool_]

    def __post_init__(self) -> None:
        count = len(self.frames)
        require_shape("identities", self.identities, (count,))
        require_shape("boxes_xyxy", self.boxes_xyxy, (count, 4))
        require_shape("clear", self.clear, (count,))

    def at(self, frame: int) -> Int64Array:
        """The rows of a frame."""
        return np.flatnonzero(self.frames == frame)


def seen_people(tracks: CameraTracks, *, size: tuple[int, int]) -> SeenPeople:
    """Those who have an identity, as finally known; `size` is (width, height) of the camera's pictures."""
    rows = one_row_each(tracks, tracks.identities)
    frames, boxes = tracks.frame_numbers[rows] - 1, tracks.boxes_xyxy[rows]
    order = np.lexsort((tracks.identities[rows], frames))
    frames, boxes, rows = frames[order], boxes[order], rows[order]
    heights = boxes[:, 3] - boxes[:, 1]
    inside = (boxes[:, :2] >= _EDGE_PX).all(axis=1) & (boxes[:, 2:] <= np.array(size) - _EDGE_PX).all(axis=1)
    clear = inside & (heights >= _LEAST_HEIGHT_PX) & ~tracks.interpolated[rows] & ~_crowded(frames, boxes)
    return SeenPeople(frames, tracks.identities[rows], boxes, clear)


def best_moment(people: Mapping[CameraId, SeenPeople], *, fps: Mapping[CameraId, float], seconds: float) -> float:
    """Seconds since the begin at which most cameras show somebody, most people are in two at once, people are large.

    The earliest of equals; 0 when nobody was seen.
    """
    moments = [step * _STEP_S for step in range(int(seconds / _STEP_S))]
    return max(moments, key=lambda moment: (_worth(people, fps=fps, moment=moment), -moment), default=0.0)


def identities_at(
    people: Mapping[CameraId, SeenPeople], *, fps: Mapping[CameraId, float], moment: float
) -> dict[int, list[CameraId]]:
    """Who is in which cameras at a moment, by identity."""
    found: dict[int, list[CameraId]] = {}
    for camera, seen in people.items():
        for identity in seen.identities[seen.at(int(moment * fps[camera]))].tolist():
            found.setdefault(identity, []).append(camera)
    return dict(sorted(found.items()))


def best_looks(people: Mapping[CameraId, SeenPeople], *, most: int) -> dict[int, dict[CameraId, int]]:
    """For the people clearly seen in most cameras, at least two: the row of their largest clear whole box in each.

    At most `most` people, those in most cameras first, then those who were seen for longest.
    """
    looks: dict[int, dict[CameraId, int]] = {}
    frames: dict[int, int] = {}
    for camera, seen in people.items():
        widths, heights = (seen.boxes_xyxy[:, 2:] - seen.boxes_xyxy[:, :2]).T
        areas = widths * heights
        whole = seen.clear & (heights >= _SLIMNESS[0] * widths) & (heights <= _SLIMNESS[1] * widths)
        for identity in np.unique(seen.identities[whole]).tolist():
            rows = np.flatnonzero(whole & (seen.identities == identity))
            looks.setdefault(identity, {})[camera] = int(rows[np.argmax(areas[rows])])
            frames[identity] = frames.get(identity, 0) + len(rows)
    shared = [identity for identity, cameras in looks.items() if len(cameras) >= 2]
    ranked = sorted(shared, key=lambda identity: (-len(looks[identity]), -frames[identity], identity))
    return {identity: looks[identity] for identity in ranked[:most]}


def _worth(
    people: Mapping[CameraId, SeenPeople], *, fps: Mapping[CameraId, float], moment: float
) -> tuple[int, int, float]:
    cameras, clear, tall = 0, [], 0.0
    for camera, seen in people.items():
        rows = seen.at(int(moment * fps[camera]))
        rows = rows[seen.clear[rows]]
        clear += seen.identities[rows].tolist()
        cameras += len(rows) > 0
        tall += float(np.minimum(seen.boxes_xyxy[rows, 3] - seen.boxes_xyxy[rows, 1], _TALL_PX).sum())
    return cameras, min(len(clear) - len(set(clear)), _MOST_SHARED), tall


def _crowded(frames: Int64Array, boxes: Float32Array) -> NDArray[np.bool_]:
    """(n,) whether another box of the same frame covers too much of a box; rows are in the order of frames."""
    found = np.zeros(len(frames), np.bool_)
    _, firsts, counts = np.unique(frames, return_index=True, return_counts=True)
    for first, last in zip(firsts, firsts + counts, strict=True):
        one, other = boxes[first:last, None], boxes[None, first:last]
        sides = np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2])
        shared = np.prod(np.clip(sides, 0, None), axis=-1)
        np.fill_diagonal(shared, 0)
        areas = np.prod(one[..., 2:] - one[..., :2], axis=-1)
        found[first:last] = (shared > _MOST_OVERLAP * areas).any(axis=1)
    return found

"""What is true of a frame: who is where in it, and how much of each can be seen."""

from dataclasses import dataclass

import numpy as np

from passerby.arrays import Float32Array, Image, Int64Array, require_shape
from passerby.ids import CameraId


@dataclass(frozen=True, slots=True)
class FrameTruth:
    """People of one frame, nearest last: row i of each array is one person.

    `full_boxes_xyxy` (n, 4) hold the whole body, also beyond the picture and behind things; `boxes_xyxy` (n, 4) are
    the same cut to the picture; `visibility` (n,) is the share of the body's pixels that the picture shows, 0-1;
    `floor_xy` (n, 2) is where they stand, metres on the ground plane. Nobody with no pixel at all is in it.
    """

    camera_id: CameraId
    frame_index: int
    time_s: float
    person_ids: Int64Array
    boxes_xyxy: Float32Array
    full_boxes_xyxy: Float32Array
    visibility: Float32Array
    floor_xy: Float32Array

    def __post_init__(self) -> None:
        count = len(self.person_ids)
        require_shape("boxes_xyxy", self.boxes_xyxy, (count, 4))
        require_shape("full_boxes_xyxy", self.full_boxes_xyxy, (count, 4))
        require_shape("visibility", self.visibility, (count,))
        require_shape("floor_xy", self.floor_xy, (count, 2))

    def __len__(self) -> int:
        return len(self.person_ids)


@dataclass(frozen=True, slots=True)
class RenderedFrame:
    """A camera's picture, (height, width, 3) uint8 BGR, and its truth."""

    image: Image
    truth: FrameTruth


def frame_truth(
    camera_id: CameraId,
    frame_index: int,
    *,
    time_s: float,
    rows: list[tuple[int, tuple[float, float, float, float], float, tuple[float, float]]],
    size: tuple[int, int],
) -> FrameTruth:
    """Rows of (person id, full box, visibility, floor place) as arrays; `size` is (width, height)."""
    full = np.array([row[1] for row in rows], np.float32).reshape(-1, 4)
    return FrameTruth(
        camera_id=camera_id,
        frame_index=frame_index,
        time_s=time_s,
        person_ids=np.array([row[0] for row in rows], np.int64),
        boxes_xyxy=np.clip(full, 0, np.array([*size, *size], np.float32)),
        full_boxes_xyxy=full,
        visibility=np.array([row[2] for row in rows], np.float32),
        floor_xy=np.array([row[3] for row in rows], np.float32).reshape(-1, 2),
    )

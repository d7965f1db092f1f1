"""Frames with people marked on them, as the detector is trained on them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, Image, require_shape
from passerby.errors import DataError
from passerby.inference.preprocessing import prepare
from passerby.models import Preprocessing


@dataclass(frozen=True, slots=True)
class MarkedFrames:
    """Row i of each array is one frame, already in the size of the network's input.

    `pictures` (n, height, width, 3) uint8 BGR; `boxes_xyxy` (n, most, 4) float32 pixels of the picture, rows without a
    person zero; `counts` (n, most) bool: somebody to be found; `ignored` (n, most) bool: somebody who may be found or
    not, hardly visible.
    """

    pictures: NDArray[np.uint8]
    boxes_xyxy: Float32Array
    counts: NDArray[np.bool_]
    ignored: NDArray[np.bool_]

    def __post_init__(self) -> None:
        require_shape("pictures", self.pictures, (None, None, None, 3))
        require_shape("boxes_xyxy", self.boxes_xyxy, (len(self.pictures), None, 4))
        require_shape("counts", self.counts, self.boxes_xyxy.shape[:2])
        require_shape("ignored", self.ignored, self.boxes_xyxy.shape[:2])
        if not np.isfinite(self.boxes_xyxy).all():
            raise DataError("boxes_xyxy hold NaN or infinity, expected pixels of the picture")

    def __len__(self) -> int:
        return len(self.pictures)


class FrameCollector:
    """Gathers frames of any size one by one; room for `capacity` of them is taken at once, nothing is copied twice."""

    def __init__(self, how: Preprocessing, *, capacity: int) -> None:
        self._how = Preprocessing(height=how.height, width=how.width, colour="BGR", resize=how.resize)
        self._pictures = np.empty((capacity, how.height, how.width, 3), np.uint8)
        self._boxes: list[Float32Array] = []
        self._ignored: list[NDArray[np.bool_]] = []

    def __len__(self) -> int:
        return len(self._boxes)

    def add(self, picture: Image, *, boxes_xyxy: Float32Array, ignored: NDArray[np.bool_]) -> None:
        """`boxes_xyxy` (m, 4) in pixels of `picture`; `ignored` (m,). Raises DataError when the room is used up."""
        require_shape("boxes_xyxy", boxes_xyxy, (None, 4))
        require_shape("ignored", ignored, (len(boxes_xyxy),))
        if len(self) == len(self._pictures):
            raise DataError(f"there is room for {len(self)} frames, and one more came")
        batch, (placement,) = prepare([picture], self._how)
        self._pictures[len(self)] = batch[0].transpose(1, 2, 0)
        scale = np.array([placement.scale_x, placement.scale_y] * 2, np.float32)
        offset = np.array([placement.offset_x, placement.offset_y] * 2, np.float32)
        self._boxes.append((boxes_xyxy * scale + offset).astype(np.float32))
        self._ignored.append(ignored)

    def collected(self) -> MarkedFrames:
        """All frames so far."""
        most = max((len(boxes) for boxes in self._boxes), default=0)
        boxes = np.zeros((len(self), most, 4), np.float32)
        counts, ignored = np.zeros((2, len(self), most), np.bool_)
        for row, (own, unsure) in enumerate(zip(self._boxes, self._ignored, strict=True)):
            boxes[row, : len(own)] = own
            counts[row, : len(own)] = ~unsure
            ignored[row, : len(own)] = unsure
        return MarkedFrames(self._pictures[: len(self)], boxes, counts, ignored)

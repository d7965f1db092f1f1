"""Array types with their shapes, and the few operations that everyone needs.

Boxes are `boxes_xyxy`: (n, 4) float32 pixels of the full frame, x to the right, y down, right and bottom exclusive.
Images are BGR as OpenCV has them: (height, width, 3) uint8.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from passerby.errors import DataError

Image: TypeAlias = NDArray[np.uint8]
Float32Array: TypeAlias = NDArray[np.float32]
Int64Array: TypeAlias = NDArray[np.int64]


def require_shape(name: str, array: NDArray[Any], shape: tuple[int | None, ...]) -> None:
    """Raise DataError unless `array` has `shape`; None stands for any length.

    >>> require_shape("boxes_xyxy", np.zeros((3, 4)), (None, 4))
    >>> require_shape("boxes_xyxy", np.zeros((3, 5)), (None, 4))
    Traceback (most recent call last):
    passerby.errors.DataError: boxes_xyxy has shape (3, 5), expected (any, 4)
    """
    matches = array.ndim == len(shape) and all(
        expected is None or expected == actual for expected, actual in zip(shape, array.shape, strict=True)
    )
    if not matches:
        wanted = ", ".join("any" if length is None else str(length) for length in shape)
        raise DataError(f"{name} has shape {array.shape}, expected ({wanted}{',' if len(shape) == 1 else ''})")


def require_image(name: str, image: NDArray[Any]) -> None:
    """Raise DataError unless `image` is a non-empty (height, width, 3) uint8 picture."""
    require_shape(name, image, (None, None, 3))
    if image.dtype != np.uint8 or image.size == 0:
        raise DataError(f"{name} is {image.dtype} of shape {image.shape}, expected a non-empty uint8 BGR picture")


def l2_normalize(vectors: NDArray[np.floating[Any]]) -> Float32Array:
    """Scale each row (last axis) to length one; a zero row stays zero.

    >>> l2_normalize(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    values = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(values, axis=-1, keepdims=True)
    unit: Float32Array = np.divide(values, lengths, out=np.zeros_like(values), where=lengths > 0)
    return unit


@dataclass(frozen=True, slots=True)
class Detections:
    """People found in one frame: row i of each array is one person.

    `boxes_xyxy` (n, 4) float32 pixels of the full frame, clipped to it; `confidence` (n,) float32 in 0-1.
    """

    boxes_xyxy: Float32Array
    confidence: Float32Array

    def __post_init__(self) -> None:
        require_shape("boxes_xyxy", self.boxes_xyxy, (None, 4))
        require_shape("confidence", self.confidence, (len(self.boxes_xyxy),))

    def __len__(self) -> int:
        return len(self.confidence)

    @classmethod
    def empty(cls) -> "Detections":
        """No people."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))

    def where(self, keep: NDArray[Any]) -> "Detections":
        """The rows that `keep`, a mask (n,) bool or indices (m,), selects."""
        return Detections(self.boxes_xyxy[keep], self.confidence[keep])

"""From pictures to a network's input, and from its boxes back to the picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from passerby.arrays import Float32Array, Image, require_image
from passerby.models import Preprocessing

_PADDING = 114
"""The grey that YOLOX and Ultralytics train their letterboxes with."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a picture lies in the network's input, in pixels: input = picture * scale + offset."""

    scale_x: float
    scale_y: float
    offset_x: int
    offset_y: int
    picture_width: int
    picture_height: int

    def to_picture(self, boxes_xyxy: Float32Array) -> Float32Array:
        """Boxes (n, 4) in pixels of the input, as pixels of the picture, clipped to it.

        >>> half = Placement(0.5, 0.5, 0, 10, picture_width=200, picture_height=100)
        >>> half.to_picture(np.array([[10, 20, 60, 200]], np.float32)).tolist()
        [[20.0, 20.0, 120.0, 100.0]]
        """
        offset = np.array([self.offset_x, self.offset_y] * 2, np.float32)
        scale = np.array([self.scale_x, self.scale_y] * 2, np.float32)
        limit = np.array([self.picture_width, self.picture_height] * 2, np.float32)
        clipped: Float32Array = np.clip((boxes_xyxy - offset) / scale, np.float32(0), limit).astype(np.float32)
        return clipped


def prepare(images: Sequence[Image], how: Preprocessing) -> tuple[Float32Array, list[Placement]]:
    """The network's input (n, 3, height, width) float32 for n pictures of any sizes, and where each lies in it.

    Bilinear resizing as OpenCV does it by default; then colour order, `scale`, `mean`, `std`. No pictures give
    (0, 3, height, width). Raises DataError for a picture that is not (height, width, 3) uint8.
    """
    for index, image in enumerate(images):
        require_image(f"picture {index}", image)
    batch = np.empty((len(images), 3, how.height, how.width), np.float32)
    placements = []
    for row, image in zip(batch, images, strict=True):
        fitted, placement = _fit(image, how)
        channels = fitted[:, :, ::-1] if how.colour == "RGB" else fitted
        row[...] = channels.transpose(2, 0, 1)
        placements.append(placement)
    if how.scale != 1.0:
        batch *= np.float32(how.scale)
    if any(how.mean):
        batch -= np.array(how.mean, np.float32).reshape(3, 1, 1)
    if how.std != (1.0, 1.0, 1.0):
        batch /= np.array(how.std, np.float32).reshape(3, 1, 1)
    return batch, placements


def _fit(image: Image, how: Preprocessing) -> tuple[Image, Placement]:
    height, width = image.shape[:2]
    if how.resize == "stretch":
        placement = Placement(how.width / width, how.height / height, 0, 0, width, height)
        return _resize(image, how.width, how.height), placement

    ratio = min(how.width / width, how.height / height)
    if how.resize == "letterbox-topleft":  # YOLOX cuts off the fraction of a pixel
        inner_width, inner_height = int(width * ratio), int(height * ratio)
        left = top = 0
    else:  # Ultralytics rounds, and gives the odd pixel of padding to the right and the bottom
        inner_width, inner_height = round(width * ratio), round(height * ratio)
        left = round((how.width - inner_width) / 2 - 0.1)
        top = round((how.height - inner_height) / 2 - 0.1)
    inner_width, inner_height = max(inner_width, 1), max(inner_height, 1)
    canvas = np.full((how.height, how.width, 3), _PADDING, np.uint8)
    canvas[top : top + inner_height, left : left + inner_width] = _resize(image, inner_width, inner_height)
    # Not `ratio`: the picture was resized to whole pixels, by a little more or less along each axis.
    return canvas, Placement(inner_width / width, inner_height / height, left, top, width, height)


def _resize(image: Image, width: int, height: int) -> Image:
    if image.shape[:2] == (height, width):
        return image
    resized: Image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    return resized

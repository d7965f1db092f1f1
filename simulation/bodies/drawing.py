"""From surface samples to a picture with transparency."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from simulation.bodies.figure import Samples

_LEVELS = 4096
"""Depths told apart: half a millimetre."""


@dataclass(frozen=True, slots=True)
class Sprite:
    """A drawn figure. `bgra` (height, width, 4) uint8 with premultiplied alpha; `origin` is the ground point's pixel.

    `bounds_xyxy` is the tight box of the opaque pixels, in pixels of the sprite.
    """

    bgra: NDArray[np.uint8]
    origin: tuple[float, float]
    bounds_xyxy: tuple[int, int, int, int]
    area: int
    """Opaque pixels."""


def draw(samples: Samples, *, px_per_m: float) -> Sprite:
    """Splat samples nearest last, close the pinholes, and soften the outline."""
    # Column by column: reductions along the short axis are ten times slower.
    x, y = samples.xyz[:, 0] * np.float32(px_per_m), samples.xyz[:, 1] * np.float32(px_per_m)
    depth = np.ascontiguousarray(samples.xyz[:, 2])
    left, top = int(np.floor(x.min())) - 2, int(np.floor(y.min())) - 2
    width, height = int(np.ceil(x.max())) - left + 3, int(np.ceil(y.max())) - top + 3
    index = (y - top).astype(np.int32) * width + (x - left).astype(np.int32)
    steps = (depth - depth.min()) * np.float32(_LEVELS / 2)
    order = np.argsort(steps.astype(np.uint16), kind="stable")
    nearest = np.full(height * width, -1, np.int32)
    nearest[index[order]] = order
    hit = np.flatnonzero(nearest >= 0)
    chosen = nearest[hit]
    picture = np.zeros((height * width, 4), np.uint8)
    colour = samples.albedo[chosen] * samples.light[chosen][:, None]
    picture[hit, :3] = np.minimum(colour[:, ::-1], 255)
    picture[hit, 3] = 255
    return _finish(picture.reshape(height, width, 4), origin=(-float(left), -float(top)))


def _finish(picture: NDArray[np.uint8], *, origin: tuple[float, float]) -> Sprite:
    solid = cv2.morphologyEx(picture[..., 3], cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    holes = (solid > 0) & (picture[..., 3] == 0)
    if holes.any():
        spread = cv2.blur(picture, (3, 3)).astype(np.float32)
        weight = np.maximum(spread[..., 3:], 1.0)
        picture[holes] = np.minimum(spread[holes] * 255.0 / weight[holes], 255).astype(np.uint8)
    soft = cv2.GaussianBlur(solid, (3, 3), 0)
    blurred = cv2.GaussianBlur(picture, (3, 3), 0)
    # Inside keep the picture sharp; along the outline take the blurred, already premultiplied one.
    edge = (soft < 255) & (soft > 0)
    picture[edge] = blurred[edge]
    picture[..., 3] = np.where(edge, soft, picture[..., 3])
    picture[soft == 0] = 0
    x, y, w, h = cv2.boundingRect(solid)
    return Sprite(
        picture,
        origin=origin,
        bounds_xyxy=(x, y, x + w, y + h),
        area=cv2.countNonZero(solid),
    )

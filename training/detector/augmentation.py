"""Frames as other cameras might have seen them: mirrored, nearer or farther, shifted, in other colours."""

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from passerby.arrays import Float32Array
from training.detector.frames import MarkedFrames

_PADDING = 114
"""The grey around a letterboxed picture."""


class FrameChanges(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far each change goes."""

    mirror: float = 0.5
    """How often."""
    smallest: float = 0.7
    largest: float = 1.5
    shift: float = 0.15
    """Of the sides, to either side."""
    brightness: float = 0.25
    contrast: float = 0.25
    channel_gain: float = 0.12
    kept_share: float = 0.35
    """Somebody of whom less than this share is still in the picture is ignored."""


def changed(
    frames: MarkedFrames, rows: NDArray[np.int64], *, changes: FrameChanges, draw: np.random.Generator
) -> MarkedFrames:
    """The frames of `rows` (m,), each changed at random, boxes with them."""
    height, width = frames.pictures.shape[1:3]
    pictures = np.empty((len(rows), height, width, 3), np.uint8)
    boxes, counts, ignored = frames.boxes_xyxy[rows], frames.counts[rows], frames.ignored[rows]
    for index, row in enumerate(rows):
        mapping = _mapping(changes, draw, width=width, height=height)
        moved = cv2.warpAffine(frames.pictures[row], mapping, (width, height), borderValue=(_PADDING,) * 3)
        pictures[index] = _recoloured(np.asarray(moved, np.uint8), changes, draw)
        boxes[index] = _moved(boxes[index], mapping)
    inside = np.clip(boxes, 0, np.array([width, height] * 2, np.float32)).astype(np.float32)
    lost = _area(inside) < changes.kept_share * _area(boxes)
    present = (counts | ignored) & (_area(inside) > 0)
    return MarkedFrames(pictures, inside, counts & present & ~lost, present & (ignored | lost))


def _mapping(changes: FrameChanges, draw: np.random.Generator, *, width: int, height: int) -> NDArray[np.float64]:
    """(2, 3): where a pixel of the frame goes; scaling is about the middle."""
    scale = float(np.exp(draw.uniform(np.log(changes.smallest), np.log(changes.largest))))
    across = -scale if draw.random() < changes.mirror else scale
    shift_x, shift_y = draw.uniform(-changes.shift, changes.shift, 2) * (width, height)
    return np.array(
        [
            [across, 0.0, width / 2 - across * width / 2 + shift_x],
            [0.0, scale, height / 2 - scale * height / 2 + shift_y],
        ]
    )


def _moved(boxes_xyxy: Float32Array, mapping: NDArray[np.float64]) -> Float32Array:
    x = boxes_xyxy[:, [0, 2]] * mapping[0, 0] + mapping[0, 2]
    y = boxes_xyxy[:, [1, 3]] * mapping[1, 1] + mapping[1, 2]
    x = np.sort(x, axis=1)  # a mirror exchanges left and right
    return np.stack([x[:, 0], y[:, 0], x[:, 1], y[:, 1]], axis=1).astype(np.float32)


def _recoloured(picture: NDArray[np.uint8], changes: FrameChanges, draw: np.random.Generator) -> NDArray[np.uint8]:
    gains = (1 + draw.uniform(-changes.contrast, changes.contrast)) * (
        1 + draw.uniform(-changes.channel_gain, changes.channel_gain, 3)
    )
    lift = 128 * draw.uniform(-changes.brightness, changes.brightness)
    levels = np.arange(256)[:, None]
    table = np.clip((levels - 128) * gains + 128 + lift, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(picture, table[None]), np.uint8)


def _area(boxes_xyxy: Float32Array) -> Float32Array:
    area: Float32Array = np.prod(np.maximum(boxes_xyxy[..., 2:] - boxes_xyxy[..., :2], 0), axis=-1)
    return area

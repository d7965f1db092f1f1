"""Crops as other moments might have shown them: mirrored, shifted, half covered, in other colours."""

import numpy as np
import torch
from msgspec import Struct
from numpy.typing import NDArray
from torch import Tensor

from passerby.models import Preprocessing


class CropChanges(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far each change goes; all zero: none."""

    mirror: float = 0.5
    """How often."""
    padding: int = 5
    """Pixels added around before a window of the old size is cut out anywhere."""
    erase: float = 0.5
    """How often a rectangle is wiped out (Zhong et al., Random Erasing Data Augmentation, AAAI 2020)."""
    erase_area: tuple[float, float] = (0.02, 0.4)
    erase_aspect: tuple[float, float] = (0.3, 3.3)
    brightness: float = 0.2
    contrast: float = 0.2
    channel_gain: float = 0.08


NO_CHANGES = CropChanges(mirror=0, padding=0, erase=0, brightness=0, contrast=0, channel_gain=0)


def training_input(
    crops: NDArray[np.uint8], *, how: Preprocessing, changes: CropChanges, draw: np.random.Generator
) -> Tensor:
    """BGR `crops` (n, height, width, 3) uint8 in the network's size, each changed at random: (n, 3, height, width).

    Colour order, scale, mean and deviation are those of `how`, as the engines apply them; what is erased or padded
    becomes the mean colour.
    """
    changed = np.empty(crops.shape, np.float32)
    mean = np.array(how.mean if how.colour == "BGR" else how.mean[::-1], np.float32) / np.float32(how.scale)
    for crop, out in zip(crops, changed, strict=True):
        out[...] = _recoloured(crop, changes, draw)
        if draw.random() < changes.mirror:
            out[...] = out[:, ::-1].copy()
        _shift(out, changes.padding, mean, draw)
        if draw.random() < changes.erase:
            _erase(out, changes, mean, draw)
    channels = changed[..., ::-1] if how.colour == "RGB" else changed
    pictures = torch.from_numpy(np.ascontiguousarray(channels.transpose(0, 3, 1, 2)))
    return (pictures * how.scale - _column(how.mean)) / _column(how.std)


def on_device(pictures: Tensor, device: torch.device) -> Tensor:
    """The pictures (n, 3, height, width) where a network is, channels last: half the time on a CPU."""
    return pictures.to(device).contiguous(memory_format=torch.channels_last)


def _column(values: tuple[float, float, float]) -> Tensor:
    return torch.tensor(values).reshape(3, 1, 1)


def _recoloured(crop: NDArray[np.uint8], changes: CropChanges, draw: np.random.Generator) -> NDArray[np.float32]:
    gains = (1 + draw.uniform(-changes.contrast, changes.contrast)) * (
        1 + draw.uniform(-changes.channel_gain, changes.channel_gain, 3)
    )
    lift = 128 * draw.uniform(-changes.brightness, changes.brightness)
    values = (crop.astype(np.float32) - 128) * gains.astype(np.float32) + np.float32(128 + lift)
    clipped: NDArray[np.float32] = np.clip(values, 0, 255).astype(np.float32)
    return clipped


def _shift(picture: NDArray[np.float32], padding: int, mean: NDArray[np.float32], draw: np.random.Generator) -> None:
    """Move by up to `padding` pixels along each axis, in place."""
    down, right = (int(step) for step in draw.integers(-padding, padding + 1, 2))
    height, width = picture.shape[:2]
    moved = np.broadcast_to(mean, picture.shape).copy()
    moved[max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)] = picture[
        max(-down, 0) : height + min(-down, 0), max(-right, 0) : width + min(-right, 0)
    ]
    picture[...] = moved


def _erase(
    picture: NDArray[np.float32], changes: CropChanges, mean: NDArray[np.float32], draw: np.random.Generator
) -> None:
    """Wipe a rectangle out, in place; one that would not fit is cut to the picture's sides."""
    height, width = picture.shape[:2]
    area = draw.uniform(*changes.erase_area) * height * width
    aspect = float(np.exp(draw.uniform(*np.log(changes.erase_aspect))))
    rows, columns = min(height, round((area * aspect) ** 0.5)), min(width, round((area / aspect) ** 0.5))
    top, left = int(draw.integers(0, height - rows + 1)), int(draw.integers(0, width - columns + 1))
    picture[top : top + rows, left : left + columns] = mean

"""The detector: fully convolutional, anchor-free (Tian et al., FCOS, ICCV 2019), three strides joined top-down.

Feature pyramid: Lin et al., CVPR 2017. Bottlenecks with a shortcut: He et al., CVPR 2016. Half a million weights.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from passerby.errors import ModelError

STRIDES = (8, 16, 32)
"""Pixels of the input between neighbouring anchors of each level."""

_PYRAMID = 64
"""Channels of every level."""

_TYPICAL_HALVES = (1.3, 3.0, 1.3, 3.0)
"""Strides from an anchor to a person's left, top, right and bottom edge, where training starts."""

_RARE = 0.01
"""The confidence that an anchor starts with: most show no person."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """What the network says of each anchor, in pixels of the input.

    `logits` (n, anchors); `boxes_xyxy` (n, anchors, 4); `points` (anchors, 2) x, y; `strides` (anchors,).
    """

    logits: Tensor
    boxes_xyxy: Tensor
    points: Tensor
    strides: Tensor


class _Convolution(nn.Sequential):
    """Convolution, batch norm, rectifier."""

    def __init__(self, inside: int, out: int, *, size: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inside, out, size, stride=stride, padding=size // 2, groups=groups, bias=False),
            nn.BatchNorm2d(out),
            nn.ReLU(),
        )


class _Bottleneck(nn.Module):
    """Half the channels, a 3x3 back to all, and the input added."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _Convolution(channels, channels // 2), _Convolution(channels // 2, channels, size=3)
        )

    def forward(self, maps: Tensor) -> Tensor:
        result: Tensor = maps + self.layers(maps)
        return result


class PersonDetector(nn.Module):
    """Pictures (n, 3, height, width) BGR in 0-1, sides multiples of 32, to Predictions."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            _Convolution(3, 16, size=3, stride=2), _Convolution(16, 24, size=3, stride=2), _Bottleneck(24)
        )
        self.stage8 = _stage(24, 48, blocks=3)
        self.stage16 = _stage(48, 96, blocks=3)
        self.stage32 = _stage(96, 96, blocks=2)
        self.lateral = nn.ModuleList(_Convolution(channels, _PYRAMID) for channels in (48, 96, 96))
        self.smooth = nn.ModuleList(_separable(_PYRAMID) for _ in STRIDES)
        self.head = _Convolution(_PYRAMID, _PYRAMID, size=3)
        self.confidence = _predictor([-math.log((1 - _RARE) / _RARE)])
        self.sides = _predictor([math.log(math.expm1(half)) for half in _TYPICAL_HALVES])

    def forward(self, pictures: Tensor) -> Predictions:
        height, width = pictures.shape[2:]
        if height % STRIDES[-1] or width % STRIDES[-1]:
            raise ModelError(f"the detector's input is {height}x{width}, expected multiples of {STRIDES[-1]}")
        fine = self.stage8(self.stem(pictures))
        middle = self.stage16(fine)
        coarse = self.stage32(middle)
        top = self.lateral[2](coarse)
        between = self.lateral[1](middle) + functional.interpolate(top, scale_factor=2.0, mode="nearest")
        bottom = self.lateral[0](fine) + functional.interpolate(between, scale_factor=2.0, mode="nearest")
        logits, boxes, points, strides = [], [], [], []
        for level, (maps, stride) in enumerate(zip((bottom, between, top), STRIDES, strict=True)):
            seen = self.head(self.smooth[level](maps))
            logits.append(self.confidence(seen).float().flatten(1))
            centres = _grid(height // stride, width // stride, stride, like=pictures)
            sides = functional.softplus(self.sides(seen).float()).flatten(2).transpose(1, 2) * stride
            boxes.append(torch.cat([centres - sides[..., :2], centres + sides[..., 2:]], dim=-1))
            points.append(centres)
            strides.append(torch.full_like(centres[:, 0], stride))
        return Predictions(torch.cat(logits, 1), torch.cat(boxes, 1), torch.cat(points), torch.cat(strides))


class DeployedDetector(nn.Module):
    """The same network with the output that the layout `ultralytics-nms` prescribes.

    (n, 5, anchors): centre x, centre y, width, height in pixels of the input, confidence in 0-1.
    """

    def __init__(self, network: PersonDetector) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> Tensor:
        found = self.network(pictures)
        low, high = found.boxes_xyxy[..., :2], found.boxes_xyxy[..., 2:]
        rows = torch.cat([(low + high) / 2, high - low, torch.sigmoid(found.logits)[..., None]], dim=-1)
        return rows.transpose(1, 2)


def _stage(inside: int, out: int, *, blocks: int) -> nn.Sequential:
    return nn.Sequential(_Convolution(inside, out, size=3, stride=2), *(_Bottleneck(out) for _ in range(blocks)))


def _separable(channels: int) -> nn.Sequential:
    """3x3 within each channel, then across them."""
    return nn.Sequential(_Convolution(channels, channels, size=3, groups=channels), _Convolution(channels, channels))


def _predictor(start: list[float]) -> nn.Conv2d:
    """One number per entry of `start` for each anchor; about `start` before training."""
    predictor = nn.Conv2d(_PYRAMID, len(start), 1)
    nn.init.normal_(predictor.weight, std=0.01)
    predictor.bias = nn.Parameter(torch.tensor(start))
    return predictor


def _grid(rows: int, columns: int, stride: int, *, like: Tensor) -> Tensor:
    """Centres (rows * columns, 2) of a level's cells, x and y in pixels of the input."""
    y, x = torch.meshgrid(
        torch.arange(rows, dtype=like.dtype, device=like.device),
        torch.arange(columns, dtype=like.dtype, device=like.device),
        indexing="ij",
    )
    return (torch.stack([x, y], dim=-1).reshape(-1, 2) + 0.5) * stride

"""The parts of OSNet and OSNet-AIN, under the names of torchreid's state dicts."""

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor, nn

FEATURES = 512
"""Length of the vector that identifies a person, at every width."""

_NORMS: Mapping[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "instance": lambda channels: nn.InstanceNorm2d(channels, affine=True),
    "none": lambda _: nn.Identity(),
}


class Convolution(nn.Module):
    """Convolution and norm (of the batch, or of each picture's channels), with or without rectifier."""

    def __init__(
        self,
        inside: int,
        out: int,
        *,
        size: int = 1,
        stride: int = 1,
        rectify: bool = True,
        norm: Literal["batch", "instance", "none"] = "batch",
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, out, size, stride=stride, padding=size // 2, bias=False)
        self.bn = _NORMS[norm](out)
        self.relu = nn.ReLU() if rectify else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        result: Tensor = self.relu(self.bn(self.conv(maps)))
        return result


class Light3x3(nn.Module):
    """Pointwise, then depthwise 3x3: the paper's lite 3x3, figure 3b."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.bn = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU()

    def forward(self, maps: Tensor) -> Tensor:
        result: Tensor = self.relu(self.bn(self.conv2(self.conv1(maps))))
        return result


class Gate(nn.Module):
    """How much of each channel passes, from its mean: the aggregation gate, shared by the streams of a block."""

    def __init__(self, channels: int, *, reduction: int = 16) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // reduction, 1)
        self.fc2 = nn.Conv2d(channels // reduction, channels, 1)

    def forward(self, maps: Tensor) -> Tensor:
        means = maps.mean(dim=(2, 3), keepdim=True)
        return maps * torch.sigmoid(self.fc2(torch.relu(self.fc1(means))))


def embedding_layer(channels: int) -> nn.Sequential:
    """Pooled maps (n, channels) to what identifies a person (n, 512)."""
    return nn.Sequential(nn.Linear(channels, FEATURES), nn.BatchNorm1d(FEATURES), nn.ReLU())

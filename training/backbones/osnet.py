"""OSNet (Zhou et al., Omni-Scale Feature Learning for Person Re-Identification, ICCV 2019), all widths.

Modules bear the names of torchreid's published state dicts, so that those load as they are.
"""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from passerby.errors import ModelError

_WIDTHS: Mapping[int, tuple[int, int, int, int]] = {
    64: (64, 256, 384, 512),  # x1.0
    48: (48, 192, 288, 384),  # x0.75
    32: (32, 128, 192, 256),  # x0.5
    16: (16, 64, 96, 128),  # x0.25
}
"""Channels after the stem and the three stages, by the channels of the stem."""

_FEATURES = 512
"""Length of the vector that identifies a person, at every width."""


class _Convolution(nn.Module):
    """Convolution and batch norm, with or without rectifier."""

    def __init__(self, inside: int, out: int, *, size: int = 1, stride: int = 1, rectify: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, out, size, stride=stride, padding=size // 2, bias=False)
        self.bn = nn.BatchNorm2d(out)
        self.relu = nn.ReLU() if rectify else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        result: Tensor = self.relu(self.bn(self.conv(maps)))
        return result


class _Light3x3(nn.Module):
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


class _Gate(nn.Module):
    """How much of each channel passes, from its mean: the aggregation gate, shared by the streams of a block."""

    def __init__(self, channels: int, *, reduction: int = 16) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // reduction, 1)
        self.fc2 = nn.Conv2d(channels // reduction, channels, 1)

    def forward(self, maps: Tensor) -> Tensor:
        means = maps.mean(dim=(2, 3), keepdim=True)
        return maps * torch.sigmoid(self.fc2(torch.relu(self.fc1(means))))


class _OmniScaleBlock(nn.Module):
    """Bottleneck of four streams with receptive fields 3, 5, 7, 9, gated and added: figure 4b."""

    def __init__(self, inside: int, out: int) -> None:
        super().__init__()
        middle = out // 4
        self.conv1 = _Convolution(inside, middle)
        self.conv2a = _Light3x3(middle)
        self.conv2b = nn.Sequential(*(_Light3x3(middle) for _ in range(2)))
        self.conv2c = nn.Sequential(*(_Light3x3(middle) for _ in range(3)))
        self.conv2d = nn.Sequential(*(_Light3x3(middle) for _ in range(4)))
        self.gate = _Gate(middle)
        self.conv3 = _Convolution(middle, out, rectify=False)
        self.downsample = _Convolution(inside, out, rectify=False) if inside != out else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        narrow = self.conv1(maps)
        gathered = self.gate(self.conv2a(narrow))
        for scale in (self.conv2b, self.conv2c, self.conv2d):
            gathered = gathered + self.gate(scale(narrow))
        return torch.relu(self.conv3(gathered) + self.downsample(maps))


class OSNet(nn.Module):
    """Pictures (n, 3, 256, 128), RGB with ImageNet mean and standard deviation, to raw embeddings (n, 512).

    `stem` is the number of channels of the first layer: 64, 48, 32 or 16 for the widths x1.0, x0.75, x0.5, x0.25.
    """

    feature_dimension = _FEATURES

    def __init__(self, stem: int = 64) -> None:
        super().__init__()
        if stem not in _WIDTHS:
            raise ModelError(
                f"no OSNet has {stem} channels in its first layer; expected {', '.join(map(str, _WIDTHS))}"
            )
        first, second, third, fourth = _WIDTHS[stem]
        self.conv1 = _Convolution(3, first, size=7, stride=2)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.conv2 = _stage(first, second, halve=True)
        self.conv3 = _stage(second, third, halve=True)
        self.conv4 = _stage(third, fourth, halve=False)
        self.conv5 = _Convolution(fourth, fourth)
        self.fc = nn.Sequential(nn.Linear(fourth, _FEATURES), nn.BatchNorm1d(_FEATURES), nn.ReLU())

    def forward(self, pictures: Tensor) -> Tensor:
        maps = self.maxpool(self.conv1(pictures))
        maps = self.conv5(self.conv4(self.conv3(self.conv2(maps))))
        embeddings: Tensor = self.fc(maps.mean(dim=(2, 3)))
        return embeddings


def load_osnet(path: Path) -> OSNet:
    """An OSNet in evaluation mode from a torchreid state dict (.pth); its width is read from the weights.

    The classifier of the training identities is left out. Raises ModelError for a file that is not one.
    """
    try:
        loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ModelError(f"{path}: cannot read the state dict: {error.strerror or error}") from error
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelError(f"{path}: not a state dict that loads with weights_only=True: {reason}") from error
    state = loaded.get("state_dict", loaded) if isinstance(loaded, Mapping) else None
    if not isinstance(state, Mapping) or not all(isinstance(key, str) for key in state):
        raise ModelError(f"{path}: holds {type(loaded).__name__}, expected a state dict of an OSNet")
    weights = {key.removeprefix("module."): value for key, value in state.items()}
    stem = weights.get("conv1.conv.weight")
    if not isinstance(stem, Tensor) or stem.ndim != 4:
        raise ModelError(f"{path}: not an OSNet: it has no conv1.conv.weight of four axes")
    network = OSNet(stem.shape[0])
    try:
        network.load_state_dict({key: value for key, value in weights.items() if not key.startswith("classifier.")})
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines()]
        raise ModelError(f"{path}: not a plain OSNet: {lines[min(1, len(lines) - 1)][:200]}") from error
    return network.eval()


def _stage(inside: int, out: int, *, halve: bool) -> nn.Sequential:
    blocks: list[nn.Module] = [_OmniScaleBlock(inside, out), _OmniScaleBlock(out, out)]
    if halve:
        blocks.append(nn.Sequential(_Convolution(out, out), nn.AvgPool2d(2)))
    return nn.Sequential(*blocks)

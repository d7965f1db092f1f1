"""OSNet (Zhou et al., Omni-Scale Feature Learning for Person Re-Identification, ICCV 2019), all widths.

Modules bear the names of torchreid's published state dicts, so that those load as they are.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from passerby.errors import ModelError
from training.backbones.backbone import Backbone
from training.backbones.osnet_layers import FEATURES, Convolution, Gate, Light3x3, embedding_layer
from training.backbones.pooling import Pooling, make_pooling
from training.backbones.state_dicts import Weights, fill, read_state_dict

_WIDTHS: Mapping[int, tuple[int, int, int, int]] = {
    64: (64, 256, 384, 512),  # x1.0
    48: (48, 192, 288, 384),  # x0.75
    32: (32, 128, 192, 256),  # x0.5
    16: (16, 64, 96, 128),  # x0.25
}
"""Channels after the stem and the three stages, by the channels of the stem."""


class _OmniScaleBlock(nn.Module):
    """Bottleneck of four streams with receptive fields 3, 5, 7, 9, gated and added: figure 4b."""

    def __init__(self, inside: int, out: int) -> None:
        super().__init__()
        middle = out // 4
        self.conv1 = Convolution(inside, middle)
        self.conv2a = Light3x3(middle)
        self.conv2b = nn.Sequential(*(Light3x3(middle) for _ in range(2)))
        self.conv2c = nn.Sequential(*(Light3x3(middle) for _ in range(3)))
        self.conv2d = nn.Sequential(*(Light3x3(middle) for _ in range(4)))
        self.gate = Gate(middle)
        self.conv3 = Convolution(middle, out, rectify=False)
        self.downsample = Convolution(inside, out, rectify=False) if inside != out else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        narrow = self.conv1(maps)
        gathered = self.gate(self.conv2a(narrow))
        for scale in (self.conv2b, self.conv2c, self.conv2d):
            gathered = gathered + self.gate(scale(narrow))
        return torch.relu(self.conv3(gathered) + self.downsample(maps))


class OSNet(Backbone):
    """Pictures (n, 3, 256, 128), RGB with ImageNet mean and standard deviation, to raw embeddings (n, 512).

    `stem` is the number of channels of the first layer: 64, 48, 32 or 16 for the widths x1.0, x0.75, x0.5, x0.25.
    """

    feature_dimension = FEATURES

    def __init__(self, stem: int = 64, *, pooling: Pooling = "mean") -> None:
        super().__init__()
        if stem not in _WIDTHS:
            raise ModelError(
                f"no OSNet has {stem} channels in its first layer; expected {', '.join(map(str, _WIDTHS))}"
            )
        first, second, third, fourth = _WIDTHS[stem]
        self.conv1 = Convolution(3, first, size=7, stride=2)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.conv2 = _stage(first, second, halve=True)
        self.conv3 = _stage(second, third, halve=True)
        self.conv4 = _stage(third, fourth, halve=False)
        self.conv5 = Convolution(fourth, fourth)
        self.pool = make_pooling(pooling)
        self.fc = embedding_layer(fourth)

    def forward(self, pictures: Tensor) -> Tensor:
        maps = self.maxpool(self.conv1(pictures))
        maps = self.conv5(self.conv4(self.conv3(self.conv2(maps))))
        embeddings: Tensor = self.fc(self.pool(maps))
        return embeddings


def load_osnet(path: Path) -> OSNet:
    """An OSNet in evaluation mode from a torchreid state dict (.pth); its width is read from the weights.

    The classifier of the training identities is left out. Raises ModelError for a file that is not one.
    """
    return osnet_of(read_state_dict(path), path=path)


def osnet_of(weights: Weights, *, path: Path, pooling: Pooling = "mean") -> OSNet:
    """An OSNet in evaluation mode that holds `weights`, whose stem says its width. Raises ModelError with `path`."""
    stem = weights.get("conv1.conv.weight")
    if stem is None or stem.ndim != 4:
        raise ModelError(f"{path}: not an OSNet: it has no conv1.conv.weight of four axes")
    if stem.shape[0] not in _WIDTHS:
        raise ModelError(f"{path}: no OSNet has {stem.shape[0]} channels in its first layer (conv1.conv.weight)")
    network = OSNet(stem.shape[0], pooling=pooling)
    kept = {key: value for key, value in weights.items() if not key.startswith("classifier.")}
    fill(network, kept, path=path, family="a plain OSNet")
    return network.eval()


def _stage(inside: int, out: int, *, halve: bool) -> nn.Sequential:
    blocks: list[nn.Module] = [_OmniScaleBlock(inside, out), _OmniScaleBlock(out, out)]
    if halve:
        blocks.append(nn.Sequential(Convolution(out, out), nn.AvgPool2d(2)))
    return nn.Sequential(*blocks)

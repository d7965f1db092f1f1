"""ResNet50 and IBN-ResNet50-a.

He et al., Deep Residual Learning for Image Recognition, CVPR 2016, with the stride at the 3x3; Pan et al., Two at Once:
Enhancing Learning and Generalization Capacities via IBN-Net, ECCV 2018. Modules bear the names of torchvision's and
torchreid's `resnet50` and of the IBN-Net authors' `resnet50_ibn_a` state dicts.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from training.backbones.backbone import Backbone, he_initialize
from training.backbones.pooling import Pooling, make_pooling
from training.backbones.state_dicts import Weights, fill

Stride: TypeAlias = Literal[1, 2]

_BLOCKS = (3, 4, 6, 3)
_EXPANSION = 4
_CLASSIFIERS = ("fc.weight", "fc.bias", "classifier.weight", "classifier.bias")
"""ImageNet's classes, and the training identities."""


class InstanceBatchNorm(nn.Module):
    """The first half of the channels normalized by picture, the other by batch."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.by_picture = channels // 2
        self.IN = nn.InstanceNorm2d(self.by_picture, affine=True)
        self.BN = nn.BatchNorm2d(channels - self.by_picture)

    def forward(self, maps: Tensor) -> Tensor:
        return torch.cat([self.IN(maps[:, : self.by_picture]), self.BN(maps[:, self.by_picture :])], dim=1)


class _Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 and a shortcut."""

    def __init__(self, inside: int, middle: int, *, stride: int, ibn: bool) -> None:
        super().__init__()
        out = _EXPANSION * middle
        self.conv1 = nn.Conv2d(inside, middle, 1, bias=False)
        self.bn1 = InstanceBatchNorm(middle) if ibn else nn.BatchNorm2d(middle)
        self.conv2 = nn.Conv2d(middle, middle, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv3 = nn.Conv2d(middle, out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or inside != out:
            shortcut = nn.Conv2d(inside, out, 1, stride=stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(out))

    def forward(self, maps: Tensor) -> Tensor:
        narrow = torch.relu(self.bn1(self.conv1(maps)))
        narrow = torch.relu(self.bn2(self.conv2(narrow)))
        return torch.relu(self.bn3(self.conv3(narrow)) + self.downsample(maps))


class ResNet50(Backbone):
    """Pictures (n, 3, 256, 128), RGB with ImageNet mean and standard deviation, to pooled maps (n, 2048).

    `ibn` makes it IBN-ResNet50-a. `last_stride` 1 keeps the last maps at a sixteenth of the picture (Luo et al., Bag of
    Tricks, CVPR workshops 2019); weights fit either, and torchreid's own were trained with 2.
    """

    feature_dimension = 512 * _EXPANSION

    def __init__(self, *, ibn: bool = False, last_stride: Stride = 1, pooling: Pooling = "mean") -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        first, second, third, fourth = _BLOCKS
        self.layer1 = _layer(64, 64, blocks=first, stride=1, ibn=ibn)
        self.layer2 = _layer(256, 128, blocks=second, stride=2, ibn=ibn)
        self.layer3 = _layer(512, 256, blocks=third, stride=2, ibn=ibn)
        self.layer4 = _layer(1024, 512, blocks=fourth, stride=last_stride, ibn=False)
        self.pool = make_pooling(pooling)
        he_initialize(self)

    def forward(self, pictures: Tensor) -> Tensor:
        maps = self.maxpool(torch.relu(self.bn1(self.conv1(pictures))))
        maps = self.layer4(self.layer3(self.layer2(self.layer1(maps))))
        embeddings: Tensor = self.pool(maps)
        return embeddings


def resnet50_of(weights: Weights, *, path: Path, pooling: Pooling = "mean", last_stride: Stride = 1) -> ResNet50:
    """A ResNet50, or IBN-ResNet50-a, in evaluation mode that holds `weights`. Raises ModelError with `path`."""
    named = _by_name(weights)
    ibn = any(".bn1.IN." in key for key in named)
    network = ResNet50(ibn=ibn, last_stride=last_stride, pooling=pooling)
    kept = {key: value for key, value in named.items() if key not in _CLASSIFIERS}
    fill(network, kept, path=path, family="an IBN-ResNet50-a" if ibn else "a ResNet50")
    return network.eval()


_NUMBERED: Mapping[str, str] = {
    "0": "conv1",
    "1": "bn1",
    "4": "layer1",
    "5": "layer2",
    "6": "layer3",
    "7": "layer4",
}
"""SpCL and Cluster-Contrast put torchvision's modules into a sequence, in which they have numbers."""


def _by_name(weights: Weights) -> Weights:
    if "0.weight" not in weights:
        return weights
    parts = {key: key.split(".", maxsplit=1) for key in weights}
    return {
        ".".join((_NUMBERED.get(parts[key][0], parts[key][0]), *parts[key][1:])): value
        for key, value in weights.items()
    }


def _layer(inside: int, middle: int, *, blocks: int, stride: int, ibn: bool) -> nn.Sequential:
    first = _Bottleneck(inside, middle, stride=stride, ibn=ibn)
    out = _EXPANSION * middle
    return nn.Sequential(first, *(_Bottleneck(out, middle, stride=1, ibn=ibn) for _ in range(blocks - 1)))

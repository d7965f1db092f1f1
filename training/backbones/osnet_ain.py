"""OSNet-AIN x1.0 (Zhou et al., Learning Generalisable Omni-Scale Representations, TPAMI 2021).

An OSNet whose stem and four of whose six blocks normalize each picture by itself, which takes out a camera's style.
Which four, the authors found by search. Modules bear the names of torchreid's `osnet_ain_x1_0` state dict.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from training.backbones.backbone import Backbone, he_initialize
from training.backbones.osnet_layers import FEATURES, Convolution, Gate, Light3x3, embedding_layer
from training.backbones.pooling import Pooling, make_pooling
from training.backbones.state_dicts import Weights, fill


class _Stream(nn.Module):
    """So many lite 3x3 in a row."""

    def __init__(self, channels: int, depth: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(Light3x3(channels) for _ in range(depth)))

    def forward(self, maps: Tensor) -> Tensor:
        result: Tensor = self.layers(maps)
        return result


class _Block(nn.Module):
    """An omni-scale block; with `instance` its residual, before it is added, is normalized by picture."""

    def __init__(self, inside: int, out: int, *, instance: bool) -> None:
        super().__init__()
        middle = out // 4
        self.conv1 = Convolution(inside, middle)
        self.conv2 = nn.ModuleList(_Stream(middle, depth) for depth in (1, 2, 3, 4))
        self.gate = Gate(middle)
        self.conv3 = Convolution(middle, out, rectify=False, norm="none" if instance else "batch")
        self.downsample = Convolution(inside, out, rectify=False) if inside != out else nn.Identity()
        self.IN = nn.InstanceNorm2d(out, affine=True) if instance else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        narrow = self.conv1(maps)
        gathered = torch.stack([self.gate(stream(narrow)) for stream in self.conv2]).sum(dim=0)
        return torch.relu(self.IN(self.conv3(gathered)) + self.downsample(maps))


class OSNetAIN(Backbone):
    """Pictures (n, 3, 256, 128), RGB with ImageNet mean and standard deviation, to raw embeddings (n, 512)."""

    feature_dimension = FEATURES

    def __init__(self, *, pooling: Pooling = "mean") -> None:
        super().__init__()
        self.conv1 = Convolution(3, 64, size=7, stride=2, norm="instance")
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.conv2 = nn.Sequential(_Block(64, 256, instance=True), _Block(256, 256, instance=True))
        self.pool2 = nn.Sequential(Convolution(256, 256), nn.AvgPool2d(2))
        self.conv3 = nn.Sequential(_Block(256, 384, instance=False), _Block(384, 384, instance=True))
        self.pool3 = nn.Sequential(Convolution(384, 384), nn.AvgPool2d(2))
        self.conv4 = nn.Sequential(_Block(384, 512, instance=True), _Block(512, 512, instance=False))
        self.conv5 = Convolution(512, 512)
        self.pool = make_pooling(pooling)
        self.fc = embedding_layer(512)
        he_initialize(self)

    def forward(self, pictures: Tensor) -> Tensor:
        maps = self.pool2(self.conv2(self.maxpool(self.conv1(pictures))))
        maps = self.conv5(self.conv4(self.pool3(self.conv3(maps))))
        embeddings: Tensor = self.fc(self.pool(maps))
        return embeddings


def osnet_ain_of(weights: Weights, *, path: Path, pooling: Pooling = "mean") -> OSNetAIN:
    """An OSNet-AIN in evaluation mode that holds `weights`. Raises ModelError with `path`."""
    network = OSNetAIN(pooling=pooling)
    kept = {key: value for key, value in weights.items() if not key.startswith("classifier.")}
    fill(network, kept, path=path, family="an OSNet-AIN x1.0")
    return network.eval()

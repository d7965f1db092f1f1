"""Which backbone a file holds, told by the names of its weights; and backbones by name."""

from collections.abc import Callable, Mapping
from pathlib import Path

from passerby.errors import ModelError
from training.backbones.backbone import Backbone
from training.backbones.from_timm import timm_backbone
from training.backbones.osnet import OSNet, osnet_of
from training.backbones.osnet_ain import OSNetAIN, osnet_ain_of
from training.backbones.pooling import GeneralizedMeanPooling, Pooling
from training.backbones.resnet import ResNet50, Stride, resnet50_of
from training.backbones.state_dicts import Weights, read_state_dict

_MAKERS: Mapping[str, Callable[[Pooling], Backbone]] = {
    "osnet_x1_0": lambda pooling: OSNet(64, pooling=pooling),
    "osnet_x0_75": lambda pooling: OSNet(48, pooling=pooling),
    "osnet_x0_5": lambda pooling: OSNet(32, pooling=pooling),
    "osnet_x0_25": lambda pooling: OSNet(16, pooling=pooling),
    "osnet_ain_x1_0": lambda pooling: OSNetAIN(pooling=pooling),
    "resnet50": lambda pooling: ResNet50(pooling=pooling),
    "resnet50_ibn_a": lambda pooling: ResNet50(ibn=True, pooling=pooling),
}

BACKBONES = tuple(_MAKERS)
"""Names that `make_backbone` knows, besides `timm:NAME`."""

_PREFIXES = ("module.", "model.", "backbone.", "base.", "encoder_q.")
"""Where toolboxes keep the backbone beside heads: fast-reid `backbone.`, SpCL, Cluster-Contrast and Bag of Tricks
`base.`, MoCo `encoder_q.`."""

_STEMS = ("conv1.conv.weight", "conv1.weight", "0.weight")
"""First layers: of both OSNets, of ResNets, and of ResNets in a sequence."""

_POWERS = ("pool.p", "gap.p", "heads.pool_layer.p")
"""Where generalized-mean pooling keeps its power: here, in Cluster-Contrast, in fast-reid."""

_HEADS = ("feat_bn.", "bottleneck.", "classifier.")
"""What flat checkpoints keep beside the backbone: the neck behind it, and the identities."""


def make_backbone(name: str, *, pooling: Pooling = "mean") -> Backbone:
    """The untrained network called `name`: one of BACKBONES, or `timm:NAME` (which pools in its own way).

    Raises ModelError for another name.
    """
    if name.startswith("timm:"):
        return timm_backbone(name.removeprefix("timm:"))
    if name not in _MAKERS:
        raise ModelError(f"no backbone is called {name!r}; expected {', '.join(BACKBONES)} or timm:NAME")
    return _MAKERS[name](pooling)


def load_backbone(path: Path, *, pooling: Pooling | None = None, last_stride: Stride = 1) -> Backbone:
    """The network in evaluation mode that a state dict (.pth) is of, told by the names in it.

    Reads OSNet of every width, OSNet-AIN x1.0, ResNet50 and IBN-ResNet50-a, as torchreid, torchvision, IBN-Net's
    authors, SpCL, Cluster-Contrast, Bag of Tricks and fast-reid save them, and what this package saves. Classifiers and
    the necks before them are left out: embeddings are as they come out of the pooling (OSNet: of its last layer).
    `pooling`, if not given, is what the file says: generalized mean where it has a power, else the mean. `last_stride`
    matters to ResNets alone, whose weights do not say it. Raises ModelError that names the file and the first key that
    is not in place.
    """
    everything = read_state_dict(path)
    weights = _backbone_alone(everything, path=path)
    power = next((everything[key] for key in _POWERS if key in everything), None)
    kind: Pooling = pooling or ("mean" if power is None else "gem")
    weights = {key: value for key, value in weights.items() if key not in _POWERS}
    if kind == "gem":
        weights["pool.p"] = GeneralizedMeanPooling().p.detach() if power is None else power.detach().reshape(1)
    if "conv1.conv.weight" not in weights:
        return resnet50_of(weights, path=path, pooling=kind, last_stride=last_stride)
    if any(key.startswith("pool2.") for key in weights):
        return osnet_ain_of(weights, path=path, pooling=kind)
    return osnet_of(weights, path=path, pooling=kind)


def _backbone_alone(weights: Weights, *, path: Path) -> Weights:
    """What lies at the backbone's place, by its names there."""
    found = weights
    while not any(stem in found for stem in _STEMS):
        prefix = next((prefix for prefix in _PREFIXES if any(key.startswith(prefix) for key in found)), None)
        if prefix is None:
            raise ModelError(
                f"{path}: holds no backbone known here: none of {', '.join(_STEMS[:2])} beside {next(iter(found))}; "
                f"expected the state dict of {', '.join(BACKBONES)}"
            )
        found = {key.removeprefix(prefix): value for key, value in found.items() if key.startswith(prefix)}
    return {key: value for key, value in found.items() if not key.startswith(_HEADS)}

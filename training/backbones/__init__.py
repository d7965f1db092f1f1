"""Networks that training starts from, each in its own file."""

from training.backbones.backbone import Backbone
from training.backbones.loading import BACKBONES, load_backbone, make_backbone
from training.backbones.pooling import Pooling

__all__ = ["BACKBONES", "Backbone", "Pooling", "load_backbone", "make_backbone"]

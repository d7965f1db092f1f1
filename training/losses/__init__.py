"""What re-ID training minimizes: pure functions of features and labels."""

from training.losses.center import Centers, center_loss, moved_centers
from training.losses.contrast import batch_contrast
from training.losses.hybrid import HybridMemory
from training.losses.info_nce import info_nce
from training.losses.memory import ClusterMemory
from training.losses.relations import relation_loss
from training.losses.smoothed import smoothed_cross_entropy
from training.losses.soft import soft_cross_entropy, soft_triplet_loss, softmax_triplet_loss
from training.losses.triplet import batch_hard_triplet_loss

__all__ = [
    "Centers",
    "ClusterMemory",
    "HybridMemory",
    "batch_contrast",
    "batch_hard_triplet_loss",
    "center_loss",
    "info_nce",
    "moved_centers",
    "relation_loss",
    "smoothed_cross_entropy",
    "soft_cross_entropy",
    "soft_triplet_loss",
    "softmax_triplet_loss",
]

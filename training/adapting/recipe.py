"""How a network is adapted without labels: the settings of a recipe, as configs/recipes/NAME.yaml says them."""

from typing import Literal

from msgspec import Struct

from passerby.features.clustering import ClusterSettings
from training.augmentation import CropChanges


class MemoryLoss(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="memory", tag_field="kind"):
    """Cluster memory contrast."""

    temperature: float = 0.05
    momentum: float = 0.1
    """Of a centroid, how much stays at each step."""
    proxies: Literal["cluster", "camera"] = "cluster"
    """One centroid for each cluster, or one for each camera that saw it."""
    hardest: int = 0
    """Of the others' centroids so many count; 0: all."""
    camera_entropy: float = 0.0
    """0: all clusters weigh alike; 1: as much as the entropy of their cameras says (0 of a single camera)."""


class GuessingLoss(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="guessing", tag_field="kind"):
    """Batch-hard triplet + label-smoothed identity + center (Learn by Guessing)."""

    margin: float = 0.3
    smoothing: float = 0.1
    center_weight: float = 0.005


class Grouping(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How crops become pseudo-labels."""

    normalize: Literal["camera", "none"] = "camera"
    """camera: z-score of the raw embeddings of each camera, as Learn by Guessing does it."""
    tracklets: bool = True
    """Crops of one tracklet are one person."""
    clusters: ClusterSettings = ClusterSettings()


class AdaptationRecipe(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From a network and unlabelled crops to a better network."""

    about: str
    height: int = 192
    width: int = 96
    """Of the input; crops are brought to it."""
    rounds: int = 10
    """How often clusters are made anew."""
    steps: int = 600
    """In all, where no time is set."""
    people_per_batch: int = 16
    images_per_person: int = 4
    learning_rate: float = 3.5e-4
    schedule: Literal["steps", "cosine"] = "cosine"
    weight_decay: float = 5e-4
    batch_norm: Literal["camera", "shared"] = "camera"
    norm_strength: float = 16.0
    """So many pictures of the site draw each camera's batch-norm statistics towards the site's."""
    bfloat16: bool = True
    """Compute in 16 bits where the machine does that in hardware: twice as fast."""
    teacher: float = 0.0
    """Of the teacher's weights, how much stays at each step; it makes the clusters and is the result. 0: no teacher."""
    grouping: Grouping = Grouping()
    loss: MemoryLoss | GuessingLoss = MemoryLoss()
    changes: CropChanges = CropChanges()

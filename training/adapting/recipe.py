"""How a network is adapted without labels: the settings of a recipe, as configs/recipes/NAME.yaml says them."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from passerby.errors import ConfigError
from passerby.features.clustering import ClusterSettings
from training.augmentation import CropChanges
from training.recipe_file import ADAPTATION, read_document

Count = Annotated[int, Meta(ge=1)]
Positive = Annotated[float, Meta(gt=0.0)]
Share = Annotated[float, Meta(ge=0.0, lt=1.0)]
Part = Annotated[float, Meta(ge=0.0, le=1.0)]
SomePart = Annotated[float, Meta(gt=0.0, le=1.0)]

RECIPES = ("passerby", "learn-by-guessing", "cluster-contrast", "spcl-like", "mmt", "pul")
"""Those that are shipped."""


class MemoryLoss(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="memory", tag_field="kind"):
    """Cluster memory contrast."""

    temperature: Positive = 0.05
    momentum: Share = 0.1
    """Of a centroid, how much stays at each step."""
    proxies: Literal["cluster", "camera"] = "cluster"
    """One centroid for each cluster, or one for each camera that saw it."""
    hardest: Annotated[int, Meta(ge=0)] = 0
    """Of the others' centroids so many count; 0: all."""
    camera_entropy: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.0
    """0: all clusters weigh alike; 1: as much as the entropy of their cameras says (0 of a single camera)."""


class GuessingLoss(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="guessing", tag_field="kind"):
    """Batch-hard triplet + label-smoothed identity + center (Learn by Guessing)."""

    margin: float = 0.3
    smoothing: float = 0.1
    center_weight: float = 0.005


class HybridLoss(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="hybrid", tag_field="kind"):
    """Hybrid memory: clusters, and crops without one, against each other (SpCL)."""

    temperature: Positive = 0.05
    momentum: Share = 0.2
    """Of what is remembered of a crop, how much stays when it comes again."""


class MutualLoss(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="mutual", tag_field="kind"):
    """Two networks from the same weights, each told by the other's teacher (Mutual Mean-Teaching); needs `teacher`."""

    smoothing: Share = 0.1
    soft_identity: Part = 0.5
    """Of the cross entropy, how much is with the other's answer as the target; the rest with the pseudo-label."""
    soft_triplet: Part = 0.8
    """The same of the triplets."""


class ReliableLoss(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="reliable", tag_field="kind"):
    """Label-smoothed identities of the crops nearest to the centre of their cluster (PUL)."""

    smoothing: Share = 0.1
    first_share: SomePart = 0.4
    """Of each cluster, in the first round."""
    last_share: SomePart = 0.9
    """In the last; between, it grows in a line."""


class Distillation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How closely the student keeps to what the deployed model finds alike: embeddings stay comparable, and what it
    knows of people that the site has not seen is not unlearned."""

    weight: Annotated[float, Meta(ge=0.0)] = 0.0
    """Beside the loss; 0: not at all."""
    temperature: Positive = 0.1
    """The lower, the more the nearest count."""


class Made(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """People who are made of two that the site has seen, to be told from both: what is learned holds for more people
    than come by."""

    share: Share = 0.0
    """Of the people of a batch, how many get the lower part of another's pictures; 0: none."""
    temperature: Positive = 0.05
    """Of the contrast within a batch, by which they are learned from."""


class Grouping(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How crops become pseudo-labels."""

    normalize: Literal["camera", "none"] = "camera"
    """camera: z-score of the raw embeddings of each camera, as Learn by Guessing does it."""
    tracklets: bool = True
    """Crops of one tracklet are one person, and what is known of pairs of tracklets is kept to."""
    clusters: ClusterSettings = ClusterSettings()
    take_apart: Share = 0.0
    """Of the first round's clusters, the share whose independence is not believed, and as much as which is not in later
    rounds either; with it, crops that a tighter cut parts from the core of their cluster are let go (SpCL). 0: none."""
    k_means: Annotated[int, Meta(ge=0)] = 0
    """So many iterations of Lloyd's from these clusters on; then nobody is left out."""


class AdaptationRecipe(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From a network and unlabelled crops to a better network."""

    about: str
    """What it is, and whose idea."""
    height: Count = 192
    width: Count = 96
    """Of the input, at most; a network that was made for less keeps its own."""
    rounds: Count = 12
    """How often clusters are made anew."""
    growing: bool = False
    """Round k gets k times as many steps as the first, whose clusters are the worst; otherwise all get the same."""
    steps: Count = 960
    """In all, where no time is set."""
    people_per_batch: Count = 16
    images_per_person: Count = 4
    repeat_images: bool = True
    """Of whom there are fewer images, some come twice; else further people fill the batch."""
    learning_rate: Positive = 3.5e-4
    schedule: Literal["steps", "cosine", "constant"] = "cosine"
    weight_decay: Annotated[float, Meta(ge=0.0)] = 5e-4
    batch_norm: Literal["camera", "shared"] = "camera"
    """Statistics for each camera, or one for all."""
    norm_strength: Annotated[float, Meta(ge=0.0)] = 16.0
    """So many pictures of the site draw each camera's batch-norm statistics towards the site's."""
    bfloat16: bool = True
    """Train in 16 bits where the machine has them in hardware: twice as fast on such a CPU."""
    teacher: Share = 0.0
    """Of the teacher's weights, how much stays at each step; it makes the clusters and is the result. 0: no teacher."""
    fewest_people: Count = 8
    """Of fewer people nothing is learned that holds for others."""
    grouping: Grouping = Grouping()
    loss: MemoryLoss | GuessingLoss | HybridLoss | MutualLoss | ReliableLoss = MemoryLoss()
    distillation: Distillation = Distillation()
    made: Made = Made()
    changes: CropChanges = CropChanges()

    def __post_init__(self) -> None:
        if isinstance(self.loss, MutualLoss) and not self.teacher:
            raise ValueError("`loss` is of kind mutual, for which `teacher` must be above 0, as 0.999")
        if isinstance(self.loss, MutualLoss) and self.made.share:
            raise ValueError("`made` makes people for one network alone; with a `loss` of kind mutual leave it out")


def read_recipe(name_or_file: str) -> AdaptationRecipe:
    """A shipped recipe by its name, or the one in FILE.yaml. Raises ConfigError for a wrong name, key or value."""
    document = read_document(name_or_file, shipped=RECIPES)
    if document.kind != ADAPTATION:
        raise ConfigError(f"{name_or_file}: a recipe of kind {document.kind}, which `passerby train --recipe` runs")
    return document.convert(AdaptationRecipe)

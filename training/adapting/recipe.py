"""How a network is adapted without labels: the settings of a recipe, as configs/recipes/NAME.yaml says them."""

import difflib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import yaml
from msgspec import Meta, Struct

from passerby.errors import ConfigError
from passerby.features.clustering import ClusterSettings
from passerby.shipped import shipped_config
from training.augmentation import CropChanges

Count = Annotated[int, Meta(ge=1)]
Positive = Annotated[float, Meta(gt=0.0)]
Share = Annotated[float, Meta(ge=0.0, lt=1.0)]

RECIPES = ("passerby", "learn-by-guessing", "cluster-contrast")
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
    """What it is, and whose idea."""
    height: Count = 192
    width: Count = 96
    """Of the input, at most; a network that was made for less keeps its own."""
    rounds: Count = 12
    """How often clusters are made anew."""
    steps: Count = 960
    """In all, where no time is set."""
    people_per_batch: Count = 16
    images_per_person: Count = 4
    learning_rate: Positive = 3.5e-4
    schedule: Literal["steps", "cosine"] = "cosine"
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
    loss: MemoryLoss | GuessingLoss = MemoryLoss()
    changes: CropChanges = CropChanges()


def read_recipe(name_or_file: str) -> AdaptationRecipe:
    """A shipped recipe by its name, or the one in FILE.yaml. Raises ConfigError for a wrong name, key or value."""
    given = Path(name_or_file)
    try:
        if given.suffix in {".yaml", ".yml"}:
            text = given.read_text(encoding="utf-8")
        elif name_or_file in RECIPES:
            text = shipped_config(f"recipes/{name_or_file}.yaml").read_text(encoding="utf-8")
        else:
            near = difflib.get_close_matches(name_or_file, RECIPES, n=1)
            meant = f"did you mean {near[0]}?" if near else f"expected {', '.join(RECIPES)}, or a FILE.yaml"
            raise ConfigError(f"no recipe is called {name_or_file!r}; {meant}")
        return msgspec.convert(yaml.safe_load(text), AdaptationRecipe)
    except OSError as error:
        raise ConfigError(f"{name_or_file}: cannot read the recipe: {error.strerror}") from error
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise ConfigError(f"{name_or_file}: not a recipe of an adaptation: {error}") from error

"""The recipe of the embedded models: configs/recipes/embedded.yaml."""

from pathlib import Path
from typing import Any

import msgspec
import yaml
from msgspec import Struct

from passerby.errors import ConfigError
from passerby.models import Preprocessing
from passerby.shipped import shipped_config
from training.detector.fitting import DetectorRecipe
from training.source import SourceRecipe


class SiteRecipe(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which simulated sites are trained on."""

    kinds: list[str]
    """Site k is of kind k modulo their number, and has the seed `first_seed` + k."""
    first_seed: int
    count: int
    held_out: int
    """The last so many are not trained on: they measure, and give the reference statistics."""
    cameras: int
    people: int
    frames_per_camera: int
    seconds: float
    """Frames are taken at random from so much time."""
    colour_spread: float
    """How far the cameras' colours are apart; 1 is what the kinds have."""


class EmbeddedRecipe(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that the embedded models follow from, but for the versions of the libraries."""

    seed: int
    threads: int
    """Of the training; another number gives other weights, as good."""
    sites: SiteRecipe
    detector_input: Preprocessing
    detector: DetectorRecipe
    reid_input: Preprocessing
    reid: SourceRecipe


def read_recipe(file: Path | None = None) -> EmbeddedRecipe:
    """The recipe in `file`; None: the shipped one. Raises ConfigError for an unreadable file, a wrong key or value."""
    name = "recipes/embedded.yaml" if file is None else str(file)
    try:
        text = (shipped_config(name) if file is None else file).read_text(encoding="utf-8")
        document: Any = yaml.safe_load(text)
        return msgspec.convert(document, EmbeddedRecipe)
    except OSError as error:
        raise ConfigError(f"{name}: cannot read the recipe: {error.strerror}") from error
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise ConfigError(f"{name}: not a recipe of the embedded models: {error}") from error

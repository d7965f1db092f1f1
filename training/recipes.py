"""All kinds of recipes that `passerby train` runs: an adaptation, or one that trains from labels or from tracklets."""

from collections.abc import Mapping
from typing import TypeAlias

from passerby.errors import ConfigError
from training.adapting.recipe import RECIPES, AdaptationRecipe, Count
from training.moco import MocoRecipe
from training.recipe_file import ADAPTATION, read_document
from training.source import SourceRecipe

TRAININGS = ("source", "moco")
"""Recipes that are shipped besides those of adaptations, RECIPES."""


class SourceTraining(SourceRecipe, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A SourceRecipe, whose idea it is, and the network's input."""

    about: str
    height: Count = 256
    width: Count = 128


class MocoTraining(MocoRecipe, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A MocoRecipe, whose idea it is, and the network's input."""

    about: str
    height: Count = 256
    width: Count = 128


AnyRecipe: TypeAlias = AdaptationRecipe | SourceTraining | MocoTraining

_KINDS: Mapping[str, type[AnyRecipe]] = {ADAPTATION: AdaptationRecipe, "source": SourceTraining, "moco": MocoTraining}


def read_any_recipe(name_or_file: str) -> AnyRecipe:
    """A shipped recipe by its name, or the one in FILE.yaml, of the kind that its key `kind` says.

    Raises ConfigError for a wrong name, kind, key or value.
    """
    document = read_document(name_or_file, shipped=(*RECIPES, *TRAININGS))
    if document.kind not in _KINDS:
        raise ConfigError(f"{name_or_file}: `kind` is {document.kind!r}, expected {', '.join(_KINDS)}")
    return document.convert(_KINDS[document.kind])

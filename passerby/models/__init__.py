"""Models: what they are, which are known, where they lie, and how they get here."""

from passerby.models.catalogue import CatalogueEntry, catalogue, known_model
from passerby.models.find import find_model, read_model
from passerby.models.manifest import (
    DetectionLayout,
    DetectionOutput,
    EmbeddingOutput,
    ModelDescription,
    ModelManifest,
    Preprocessing,
    ReferenceStatistics,
    Task,
    read_description,
    write_description,
)

__all__ = [
    "CatalogueEntry",
    "DetectionLayout",
    "DetectionOutput",
    "EmbeddingOutput",
    "ModelDescription",
    "ModelManifest",
    "Preprocessing",
    "ReferenceStatistics",
    "Task",
    "catalogue",
    "find_model",
    "known_model",
    "read_description",
    "read_model",
    "write_description",
]

"""From the recipe to the two files, their manifests and what they were worth on sites held out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from passerby.arrays import Float32Array, l2_normalize
from passerby.cli.embedded.recipe import EmbeddedRecipe
from passerby.cli.embedded.rendering import SitePictures, joined, render_sites
from passerby.errors import ConfigError
from passerby.features.normalization import zscore_by_camera
from passerby.models import (
    DetectionOutput,
    EmbeddingOutput,
    ModelDescription,
    ModelManifest,
    ReferenceStatistics,
)
from training.augmentation import NO_CHANGES, training_input
from training.backbones.osnet import OSNet
from training.detector.export import export_detector
from training.detector.fitting import train_detector
from training.evaluate.retrieval import RankedImages, evaluate_retrieval
from training.export import export_embedder
from training.source import LabelledCrops, train_source

DETECTOR = "passerby-sim-detector"
REID = "passerby-sim-reid"

_HONEST = "for the simulated site; real sites pull real weights"

_WIDTH = 16
"""Channels of the first layer: OSNet x0.25."""

Progress = Callable[[str, int, int, str], None]
"""Called with the part, how much of it is done, of how much, and a word about how it goes."""


@dataclass(frozen=True, slots=True)
class Made:
    """The two models, and mAP of the re-ID network on the sites held out: plain, and with a z-score per camera."""

    detector: ModelManifest
    reid: ModelManifest
    plain: float
    normalized: float


def make_embedded(recipe: EmbeddedRecipe, out: Path, *, processes: int, progress: Progress) -> Made:
    """Render, train and export into the folder `out`.

    Raises ConfigError for a recipe without sites to train on or to hold out, ModelError when an exported network
    differs from torch.
    """
    if not 1 <= recipe.sites.held_out < recipe.sites.count:
        raise ConfigError(
            f"{recipe.sites.held_out} of {recipe.sites.count} sites are held out, expected 1 to all but one"
        )
    sites: list[SitePictures] = []
    for site in render_sites(
        recipe.sites, detector_input=recipe.detector_input, reid_input=recipe.reid_input, processes=processes
    ):
        sites.append(site)
        progress("rendering", len(sites), recipe.sites.count, "sites")
    first_held_out = recipe.sites.count - recipe.sites.held_out
    frames, crops = joined([site for site in sites if site.number < first_held_out])
    _, unseen = joined([site for site in sites if site.number >= first_held_out])
    torch.set_num_threads(recipe.threads)
    detector = train_detector(
        frames,
        recipe.detector,
        seed=recipe.seed,
        progress=lambda step, loss: progress("detector", step, recipe.detector.steps, f"loss {loss:.3f}"),
    )
    made_on = f"{first_held_out} rendered sites with {len(np.unique(crops.people))} people"
    found = export_detector(detector, out / f"{DETECTOR}.onnx", description=_describe_detector(recipe, made_on))
    torch.manual_seed(recipe.seed)
    network = train_source(
        OSNet(_WIDTH),
        crops,
        recipe.reid,
        how=recipe.reid_input,
        seed=recipe.seed,
        progress=lambda step, loss: progress("re-ID", step, recipe.reid.steps, f"loss {loss.total:.3f}"),
    )
    embeddings = embedded(network, unseen, recipe)
    description = _describe_reid(recipe, made_on, reference=_reference(embeddings, unseen))
    manifest = export_embedder(network, out / f"{REID}.onnx", description=description)
    normalized = zscore_by_camera(embeddings, unseen.cameras.tolist())
    return Made(found, manifest, _precision(embeddings, unseen), _precision(normalized, unseen))


def embedded(network: OSNet, crops: LabelledCrops, recipe: EmbeddedRecipe) -> Float32Array:
    """Raw embeddings (n, d) of crops that are in the network's size already."""
    draw = np.random.default_rng(0)  # without changes nothing is drawn
    parts = []
    with torch.no_grad():
        for start in range(0, len(crops), 64):
            pictures = training_input(
                crops.pictures[start : start + 64], how=recipe.reid_input, changes=NO_CHANGES, draw=draw
            )
            parts.append(network(pictures).numpy())
    result: Float32Array = np.concatenate(parts).astype(np.float32)
    return result


def _precision(features: Float32Array, crops: LabelledCrops) -> float:
    """Mean over the sites of their mAP; nobody is looked for in another site."""
    unit, sites = l2_normalize(features), crops.people // 1000
    found = []
    for site in np.unique(sites):
        own = sites == site
        images = RankedImages(unit[own], crops.people[own], crops.cameras[own])
        found.append(evaluate_retrieval(images, images).mean_average_precision)
    return float(np.mean(found))


def _reference(embeddings: Float32Array, crops: LabelledCrops) -> ReferenceStatistics:
    """Of people, each counted once for each camera that saw them."""
    keys, rows = np.unique(np.stack([crops.people, crops.cameras], axis=1), axis=0, return_inverse=True)
    means = np.stack([embeddings[rows == row].mean(axis=0) for row in range(len(keys))])
    people, cameras = len(np.unique(crops.people)), len(np.unique(crops.cameras))
    return ReferenceStatistics(
        mean=means.mean(axis=0).round(4).tolist(),
        std=means.std(axis=0).round(4).tolist(),
        measured_on=f"{people} people before {cameras} cameras of rendered sites that were not trained on",
    )


def _describe_detector(recipe: EmbeddedRecipe, made_on: str) -> ModelDescription:
    return ModelDescription(
        task="detect",
        input=recipe.detector_input,
        detection=DetectionOutput(
            layout="ultralytics-nms", person_class=0, min_confidence=0.25, start_confidence=0.5, nms_iou=0.6
        ),
        licence="Apache-2.0",
        weights_licence="Apache-2.0",
        trained_on=f"{made_on}; {_HONEST}",
        source="Passerby, configs/recipes/embedded.yaml",
    )


def _describe_reid(recipe: EmbeddedRecipe, made_on: str, *, reference: ReferenceStatistics) -> ModelDescription:
    return ModelDescription(
        task="embed",
        input=recipe.reid_input,
        embedding=EmbeddingOutput(dimension=OSNet.feature_dimension, reference=reference),
        licence="Apache-2.0",
        weights_licence="Apache-2.0",
        trained_on=f"{made_on}; {_HONEST}",
        source="Passerby, configs/recipes/embedded.yaml",
    )

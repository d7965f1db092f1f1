"""From the recipe to the two files, their manifests and what they were worth on sites held out."""

import queue
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import Manager, get_context
from pathlib import Path
from typing import Any

import cv2
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
from training.detector.frames import MarkedFrames
from training.evaluate import RankedImages, evaluate_retrieval
from training.export import export_embedder
from training.source import LabelledCrops, SourceLoss, train_source

DETECTOR = "passerby-sim-detector"
REID = "passerby-sim-reid"

_HONEST = "for the simulated site; real sites pull real weights"

_WIDTH = 16
"""Channels of the first layer: OSNet x0.25."""

_TELL_EVERY = 10
"""Steps of a training between two words about it."""

_PATIENCE_S = 60.0

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
    made_on = f"{first_held_out} rendered sites with {len(np.unique(crops.people))} people"
    # The two trainings share nothing: each has a process, and together they keep two cores busy.
    with Manager() as manager, ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        told: queue.Queue[tuple[str, int, int, str]] = manager.Queue()
        detector = pool.submit(_make_detector, recipe, frames, out=out, made_on=made_on, told=told)
        reid = pool.submit(_make_reid, recipe, crops, unseen=unseen, out=out, made_on=made_on, told=told)
        _watch([detector, reid], told, progress)
        found, (manifest, plain, normalized) = detector.result(), reid.result()
    return Made(found, manifest, plain, normalized)


def _watch(running: list[Future[Any]], told: "queue.Queue[tuple[str, int, int, str]]", progress: Progress) -> None:
    """Hand on what the trainings tell until both are done or one failed."""
    while not all(each.done() for each in running) and not any(each.done() and each.exception() for each in running):
        try:
            progress(*told.get(timeout=0.5))
        except queue.Empty:
            continue
    while not told.empty():
        progress(*told.get(timeout=0.5))


def _make_detector(
    recipe: EmbeddedRecipe,
    frames: MarkedFrames,
    *,
    out: Path,
    made_on: str,
    told: "queue.Queue[tuple[str, int, int, str]]",
) -> ModelManifest:
    torch.set_num_threads(recipe.threads)
    cv2.setNumThreads(1)

    def tell(step: int, loss: float) -> None:
        if step % _TELL_EVERY == 0:
            told.put(("detector", step, recipe.detector.steps, f"loss {loss:.3f}"), timeout=_PATIENCE_S)

    network = train_detector(frames, recipe.detector, seed=recipe.seed, progress=tell)
    return export_detector(network, out / f"{DETECTOR}.onnx", description=_describe_detector(recipe, made_on))


def _make_reid(
    recipe: EmbeddedRecipe,
    crops: LabelledCrops,
    *,
    unseen: LabelledCrops,
    out: Path,
    made_on: str,
    told: "queue.Queue[tuple[str, int, int, str]]",
) -> tuple[ModelManifest, float, float]:
    """The model, and its mAP on the crops of sites held out: plain, and with a z-score per camera."""
    torch.set_num_threads(recipe.threads)
    torch.manual_seed(recipe.seed)

    def tell(step: int, loss: SourceLoss) -> None:
        if step % _TELL_EVERY == 0:
            told.put(("re-ID", step, recipe.reid.steps, f"loss {loss.total:.3f}"), timeout=_PATIENCE_S)

    network = train_source(OSNet(_WIDTH), crops, recipe.reid, how=recipe.reid_input, seed=recipe.seed, progress=tell)
    embeddings = embedded(network, unseen, recipe)
    description = _describe_reid(recipe, made_on, reference=_reference(embeddings, unseen))
    manifest = export_embedder(network, out / f"{REID}.onnx", description=description)
    # What training goes on from: in the ONNX file the batch norms are part of the convolutions.
    torch.save({name: value.contiguous() for name, value in network.state_dict().items()}, out / f"{REID}.pth")
    normalized = zscore_by_camera(embeddings, unseen.cameras.tolist())
    return manifest, _precision(embeddings, unseen), _precision(normalized, unseen)


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
            layout="ultralytics-nms", person_class=0, min_confidence=0.15, start_confidence=0.5, nms_iou=0.6
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

"""A training from the folder of its data to the finished network."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import torch
from msgspec import Struct

from passerby.models import EmbeddingOutput, Preprocessing
from training.backbones import Backbone
from training.datasets.crops import CropArchive
from training.describing import described
from training.device import DeviceName, chosen_device
from training.evaluate.datasets import Protocol, read_training_split
from training.evaluate.labelled import LabelledImages, read_image
from training.export import export_embedder
from training.moco import pretrain
from training.recipes import MocoTraining, SourceTraining
from training.source import LabelledCrops, SourceLoss, train_source
from training.starting import Start
from training.team import require_alone

Progress = Callable[[str, int, int, str], None]
"""Called with the part, how much of it is done, of how much, and a word about how it goes."""

_LAST = 20
"""Steps over whose losses a report takes the mean."""


class SourceReport(Struct, frozen=True, kw_only=True):
    """What was learned from people with names; losses are means of the last steps."""

    images: int
    people: int
    cameras: int
    steps: int
    loss: float
    triplet: float
    identity: float
    seconds: float


class MocoReport(Struct, frozen=True, kw_only=True):
    """What was learned from tracklets; the loss is the mean of the last steps."""

    crops: int
    tracklets: int
    cameras: int
    steps: int
    loss: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked for besides the data: a recipe by its name, a start, a folder for the result."""

    recipe_name: str
    start: Start
    out: Path
    seed: int
    threads: int
    """Of the CPU; 0 leaves their number to torch."""
    device: DeviceName = "auto"


def run_source(
    task: Task, recipe: SourceTraining, *, root: Path, protocol: Protocol, progress: Progress
) -> dict[str, Any]:
    """Train on the training split of `root`, and write the result; gives the report.

    Raises DataError for a folder of another layout, fewer people than a batch needs, or a loss that is no number.
    """
    began = time.monotonic()
    how = _begin(task, recipe)
    crops = _read(read_training_split(root, protocol), how=how, progress=progress)
    losses: list[SourceLoss] = []

    def tell(step: int, loss: SourceLoss) -> None:
        losses.append(loss)
        progress("training", step, recipe.steps, f"loss {loss.total:.3f}")

    network = train_source(task.start.network, crops, recipe, how=how, seed=task.seed, progress=tell)
    people = len(np.unique(crops.people))
    report = SourceReport(
        images=len(crops),
        people=people,
        cameras=len(np.unique(crops.cameras)),
        steps=len(losses),
        loss=_mean([each.total for each in losses]),
        triplet=_mean([each.triplet for each in losses]),
        identity=_mean([each.identity for each in losses]),
        seconds=round(time.monotonic() - began, 1),
    )
    trained_on = f"{len(crops)} labelled images of {people} people"
    return _write(task, network, how=how, trained_on=trained_on, report=report)


def run_moco(task: Task, recipe: MocoTraining, *, root: Path, progress: Progress) -> dict[str, Any]:
    """Pre-train on the archive of crops `root`, and write the result; gives the report.

    Raises DataError for a folder that is no archive, fewer than four tracklets, or a loss that is no number.
    """
    began = time.monotonic()
    how = _begin(task, recipe)
    losses: list[float] = []

    def tell(step: int, loss: float) -> None:
        losses.append(loss)
        progress("training", step, recipe.steps, f"loss {loss:.3f}")

    with CropArchive(root) as archive:
        network = pretrain(task.start.network, archive, recipe, how=how, seed=task.seed, progress=tell)
        report = MocoReport(
            crops=len(archive),
            tracklets=len(np.unique(archive.tracklets)),
            cameras=len(archive.camera_names),
            steps=len(losses),
            loss=_mean(losses),
            seconds=round(time.monotonic() - began, 1),
        )
    trained_on = f"{report.crops} unlabelled crops of {report.tracklets} tracklets"
    return _write(task, network, how=how, trained_on=trained_on, report=report)


def _begin(task: Task, recipe: SourceTraining | MocoTraining) -> Preprocessing:
    """Bring the network to its device; gives how pictures are prepared: in its colours and the recipe's size."""
    require_alone(task.recipe_name)
    if task.threads:
        torch.set_num_threads(task.threads)
    task.start.network.to(chosen_device(task.device))
    return msgspec.structs.replace(task.start.how, height=recipe.height, width=recipe.width)


def _read(images: LabelledImages, *, how: Preprocessing, progress: Progress) -> LabelledCrops:
    pictures = np.empty((len(images), how.height, how.width, 3), np.uint8)
    for row, file in enumerate(images.files):
        pictures[row] = cv2.resize(read_image(file), (how.width, how.height))
        progress("reading", row + 1, len(images), "images")
    return LabelledCrops(pictures, images.people, images.cameras)


def _mean(losses: list[float]) -> float:
    return float(np.mean(losses[-_LAST:]))


def _write(
    task: Task, network: Backbone, *, how: Preprocessing, trained_on: str, report: SourceReport | MocoReport
) -> dict[str, Any]:
    """model.onnx with model.json, model.pth, report.json; gives the report with the model's id."""
    start, out = task.start, task.out
    network.cpu()
    out.mkdir(parents=True, exist_ok=True)
    description = described(
        start.name,
        version=start.version,
        how=how,
        embedding=EmbeddingOutput(dimension=network.feature_dimension),
        source=f"trained by the recipe {task.recipe_name}",
        then=trained_on,
    )
    model = export_embedder(network, out / "model.onnx", description=description)
    torch.save({name: value.contiguous() for name, value in network.state_dict().items()}, out / "model.pth")
    written = {"model": model.model_id, **msgspec.to_builtins(report)}
    (out / "report.json").write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    return written

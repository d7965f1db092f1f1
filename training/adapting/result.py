"""What an adaptation leaves behind: the model, where it came from, how it went."""

import csv
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import torch
import yaml

from passerby.arrays import Float32Array, Int64Array
from passerby.errors import DataError
from passerby.models import EmbeddingOutput, ModelManifest, Preprocessing, ReferenceStatistics
from training.adapting.embedding import embed
from training.adapting.loop import Adapted
from training.adapting.material import Material
from training.adapting.recipe import AdaptationRecipe
from training.adapting.sheet import cluster_sheet
from training.backbones import load_backbone
from training.describing import described
from training.export import export_embedder
from training.export_cameras import export_camera_network
from training.starting import Start

_CHECKED = 32
"""Crops on which the exported network is compared with torch."""


@dataclass(frozen=True, slots=True)
class Task:
    """What was asked for."""

    start: Start
    recipe_name: str
    recipe: AdaptationRecipe
    seed: int
    how: Preprocessing
    data: Material

    @property
    def digest(self) -> str:
        """Of all that the result follows from, but for the time that it was given and the machine."""
        settings = msgspec.json.encode((self.recipe, self.how, self.seed, self.start.version, self.data.digest))
        return hashlib.sha256(settings).hexdigest()


def write_result(task: Task, adapted: Adapted, out: Path, *, seconds: float) -> dict[str, Any]:
    """Write model.onnx with model.json and model.pth, manifest.yaml, report.json, pseudo-labels.csv and clusters.jpg.

    Gives the report. Raises ModelError when the exported network differs from torch: then model.pth alone is written.
    The network is on the CPU afterwards.
    """
    data = task.data
    raw = embed(adapted.network, data.crops, how=task.how)
    adapted.network.cpu()
    torch.save(adapted.network.site_state(), out / "model.pth")
    model = _export(task, adapted, raw, file=out / "model.onnx", weights=out / "model.pth")
    people = adapted.people
    report = {
        "model": model.model_id,
        "people": int(people.max(initial=-1)) + 1,
        "images": len(people),
        "outliers": int((people < 0).sum()),
        "cameras": list(data.crops.camera_names),
        "tracklets": len(np.unique(data.crops.tracklets)),
        "steps": sum(each.steps for each in adapted.rounds),
        "seconds": round(seconds, 1),
        "rounds": msgspec.to_builtins(adapted.rounds),
    }
    manifest = {
        "model": "model.onnx",
        "version": model.version,
        "sha256": hashlib.sha256((out / "model.onnx").read_bytes()).hexdigest(),
        "parent": {"name": task.start.name, "version": task.start.version},
        "recipe": {"name": task.recipe_name, **msgspec.to_builtins(task.recipe)},
        "seed": task.seed,
        "data": {"digest": data.digest, "images": len(people), "cameras": list(data.crops.camera_names)},
    }
    (out / "manifest.yaml").write_text(yaml.safe_dump(manifest, sort_keys=False), encoding="utf-8")
    with (out / "pseudo-labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "person"])
        writer.writerows(sorted(zip(data.names, people.tolist(), strict=True)))
    if not cv2.imwrite(str(out / "clusters.jpg"), cluster_sheet(data.crops, people)):
        raise DataError(f"{out / 'clusters.jpg'} cannot be written")
    (out / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return report


def _export(task: Task, adapted: Adapted, raw: Float32Array, *, file: Path, weights: Path) -> ModelManifest:
    description = described(
        task.start.name,
        version=task.start.version,
        how=task.how,
        embedding=EmbeddingOutput(
            dimension=adapted.network.feature_dimension,
            reference=_reference(raw, adapted.people, task.data.crops.cameras),
            cameras=list(task.data.crops.camera_names) if adapted.network.cameras > 1 else [],
        ),
        source=f"adapted by the recipe {task.recipe_name}",
        then=f"{len(raw)} unlabelled images of this site",
    )
    step = max(1, len(raw) // _CHECKED)
    crops = task.data.pictures(range(len(raw))[::step][:_CHECKED])
    if adapted.network.cameras == 1:
        return export_embedder(load_backbone(weights), file, description=description, crops=crops)
    return export_camera_network(adapted.network, file, description=description, crops=crops)


def _reference(raw: Float32Array, people: Int64Array, cameras: Int64Array) -> ReferenceStatistics | None:
    """Of people, each counted once for each camera that saw them."""
    known = people >= 0
    keys, rows = np.unique(np.stack([people[known], cameras[known]], axis=1), axis=0, return_inverse=True)
    if len(keys) < 2:
        return None
    means = np.stack([raw[known][rows == row].mean(axis=0) for row in range(len(keys))])
    return ReferenceStatistics(
        mean=means.mean(axis=0).round(4).tolist(),
        std=means.std(axis=0).round(4).tolist(),
        measured_on=f"{int(people.max()) + 1} pseudo-labelled people before {int(cameras.max()) + 1} cameras",
    )

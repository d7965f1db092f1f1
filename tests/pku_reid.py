"""PKU-Reid through our own engine: each network embeds it once in a test run."""

import csv
import os
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from passerby.arrays import Float32Array, Int64Array
from passerby.inference import load_embedder
from passerby.models import ModelManifest, find_model
from training.evaluate import RetrievalSplit, embed_images, read_split

NETWORKS = ("osnet_x0_25_msmt17", "person-reidentification-retail-0288", "person-reidentification-retail-0277")


@dataclass(frozen=True)
class PkuReid:
    """Raw `embeddings` (704, d) of the images of `split`; `tracklets` (704,) numbers as tracklets.csv groups them."""

    split: RetrievalSplit
    embeddings: Float32Array
    tracklets: Int64Array


@cache
def pku_reid(network: str, *, data: Path) -> PkuReid:
    """`data` is the folder that holds reid/pku-reid and models."""
    root = data / "reid" / "pku-reid"
    split = read_split(root, protocol="all-vs-all")
    with tempfile.TemporaryDirectory() as folder:
        engine = load_embedder(_manifest(network, data / "models", Path(folder)), threads=min(2, os.cpu_count() or 1))
        try:
            embeddings = embed_images(engine, split.images)
        finally:
            engine.close()
    with (root / "tracklets.csv").open(newline="") as table:
        tracklet_of = {row["image"]: int(row["tracklet"].removeprefix("t")) for row in csv.DictReader(table)}
    return PkuReid(split, embeddings, np.array([tracklet_of[file.name] for file in split.images.files], np.int64))


def _manifest(network: str, models: Path, folder: Path) -> ModelManifest:
    if (models / f"{network}.xml").is_file():
        return find_model(str(models / f"{network}.xml"))
    from training.export import export_backbone

    return export_backbone(models / f"{network}.pth", folder / f"{network}.onnx")

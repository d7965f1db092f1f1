"""Rows for cameras that came after a network was adapted: statistics from their crops, nothing else learned."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import msgspec
import numpy as np
import torch
from torch import Tensor

from passerby.arrays import Image
from passerby.errors import DataError, ModelError
from passerby.inference.camera_rows import CAMERA, with_row
from passerby.models import ModelManifest
from passerby.models.manifest import read_description
from training.adapting.embedding import count_statistics
from training.backbones import load_backbone
from training.batch_norm import CameraBatchNorm, CameraNetwork
from training.export import pictures_to_compare, publish, require_equal, run_onnx
from training.export_cameras import tables_of
from training.unlabelled import UnlabelledCrops

_CHECKED = 8
"""Crops of each new camera on which the file is compared with torch."""


def with_rows(model: Path, crops: Mapping[str, Sequence[Image]], *, out: Path, strength: float = 16.0) -> ModelManifest:
    """Write the network of `model`, FILE.onnx with FILE.json and FILE.pth, to `out` with a row for each new camera.

    `crops` are those of each new camera, BGR uint8 of any size. What they say of it is drawn towards the site's row as
    `strength` pictures of the site would do it. All other rows stay as they are, to the bit, and with them every other
    camera's vectors; who is known of no row still has the site's. The weights are written beside `out`, too.

    Raises DataError for a camera without crops, ModelError for a network without rows, a camera that has one, weights
    that are not the file's, or a file that gives other numbers than torch: then nothing is left at `out`.
    """
    description = read_description(model.with_suffix(".json"))
    if description.embedding is None or not description.embedding.cameras:
        raise ModelError(f"{model.name} has no statistics per camera, to which others could be added")
    known, new = description.embedding.cameras, list(crops)
    for name in new:
        if name in known:
            raise ModelError(f"{model.name} has a row for the camera {name} already; leave it out")
        if not crops[name]:
            raise DataError(f"there is no crop of the camera {name} to take its statistics from; leave it out")
    if not new:
        raise DataError("there is no camera to add a row for; name at least one, with its crops")
    weights = model.with_suffix(".pth")
    network = CameraNetwork(load_backbone(weights), cameras=len(new)).eval()
    tables = _tables(model, network)
    site = [(norm.means[-1].clone(), norm.variances[-1].clone()) for norm in network.norms()]
    how = description.input
    counted = _counted_crops(crops, height=how.height, width=how.width)
    count_statistics(network, counted, how=how, strength=0.0)
    pictures = np.bincount(counted.cameras)
    for norm, (means, variances) in zip(network.norms(), site, strict=True):
        _draw_to_site(norm, torch.from_numpy(pictures), means=means, variances=variances, strength=strength)
    network.eval()

    def write(file: Path) -> None:
        _write(model, file, network, known=len(known), tables=tables)

    def check(file: Path) -> None:
        content = file.read_bytes()
        for row, name in enumerate(new):
            for batch in pictures_to_compare(crops[name][:_CHECKED], how=how):
                with torch.no_grad():
                    expected = network(torch.from_numpy(batch), np.full(len(batch), row)).numpy()
                found = run_onnx(with_row(content, len(known) + row, name=out.name), batch)
                require_equal(expected, found, what=f"{out.name}, camera {name}")

    embedding = msgspec.structs.replace(description.embedding, cameras=[*known, *new])
    manifest = publish(
        out, description=msgspec.structs.replace(description, embedding=embedding), write=write, check=check
    )
    if out.with_suffix(".pth") != weights:
        out.with_suffix(".pth").write_bytes(weights.read_bytes())
    return manifest


def _counted_crops(crops: Mapping[str, Sequence[Image]], *, height: int, width: int) -> UnlabelledCrops:
    """The crops in the network's size; rows are those of the mapping's names."""
    pictures = np.stack(
        [cv2.resize(crop, (width, height), interpolation=cv2.INTER_LINEAR) for each in crops.values() for crop in each]
    ).astype(np.uint8)
    cameras = np.repeat(np.arange(len(crops)), [len(each) for each in crops.values()])
    return UnlabelledCrops(pictures, cameras, np.arange(len(pictures)), tuple(crops))


def _draw_to_site(
    norm: CameraBatchNorm, pictures: Tensor, *, means: Tensor, variances: Tensor, strength: float
) -> None:
    """Mix the rows that so many `pictures` (k,) gave with the site's `means` and `variances`, which become the last."""
    own = (pictures / (pictures + strength))[:, None].to(norm.means)
    between = own * (1.0 - own) * (norm.means[:-1] - means).square()
    norm.variances[:-1] = own * norm.variances[:-1] + (1.0 - own) * variances + between
    norm.means[:-1] = own * norm.means[:-1] + (1.0 - own) * means
    norm.means[-1], norm.variances[-1] = means, variances


def _tables(model: Path, network: CameraNetwork) -> dict[str, np.ndarray]:
    """The tables of a file by their names; raises ModelError unless their last rows are those of `network`."""
    import onnx

    graph = onnx.load(model).graph
    tables = {
        each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer if each.name.startswith(f"{CAMERA}.")
    }
    for name, rows in _rows_of(network).items():
        if name not in tables or tables[name].shape[1:] != rows.shape[1:] or (tables[name][-1] != rows[-1]).any():
            raise ModelError(
                f"{model.with_suffix('.pth').name} is not what {model.name} was made of: the site's statistics in "
                f"{name} differ; put the weights there that the adaptation left beside it"
            )
    return tables


def _rows_of(network: CameraNetwork) -> dict[str, np.ndarray]:
    """Tables (rows + 1, features) by the names that they have in a file."""
    return {
        f"{CAMERA}.{kind}.{number}": table.numpy()
        for number, norm in enumerate(network.norms())
        for kind, table in zip(("scale", "shift"), tables_of(norm), strict=True)
    }


def _write(model: Path, file: Path, network: CameraNetwork, *, known: int, tables: Mapping[str, np.ndarray]) -> None:
    """The file again, with the network's rows before the site's."""
    import onnx

    content = onnx.load(model)
    rows = _rows_of(network)
    for each in content.graph.initializer:
        if each.name in rows:
            grown = np.concatenate([tables[each.name][:known], rows[each.name][:-1], tables[each.name][known:]])
            each.CopyFrom(onnx.numpy_helper.from_array(grown, each.name))
        elif each.name == CAMERA:
            each.CopyFrom(onnx.numpy_helper.from_array(np.array([known + network.cameras]), CAMERA))
    onnx.checker.check_model(content)
    onnx.save(content, file)

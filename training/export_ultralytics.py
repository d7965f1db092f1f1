"""From an Ultralytics detector to ONNX, through Ultralytics' own export (its licence: AGPL-3.0 or enterprise)."""

import contextlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from passerby.arrays import Float32Array
from passerby.errors import ModelError
from passerby.models import DetectionLayout, DetectionOutput, ModelDescription, ModelManifest, Preprocessing
from training.export import publish, require_equal, run_onnx

_LICENCE = "AGPL-3.0 or Ultralytics Enterprise"
_PEOPLE = ("person", "people", "pedestrian", "human")
_MAX_DIFFERENCE = 1e-3
"""Relative to the largest output: boxes in pixels beside confidences, through twice the layers of a re-ID network."""

_COMPARED_BOXES = 20
_DISTINCT = 1e-4


def export_ultralytics(source: str, out: Path, *, size: int = 640, person_class: int | None = None) -> ModelManifest:
    """Turn an Ultralytics detector into `out` (.onnx, `size` x `size`, free batch axis), with its manifest.

    `source` is a .pt file, a .yaml architecture (untrained), or the name of a published .pt, which Ultralytics' package
    fetches. A .pt file is a pickle: only export one whose maker you trust. `person_class` is found by its name unless
    given. Raises ModelError when the package is missing, the source is no detector, people cannot be told among its
    classes, or the exported network differs from torch.
    """
    if size < 32 or size % 32:
        raise ModelError(f"size is {size} pixels, expected a multiple of 32")
    with tempfile.TemporaryDirectory(prefix="passerby-export-") as folder, contextlib.chdir(folder):
        # In a folder of its own, because Ultralytics writes beside its source and fetches into the working folder.
        model = _open(source, Path(folder))
        exported = _export(model, size)
        layout = _layout(exported, source)
        description = ModelDescription(
            task="detect",
            input=Preprocessing(height=size, width=size, colour="RGB", resize="letterbox-centre", scale=1 / 255),
            detection=DetectionOutput(
                layout=layout, person_class=person_among(model.names) if person_class is None else person_class
            ),
            licence=_LICENCE,
            weights_licence=_LICENCE if source.endswith(".pt") else "none: untrained",
            trained_on="unknown" if source.endswith(".pt") else "nothing",
            source=f"exported from {Path(source).name}",
        )
        return publish(
            out,
            description=description,
            write=lambda file: _fix_size(exported, file, size),
            check=lambda file: _check(model, file, layout=layout, size=size),
        )


def _open(source: str, folder: Path) -> Any:
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")  # it must not install packages by itself
    os.environ.setdefault("YOLO_VERBOSE", "false")
    try:
        from ultralytics.models import YOLO
    except ImportError as error:
        raise ModelError(
            "exporting a YOLO needs Ultralytics' package: `pip install 'passerby[ultralytics]'`"
        ) from error
    file = Path(source)
    if file.is_absolute() and not file.is_file():
        raise ModelError(f"{file}: no such file")
    if file.is_file():
        source = str(shutil.copy(file, folder))
    try:
        model = YOLO(source, task="detect")
    except (OSError, RuntimeError, ValueError, TypeError, KeyError, ImportError, AttributeError) as error:
        raise ModelError(f"{file.name}: Ultralytics cannot load it: {_one_line(error)}") from error
    if model.task != "detect":
        raise ModelError(f"{file.name} is a model for `{model.task}`, expected a detector")
    return model


def _export(model: Any, size: int) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about Ultralytics' use of it
        # nms=False: the raw head, or the end-to-end head of the networks that have one.
        return Path(
            model.export(
                format="onnx", imgsz=size, dynamic=True, simplify=True, opset=17, nms=False, device="cpu", verbose=False
            )
        ).resolve()


def _layout(exported: Path, source: str) -> DetectionLayout:
    import onnx

    outputs = onnx.load(exported).graph.output
    axes = [axis.dim_value for axis in outputs[0].type.tensor_type.shape.dim]
    if len(axes) == 3 and axes[2] == 6:
        return "ultralytics-end2end"
    if len(axes) == 3 and axes[1] >= 5:
        return "ultralytics-nms"
    raise ModelError(f"{source}: the exported network gives {axes} (0 = free), which is no known head")


def person_among(names: Mapping[int, str]) -> int:
    """The class that is people: by its name, or the only one. Raises ModelError when it cannot be told."""
    for index, name in names.items():
        if name.lower() in _PEOPLE:
            return index
    if len(names) == 1 or all(name == str(index) for index, name in names.items()):
        return 0
    shown = ", ".join(f"{index} {name}" for index, name in list(names.items())[:10])
    raise ModelError(f"none of the classes is called person ({shown}); say which with --person-class")


def _fix_size(exported: Path, file: Path, size: int) -> None:
    """Ultralytics frees height and width along with the batch; TensorRT plans better with them fixed."""
    import onnx

    model = onnx.load(exported)
    axes = model.graph.input[0].type.tensor_type.shape.dim
    axes[2].dim_value = size
    axes[3].dim_value = size
    onnx.save(model, file)


def _check(model: Any, file: Path, *, layout: DetectionLayout, size: int) -> None:
    pictures = np.random.default_rng(0).uniform(size=(2, 3, size, size)).astype(np.float32)
    network = model.model.float().eval()
    if layout == "ultralytics-end2end":
        network.end2end = True
    with torch.no_grad():
        expected = network(torch.from_numpy(pictures))[0].numpy()
    actual = run_onnx(file, pictures)
    if layout == "ultralytics-nms":
        require_equal(expected, actual, what=file.name, at_most=_MAX_DIFFERENCE)
        return
    for theirs, ours in zip(expected, actual, strict=True):
        require_equal(np.sort(theirs[:, 4]), np.sort(ours[:, 4]), what=file.name, at_most=_MAX_DIFFERENCE)
        # Which of equally confident boxes are kept is chance: an untrained network has no other.
        distinct = theirs[theirs[:, 4] > theirs[:, 4].min() + _DISTINCT][:_COMPARED_BOXES]
        if len(distinct):
            require_equal(distinct, _nearest(distinct, ours), what=file.name, at_most=_MAX_DIFFERENCE)


def _nearest(wanted: Float32Array, rows: Float32Array) -> Float32Array:
    """For each row of `wanted` the most similar of `rows`: boxes of equal confidence may come in another order."""
    distances = np.abs(wanted[:, None, :] - rows[None, :, :]).max(axis=2)
    nearest: Float32Array = rows[distances.argmin(axis=1)]
    return nearest


def _one_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:200]

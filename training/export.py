"""From torch to ONNX: a file that every engine reads, with its manifest, checked against torch."""

import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from passerby.arrays import Float32Array, Image
from passerby.errors import ModelError
from passerby.inference.preprocessing import prepare
from passerby.models import (
    EmbeddingOutput,
    ModelDescription,
    ModelManifest,
    Preprocessing,
    read_model,
    write_description,
)
from training.backbones import load_backbone
from training.describing import described

OPSET = 18
"""Read by ONNX Runtime from 1.14, OpenVINO from 2023.0, TensorRT from 9."""

IMAGENET = Preprocessing(
    height=256,
    width=128,
    colour="RGB",
    scale=1 / 255,
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
)
"""The input of re-ID networks that start from ImageNet, as torchreid and most others feed them."""

_MAX_DIFFERENCE = 1e-4
"""Relative to the largest output: float32 rounding through 100 layers stays 10 times below."""

_CROPS_A_RUN = 16


def export_backbone(weights: Path, out: Path, *, crops: Sequence[Image] = ()) -> ModelManifest:
    """Turn a state dict that `load_backbone` reads into `out` (.onnx), with its manifest beside it.

    The two are compared on noise, and on `crops` (BGR uint8, any size) where there are some. Raises ModelError when the
    file is no backbone or the exported network differs from torch.
    """
    network = load_backbone(weights)
    description = described(
        weights.stem,
        how=IMAGENET,
        embedding=EmbeddingOutput(dimension=network.feature_dimension),
        source=f"exported from {weights.name}",
    )
    return export_embedder(network, out, description=description, crops=crops)


def export_embedder(
    network: nn.Module, out: Path, *, description: ModelDescription, crops: Sequence[Image] = ()
) -> ModelManifest:
    """Write `network` (pictures (n, 3, h, w) to embeddings (n, d)) as ONNX with a free batch axis, and its manifest.

    The network is put into evaluation mode. Nothing is left at `out` unless ONNX Runtime gives torch's numbers, for
    noise and for `crops` (BGR uint8, any size). Raises ModelError when it does not, or when `out` is not an .onnx.
    """
    network.eval()
    size = (3, description.input.height, description.input.width)

    def write(file: Path) -> None:
        write_onnx(network, file, size=size, output="embeddings")

    def check(file: Path) -> None:
        for pictures in pictures_to_compare(crops, how=description.input):
            with torch.no_grad():
                expected = network(torch.from_numpy(pictures)).numpy()
            require_equal(expected, run_onnx(file, pictures), what=out.name)

    return publish(out, description=description, write=write, check=check)


def pictures_to_compare(crops: Sequence[Image], *, how: Preprocessing) -> Iterator[Float32Array]:
    """Batches (n, 3, height, width) on which two networks should agree: noise, then `crops` (BGR uint8, any size)."""
    yield np.random.default_rng(0).normal(size=(3, 3, how.height, how.width)).astype(np.float32)
    for start in range(0, len(crops), _CROPS_A_RUN):
        yield prepare(crops[start : start + _CROPS_A_RUN], how)[0]


def publish(
    out: Path,
    *,
    description: ModelDescription,
    write: Callable[[Path], None],
    check: Callable[[Path], None],
) -> ModelManifest:
    """Have `write` make an ONNX file, `check` it, and only then put it and its manifest at `out`."""
    if out.suffix != ".onnx":
        raise ModelError(f"{out} is no ONNX file's name; expected it to end with .onnx")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".export-") as folder:
        file = Path(folder) / out.name
        write(file)
        check(file)
        write_description(description, file.with_suffix(".json"))
        os.replace(file.with_suffix(".json"), out.with_suffix(".json"))
        os.replace(file, out)
    return read_model(out.resolve())


def write_onnx(
    network: nn.Module,
    file: Path,
    *,
    size: tuple[int, int, int],
    output: str,
    others: Mapping[str, torch.Tensor] | None = None,
) -> None:
    """Write `network`, pictures (n, *size) to one tensor named `output` with n as its first axis, as ONNX.

    `others` are inputs after the pictures, by name: tensors of the one shape and type that they will have.
    """
    others = others or {}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore", FutureWarning)  # torch's own exporter uses what torch deprecates
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            network,
            (torch.zeros(2, *size), *others.values()),  # 2: a traced batch of 1 would become a constant
            file,
            input_names=["pictures", *others],
            output_names=[output],
            dynamic_shapes=({0: torch.export.Dim("n")}, *({} for _ in others)),
            opset_version=OPSET,
            external_data=False,
            verbose=False,
        )
    _forget_where_it_was_made(file)


def _forget_where_it_was_made(file: Path) -> None:
    """Remove what torch notes about each node: stack traces with the paths of this machine, half of a small file."""
    import onnx

    model = onnx.load(file)
    for node in model.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    for value in [*model.graph.value_info, *model.graph.input, *model.graph.output, *model.graph.initializer]:
        value.ClearField("metadata_props")
    model.graph.ClearField("metadata_props")
    onnx.save(model, file)


def run_onnx(file: Path | bytes, pictures: Float32Array) -> Float32Array:
    """The first output of an ONNX file, or its bytes, for `pictures` (n, 3, h, w), by ONNX Runtime on the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    result: Float32Array = session.run(None, {session.get_inputs()[0].name: pictures})[0]
    return result


def require_equal(expected: Float32Array, actual: Float32Array, *, what: str, at_most: float = _MAX_DIFFERENCE) -> None:
    """Raise ModelError unless two outputs agree but for rounding: to `at_most` of the largest output."""
    if expected.shape != actual.shape:
        raise ModelError(f"{what}: the exported network gives {actual.shape}, torch {expected.shape}")
    difference = float(np.abs(expected - actual).max() / max(float(np.abs(expected).max()), 1e-12))
    if not difference <= at_most:  # also when it is not a number
        raise ModelError(
            f"{what}: the exported network differs from torch by {difference:.2g} of the largest output, "
            f"expected at most {at_most:g}; it was not kept"
        )

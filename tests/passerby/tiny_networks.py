"""Networks of a few nodes, made on the spot, that every engine can run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from passerby.arrays import Float32Array, Image
from passerby.models import (
    DetectionOutput,
    EmbeddingOutput,
    ModelDescription,
    ModelManifest,
    Preprocessing,
    read_model,
    write_description,
)

SIZE = 16


def tiny_embedder(file: Path, *, batch: int | str = "n", dimension: int = 4) -> ModelManifest:
    """`dimension` random projections of the mean colour and of its square root."""
    weights = np.random.default_rng(7).normal(size=(3, dimension)).astype(np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["pictures"], ["means"], axes=[2, 3], keepdims=0),
        helper.make_node("Sqrt", ["means"], ["roots"]),
        helper.make_node("MatMul", ["roots", "weights"], ["embeddings"]),
    ]
    _save(
        file,
        nodes,
        [numpy_helper.from_array(weights, "weights")],
        output="embeddings",
        shape=[batch, dimension],
        batch=batch,
    )
    description = ModelDescription(
        task="embed", input=Preprocessing(height=SIZE, width=SIZE, colour="BGR"), embedding=EmbeddingOutput(dimension=4)
    )
    write_description(description, file.with_suffix(".json"))
    return read_model(file)


@dataclass(frozen=True)
class TinyTables:
    """What `tiny_camera_embedder` computes with: tables (cameras + 1, 3), weights (3, 4)."""

    scales: Float32Array
    shifts: Float32Array
    weights: Float32Array

    def embeddings(self, crops: Sequence[Image], rows: Sequence[int]) -> Float32Array:
        """(n, 4), one picture at a time."""
        sized = [cv2.resize(crop, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR) for crop in crops]
        roots = [np.sqrt(crop.mean(axis=(0, 1))) for crop in sized]
        return np.array(
            [
                (root * self.scales[row] + self.shifts[row]) @ self.weights
                for root, row in zip(roots, rows, strict=True)
            ],
            np.float32,
        )


def tiny_camera_embedder(file: Path, *, cameras: list[str]) -> tuple[ModelManifest, TinyTables]:
    """As `tiny_embedder`, with a scale and a shift for each camera between root and projection; the site's row last."""
    random = np.random.default_rng(8)
    scales, shifts = random.normal(size=(2, len(cameras) + 1, 3)).astype(np.float32)
    tables = TinyTables(scales, shifts, random.normal(size=(3, 4)).astype(np.float32))
    nodes = [
        helper.make_node("ReduceMean", ["pictures"], ["means"], axes=[2, 3], keepdims=0),
        helper.make_node("Sqrt", ["means"], ["roots"]),
        helper.make_node("Gather", ["camera.scale.0", "camera"], ["scale"]),
        helper.make_node("Gather", ["camera.shift.0", "camera"], ["shift"]),
        helper.make_node("Mul", ["roots", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "shift"], ["shifted"]),
        helper.make_node("MatMul", ["shifted", "weights"], ["embeddings"]),
    ]
    constants = {
        "camera.scale.0": scales,
        "camera.shift.0": shifts,
        "weights": tables.weights,
        "camera": np.array([len(cameras)], np.int64),
    }
    _save(
        file,
        nodes,
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
        output="embeddings",
        shape=["n", 4],
        batch="n",
    )
    description = ModelDescription(
        task="embed",
        input=Preprocessing(height=SIZE, width=SIZE, colour="BGR"),
        embedding=EmbeddingOutput(dimension=4, cameras=cameras),
    )
    write_description(description, file.with_suffix(".json"))
    return read_model(file), tables


def tiny_detector(file: Path, *, batch: int | str = "n") -> ModelManifest:
    """One person per picture, end to end: corners (0, 0) and (mean blue / 16, mean green / 16), confidence 0.9."""
    rest = np.array([[[0.9, 0.0]]], np.float32)
    starts, ends, axes = (np.array(v, np.int64) for v in ([0], [2], [1]))
    nodes = [
        helper.make_node("ReduceMean", ["pictures"], ["means"], axes=[2, 3], keepdims=0),
        helper.make_node("Slice", ["means", "starts", "ends", "axes"], ["blue_green"]),
        helper.make_node("Mul", ["blue_green", "sixteenth"], ["corner"]),
        helper.make_node("Mul", ["corner", "zero"], ["origin"]),
        helper.make_node("Unsqueeze", ["corner", "axes"], ["corners"]),
        helper.make_node("Unsqueeze", ["origin", "axes"], ["origins"]),
        helper.make_node("Mul", ["origins", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "rest"], ["rests"]),
        helper.make_node("Concat", ["origins", "corners", "rests"], ["people"], axis=2),
    ]
    constants = [
        numpy_helper.from_array(array, name)
        for name, array in {
            "starts": starts,
            "ends": ends,
            "axes": axes,
            "sixteenth": np.float32([1 / 16]),
            "zero": np.float32([0]),
            "rest": rest,
        }.items()
    ]
    _save(file, nodes, constants, output="people", shape=[batch, 1, 6], batch=batch)
    description = ModelDescription(
        task="detect",
        input=Preprocessing(height=SIZE, width=SIZE, colour="BGR"),
        detection=DetectionOutput(layout="ultralytics-end2end"),
    )
    write_description(description, file.with_suffix(".json"))
    return read_model(file)


def _save(
    file: Path,
    nodes: list[onnx.NodeProto],
    constants: list[onnx.TensorProto],
    *,
    output: str,
    shape: list[int | str],
    batch: int | str,
) -> None:
    graph = helper.make_graph(
        nodes,
        file.stem,
        [helper.make_tensor_value_info("pictures", TensorProto.FLOAT, [batch, 3, SIZE, SIZE])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, file)

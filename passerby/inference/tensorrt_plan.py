"""Compiling an ONNX file for one GPU with TensorRT 11, and keeping the result.

Networks are strongly typed in TensorRT 11: the types stand in the ONNX file. Half precision is a converted file,
INT8 one with quantize and dequantize nodes; the builder has no flags for either.
"""

import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from passerby.errors import EngineError
from passerby.inference.camera_rows import CAMERA
from passerby.models import ModelManifest

MAX_BATCH = 32
_USUAL_BATCH = 8
_WORKSPACE = 2 << 30
"""Bytes of GPU memory that a layer may use while it runs; the builder's default is all there is."""


def compiled_plan(trt: Any, manifest: ModelManifest, *, half: bool, gpu_name: str, logger: Any, folder: Path) -> bytes:
    """The engine for this model, GPU and TensorRT version: from `folder`, or built (minutes) and kept there.

    Raises EngineError when TensorRT cannot read or compile the file.
    """
    kept = folder / plan_name(manifest, half=half, gpu_name=gpu_name, tensorrt=trt.__version__)
    if kept.is_file():
        return kept.read_bytes()
    plan = build_plan(trt, manifest, half=half, logger=logger)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as part:
            part.write(plan)
        os.replace(part.name, kept)
    except OSError as error:
        raise EngineError(f"cannot keep the compiled engine as {kept}: {error.strerror}") from error
    return plan


def plan_name(manifest: ModelManifest, *, half: bool, gpu_name: str, tensorrt: str) -> str:
    """A file name that another model, precision, input size, GPU or TensorRT version does not share."""
    shape = f"{manifest.input.height}x{manifest.input.width}-b{MAX_BATCH}"
    key = "|".join([manifest.model_id, shape, str(half), gpu_name, tensorrt])
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", f"{manifest.name}-{manifest.version}-{gpu_name}-trt{tensorrt}")[:120]
    return f"{readable}-{hashlib.sha256(key.encode()).hexdigest()[:12]}.plan"


def build_plan(trt: Any, manifest: ModelManifest, *, half: bool, logger: Any) -> bytes:
    """Compile the model's ONNX file. Raises EngineError with the parser's words."""
    file = Path(manifest.files[0])
    cameras = manifest.embedding.cameras if manifest.embedding else []
    content = _prepared(file, half=half, rows=bool(cameras))
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(content, str(file)):
        reasons = "; ".join(parser.get_error(index).desc() for index in range(parser.num_errors))
        raise EngineError(f"TensorRT cannot read {file.name}: {reasons}")
    if network.num_inputs != (2 if cameras else 1):
        expected = "two: the pictures and their cameras" if cameras else "one: the pictures"
        raise EngineError(f"{file.name} has {network.num_inputs} inputs, expected {expected}")

    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, _WORKSPACE)
    # Float32 means float32: TensorFloat-32 rounds embeddings to ten bits, and they are compared across engines.
    config.clear_flag(trt.BuilderFlag.TF32)
    pictures = network.get_input(0)
    size = (3, manifest.input.height, manifest.input.width)
    if pictures.shape[0] == -1:
        profile = builder.create_optimization_profile()
        profile.set_shape(pictures.name, (1, *size), (_USUAL_BATCH, *size), (MAX_BATCH, *size))
        if cameras:
            profile.set_shape(CAMERA, (1,), (_USUAL_BATCH,), (MAX_BATCH,))
        if config.add_optimization_profile(profile) < 0:
            raise EngineError(f"{file.name}: TensorRT refuses batches of 1 to {MAX_BATCH} pictures of {size}")
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise EngineError(f"TensorRT cannot compile {file.name}; its reasons are in the log")
    return bytes(plan)


def _prepared(file: Path, *, half: bool, rows: bool) -> bytes:
    """The ONNX file as TensorRT shall read it. Raises EngineError when it must be changed and is damaged."""
    if not half and not rows:
        return file.read_bytes()
    from google.protobuf.message import DecodeError

    try:
        content = half_precision(file) if half else file.read_bytes()
        return with_row_input(content, name=file.name) if rows else content
    except DecodeError as error:
        raise EngineError(f"TensorRT cannot read {file.name}: {error}") from error


def half_precision(file: Path) -> bytes:
    """The ONNX file with float16 inside and float32 at its ends; as it is, when it is quantized already."""
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    model = onnx.load(file)
    if any(node.op_type == "QuantizeLinear" for node in model.graph.node):
        return file.read_bytes()
    return bytes(convert_float_to_float16(model, keep_io_types=True).SerializeToString())


def with_row_input(content: bytes, *, name: str) -> bytes:
    """The ONNX file `name` whose constant `camera` has become an input (n,) int64: a row for each picture of the batch.

    Raises EngineError where there is no such constant.
    """
    import onnx

    model = onnx.load_from_string(content)
    graph = model.graph
    constant = next((each for each in graph.initializer if each.name == CAMERA), None)
    if constant is None:
        raise EngineError(f"{name} has no constant `{CAMERA}`, expected one, because its manifest names cameras")
    graph.initializer.remove(constant)
    rows = onnx.helper.make_tensor_value_info(CAMERA, onnx.TensorProto.INT64, [None])
    rows.type.tensor_type.shape.dim[0].CopyFrom(graph.input[0].type.tensor_type.shape.dim[0])
    graph.input.append(rows)
    return bytes(model.SerializeToString())

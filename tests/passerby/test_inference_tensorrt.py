"""TensorRT's engine without a GPU: its names exist in the real bindings, and its steps are right."""

import ast
import importlib
import inspect
import platform
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from passerby.errors import EngineError, EngineUnavailableError
from passerby.inference import cuda, load_embedder, tensorrt, tensorrt_plan
from passerby.inference.embedder import NetworkEmbedder
from passerby.inference.openvino import OpenVinoNetwork
from passerby.inference.tensorrt import TensorRtNetwork, tensorrt_unavailable
from passerby.inference.tensorrt_plan import MAX_BATCH, half_precision, plan_name
from passerby.models import ModelManifest, find_model
from tests.conftest import unavailable
from tests.passerby import host_tensorrt
from tests.passerby.tiny_networks import tiny_embedder

# Read off the bindings of TensorRT 11.4.0.106, where these classes have these attributes. The builder's half cannot be
# imported without TensorRT's own libraries; the runtime's half is checked below against the lean runtime, which the
# extra `test` brings.
_BUILDER_NAMES = {
    "trt": {
        *("Builder", "BuilderFlag", "Logger", "MemoryPoolType", "NetworkDefinitionCreationFlag", "OnnxParser"),
        *("Runtime", "TensorIOMode", "__version__", "nptype"),
    },
    "builder": {
        *("build_serialized_network", "create_builder_config", "create_network", "create_optimization_profile"),
    },
    "network": {"get_input", "num_inputs"},
    "parser": {"get_error", "num_errors", "parse"},
    "config": {"add_optimization_profile", "clear_flag", "set_memory_pool_limit"},
    "profile": {"set_shape"},
    "pictures": {"name", "shape"},
}
_RUNTIME_CLASSES = {"runtime": "Runtime", "engine": "ICudaEngine", "_context": "IExecutionContext"}


def _used(module: ModuleType) -> dict[str, set[str]]:
    """Attribute names by the variable that they are taken from: `builder.create_network` and `self._context.x`."""
    used: dict[str, set[str]] = {}
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if not isinstance(node, ast.Attribute):
            continue
        if isinstance(node.value, ast.Name):
            used.setdefault(node.value.id, set()).add(node.attr)
        elif isinstance(node.value, ast.Attribute):
            used.setdefault(node.value.attr, set()).add(node.attr)
    return used


@pytest.mark.parametrize("variable", sorted(_BUILDER_NAMES))
def test_every_name_used_of_the_builder_exists_in_tensorrt_11(variable: str) -> None:
    used = _used(tensorrt_plan).get(variable, set())
    if variable == "trt":
        used = used | _used(tensorrt).get("trt", set())
    assert used, f"nothing called {variable} is used any more"
    assert used <= _BUILDER_NAMES[variable]


@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="the bindings are taken for Linux on x86-64 only"
)
@pytest.mark.parametrize("variable", sorted(_RUNTIME_CLASSES))
def test_every_name_used_of_the_runtime_exists_in_the_lean_bindings(variable: str) -> None:
    try:
        bindings = importlib.import_module("tensorrt_lean_bindings")
    except ImportError:
        unavailable("the lean runtime's bindings are not installed; pip install -e '.[test]' brings them")
    used = _used(tensorrt).get(variable, set())
    assert used, f"nothing called {variable} is used any more"
    assert used <= set(dir(getattr(bindings, _RUNTIME_CLASSES[variable])))


def test_every_name_used_of_cuda_exists() -> None:
    runtime = pytest.importorskip("cuda.bindings.runtime", reason="cuda-python is not installed")
    used = _used(cuda).get("runtime", set()) | _used(cuda).get("_runtime", set())
    assert {name for name in used if name.startswith("cuda")} <= set(dir(runtime))


@pytest.mark.skipif(tensorrt_unavailable() is None, reason="TensorRT runs here")
def test_where_it_cannot_run_the_error_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailableError, match=r"(install|GPU)"):
        load_embedder(tiny_embedder(tmp_path / "tiny.onnx"), engine="tensorrt")


def test_openvino_s_format_is_refused_with_the_engine_to_use(tmp_path: Path) -> None:
    manifest = tiny_embedder(tmp_path / "tiny.onnx")
    ir = ModelManifest(
        task="embed",
        name="ir",
        version="0",
        files=["ir.xml"],
        input=manifest.input,
        embedding=manifest.embedding,
    )
    with pytest.raises(EngineUnavailableError, match="use the engine `openvino`"):
        TensorRtNetwork(ir)


def _network(manifest: ModelManifest, plans: Path, *, half: bool = False) -> TensorRtNetwork:
    host_tensorrt.Runtime.gpu = host_tensorrt.HostGpu()
    return TensorRtNetwork(manifest, trt=host_tensorrt, gpu=host_tensorrt.Runtime.gpu, plans=plans, half=half)


@pytest.mark.parametrize("half", [False, True], ids=["float32", "half"])
def test_on_host_memory_it_gives_what_openvino_gives(tmp_path: Path, half: bool) -> None:
    manifest = tiny_embedder(tmp_path / "tiny.onnx")
    network = _network(manifest, tmp_path / "plans", half=half)
    random = np.random.default_rng(0)
    crops = [random.integers(0, 256, (20, 10, 3), np.uint8) for _ in range(MAX_BATCH + 1)]
    names = [""] * len(crops)
    ours = NetworkEmbedder(network, manifest).embed(crops, names)  # type: ignore[arg-type]
    theirs = NetworkEmbedder(OpenVinoNetwork(manifest, threads=1), manifest).embed(crops, names)  # type: ignore[arg-type]
    np.testing.assert_allclose(ours, theirs, rtol=2e-2 if half else 1e-4, atol=0.02 if half else 1e-4)


def test_a_file_for_one_picture_runs_one_at_a_time(tmp_path: Path) -> None:
    network = _network(tiny_embedder(tmp_path / "tiny.onnx", batch=1), tmp_path / "plans")
    assert network.batch_limit == 1
    assert network.run(np.ones((1, 3, 16, 16), np.float32))[0].shape == (1, 4)


def test_what_was_compiled_is_kept(tmp_path: Path) -> None:
    manifest = tiny_embedder(tmp_path / "tiny.onnx")
    before = host_tensorrt.Builder.built
    _network(manifest, tmp_path / "plans")
    _network(manifest, tmp_path / "plans")
    assert host_tensorrt.Builder.built == before + 1
    assert [path.suffix for path in (tmp_path / "plans").iterdir()] == [".plan"]


def test_a_damaged_plan_says_what_to_delete(tmp_path: Path) -> None:
    manifest = tiny_embedder(tmp_path / "tiny.onnx")
    _network(manifest, tmp_path / "plans")
    (plan,) = (tmp_path / "plans").iterdir()
    plan.write_bytes(b"half a plan")
    with pytest.raises(EngineError, match=r"delete .*plans and start again"):
        _network(manifest, tmp_path / "plans")


@pytest.mark.parametrize(("half", "reason"), [(False, "no ONNX"), (True, "Error parsing")], ids=["float32", "half"])
def test_a_damaged_file_gives_the_parser_s_reason(tmp_path: Path, half: bool, reason: str) -> None:
    file = tmp_path / "tiny.onnx"
    tiny_embedder(file)
    file.write_bytes(b"no network")
    with pytest.raises(EngineError, match=rf"cannot read tiny\.onnx: {reason}"):
        _network(find_model(str(file)), tmp_path / "plans", half=half)


def test_closing_gives_all_memory_back(tmp_path: Path) -> None:
    network = _network(tiny_embedder(tmp_path / "tiny.onnx"), tmp_path / "plans")
    gpu = host_tensorrt.Runtime.gpu
    network.close()
    network.close()
    assert gpu.memory == {}
    assert gpu.closed
    with pytest.raises(EngineError, match="closed"):
        network.run(np.ones((1, 3, 16, 16), np.float32))


def test_another_gpu_version_or_precision_is_another_plan(tmp_path: Path) -> None:
    manifest = tiny_embedder(tmp_path / "tiny.onnx")
    names = {
        plan_name(manifest, half=half, gpu_name=gpu, tensorrt=version)
        for half in (False, True)
        for gpu in ("NVIDIA L4 GPU-1", "NVIDIA L4 GPU-2")
        for version in ("11.3.0", "11.4.0")
    }
    assert len(names) == 8
    assert all("/" not in name and " " not in name for name in names)


def test_half_precision_keeps_float32_at_the_ends(tmp_path: Path) -> None:
    import onnx

    tiny_embedder(tmp_path / "tiny.onnx")
    graph = onnx.load_from_string(half_precision(tmp_path / "tiny.onnx")).graph
    assert {end.type.tensor_type.elem_type for end in [*graph.input, *graph.output]} == {onnx.TensorProto.FLOAT}
    assert {constant.data_type for constant in graph.initializer} == {onnx.TensorProto.FLOAT16}

"""ONNX Runtime: runs ONNX on any machine, on NVIDIA's GPUs with its CUDA build."""

import threading
from pathlib import Path
from typing import Any

from passerby.arrays import Float32Array
from passerby.errors import EngineError, EngineUnavailableError
from passerby.models import ModelManifest

_GROUPED = 32
"""Pictures in one run of a network with a free batch axis: beyond it memory grows and speed does not."""


def onnxruntime_unavailable() -> str | None:
    """Why ONNX Runtime cannot run here; None when it can."""
    try:
        import onnxruntime  # noqa: F401
    except ImportError:
        return "onnxruntime is not installed; `pip install onnxruntime`"
    return None


class OnnxRuntimeNetwork:
    """Implements Network. `threads` 0 leaves their number to ONNX Runtime; `content` stands in for the file's bytes.

    Batches where the file leaves the first axis of input and outputs free; on a CPU detectors run one picture at a
    time all the same, which is faster (see OpenVinoNetwork).
    """

    def __init__(self, manifest: ModelManifest, *, threads: int = 0, content: bytes | None = None) -> None:
        if (reason := onnxruntime_unavailable()) is not None:
            raise EngineUnavailableError(reason)
        import onnxruntime

        file = Path(manifest.files[0])
        if file.suffix != ".onnx":
            raise EngineUnavailableError(f"ONNX Runtime reads .onnx, not {file.name}; use the engine `openvino`")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors; its warnings about unused initializers are not for operators
        # Waiting threads must not burn the cores that decode video.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        wanted = ("CUDAExecutionProvider", "CPUExecutionProvider")
        providers = [name for name in wanted if name in onnxruntime.get_available_providers()]
        self._failures = _failures()
        try:
            self._session: Any = onnxruntime.InferenceSession(content or str(file), options, providers=providers)
        except self._failures as error:
            raise EngineError(f"ONNX Runtime cannot load {file.name}: {error}") from error
        self._name = manifest.name
        self._lock = threading.Lock()
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            raise EngineError(f"{file.name} has {len(inputs)} inputs, expected one: the pictures")
        self._input = inputs[0].name
        on_cpu = self._session.get_providers()[0] == "CPUExecutionProvider"
        free = all(not isinstance(end.shape[0], int) for end in [*inputs, *self._session.get_outputs()])
        self._batch_limit = _GROUPED if free and not (on_cpu and manifest.task == "detect") else 1
        version = ".".join(onnxruntime.__version__.split(".")[:2])
        self._device = f"ONNX Runtime {version} {'CPU' if on_cpu else 'CUDA'} float32"

    @property
    def device(self) -> str:
        """`ONNX Runtime 1.31 CPU float32`."""
        return self._device

    @property
    def batch_limit(self) -> int:
        """The most pictures that one run takes."""
        return self._batch_limit

    def run(self, batch: Float32Array) -> list[Float32Array]:
        """Raw outputs for `batch`; see Network."""
        with self._lock:
            session = self._session
        if session is None:
            raise EngineError(f"{self._name} has been closed")
        try:
            outputs: list[Float32Array] = session.run(None, {self._input: batch})
        except self._failures as error:
            raise EngineError(f"ONNX Runtime failed to run {self._name}: {error}") from error
        return outputs

    def close(self) -> None:
        """Free the network, once the runs under way are over."""
        with self._lock:
            self._session = None


def _failures() -> tuple[type[Exception], ...]:
    """ONNX Runtime's exceptions, which have no common parent but Exception."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = [kind for kind in vars(state).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    return (*own, RuntimeError, ValueError)

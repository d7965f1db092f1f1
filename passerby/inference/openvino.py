"""OpenVINO: Intel's runtime, for CPUs of any make and Intel's GPUs; reads IR (.xml + .bin) and ONNX."""

import threading
from pathlib import Path
from typing import Any

import numpy as np

from passerby.arrays import Float32Array
from passerby.errors import EngineError, EngineUnavailableError
from passerby.models import ModelManifest

_GROUPED = 32
"""Pictures in one run of an embedder: beyond it memory grows and speed does not."""

_SAME = 1e-3
"""Largest relative difference between a picture alone and in a batch: rounding is 1000 times smaller."""


def openvino_unavailable() -> str | None:
    """Why OpenVINO cannot run here; None when it can."""
    try:
        import openvino  # noqa: F401
    except ImportError:
        return "openvino is not installed; `pip install 'passerby[openvino]'`"
    return None


class OpenVinoNetwork:
    """Implements Network.

    Float32 inference unless `float32` is False: newer CPUs would otherwise use bfloat16 unasked, which changes
    embeddings in the third digit. `threads` 0 leaves their number to OpenVINO. `content` stands in for the bytes of an
    .onnx.

    Detectors run one picture at a time: on CPUs a batch of 4 took 1.3-1.5 times as long per picture (retail-0013,
    1 and 2 threads), and OpenVINO's SSD layer shares one list of best boxes among the pictures of a batch. Embedders,
    whose input is small, run batches where the network gives the same vectors for a batch as for its pictures alone.
    """

    def __init__(
        self,
        manifest: ModelManifest,
        *,
        threads: int = 0,
        device: str = "CPU",
        float32: bool = True,
        content: bytes | None = None,
    ) -> None:
        if (reason := openvino_unavailable()) is not None:
            raise EngineUnavailableError(reason)
        import openvino

        core = openvino.Core()
        if device not in core.available_devices:
            raise EngineUnavailableError(f"OpenVINO has no device {device!r} here, only {core.available_devices}")
        settings: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
        if float32:
            settings["INFERENCE_PRECISION_HINT"] = "f32"
        if threads > 0 and device == "CPU":
            settings["INFERENCE_NUM_THREADS"] = threads
        self._name = manifest.name
        self._lock = threading.Lock()
        self._batch_limit = 1
        try:
            model = core.read_model(content or manifest.files[0])
            size = [3, manifest.input.height, manifest.input.width]
            if len(model.inputs) != 1:
                raise EngineError(f"{manifest.files[0]} has {len(model.inputs)} inputs, expected one: the pictures")
            model.reshape({model.inputs[0]: openvino.PartialShape([1, *size])})
            compiled = core.compile_model(model, device, settings)
            self._request: Any = compiled.create_infer_request()
            if manifest.task == "embed":
                self._allow_batches(core, model, size, device=device, settings=settings)
        except RuntimeError as error:
            raise EngineError(f"OpenVINO cannot load {Path(manifest.files[0]).name}: {_first_line(error)}") from error
        version = ".".join(openvino.__version__.split("-")[0].split(".")[:2])
        precision = str(compiled.get_property("INFERENCE_PRECISION_HINT").to_string())
        self._device = f"OpenVINO {version} {device} {'float32' if precision == 'f32' else precision}"

    def _allow_batches(self, core: Any, model: Any, size: list[int], *, device: str, settings: dict[str, Any]) -> None:
        """Take the form with a free batch axis, unless its results differ from those of one picture at a time."""
        import openvino

        pictures = np.random.default_rng(0).uniform(0, 255, (2, *size)).astype(np.float32)
        alone = np.concatenate([self.run(picture[None])[0] for picture in pictures])
        try:
            model.reshape({model.inputs[0]: openvino.PartialShape([-1, *size])})
            request = core.compile_model(model, device, settings).create_infer_request()
            together = np.array(request.infer({0: pictures})[0])
        except RuntimeError:  # a network that was exported for one picture only
            return
        if together.shape == alone.shape and np.abs(together - alone).max() <= _SAME * np.abs(alone).max():
            self._request = request
            self._batch_limit = _GROUPED

    @property
    def device(self) -> str:
        """`OpenVINO 2026.4 CPU float32`."""
        return self._device

    @property
    def batch_limit(self) -> int:
        """The most pictures that one run takes."""
        return self._batch_limit

    def run(self, batch: Float32Array) -> list[Float32Array]:
        """Raw outputs for `batch`; see Network."""
        with self._lock:
            if self._request is None:
                raise EngineError(f"{self._name} has been closed")
            try:
                results = self._request.infer({0: batch}, share_inputs=True)
            except RuntimeError as error:
                raise EngineError(f"OpenVINO failed to run {self._name}: {_first_line(error)}") from error
            # The next run writes into the same memory.
            return [np.array(results[index], np.float32) for index in range(len(results))]

    def close(self) -> None:
        """Free the network; waits for a run under way."""
        with self._lock:
            self._request = None


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reasons = [line for line in lines if not line.startswith("Exception from")]
    return (reasons or lines or [type(error).__name__])[0]

"""From a manifest to a running engine."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from passerby.errors import ConfigError, EngineUnavailableError
from passerby.inference.camera_embedder import CameraEmbedder
from passerby.inference.camera_rows import FoldedNetworks
from passerby.inference.detector import NetworkDetector
from passerby.inference.embedder import NetworkEmbedder
from passerby.inference.engine import DetectionEngine, EmbeddingEngine
from passerby.inference.network import CameraNetwork, Network
from passerby.inference.onnxruntime import OnnxRuntimeNetwork, onnxruntime_unavailable
from passerby.inference.openvino import OpenVinoNetwork, openvino_unavailable
from passerby.inference.tensorrt import TensorRtNetwork, tensorrt_unavailable
from passerby.models import ModelManifest

EngineName = Literal["tensorrt", "openvino", "onnxruntime"]

Precision = Literal["float32", "half"]
"""`half`: what the hardware computes fastest, float16 or bfloat16; engines without it stay with float32."""

_UNAVAILABLE: dict[EngineName, Callable[[], str | None]] = {
    "tensorrt": tensorrt_unavailable,
    "openvino": openvino_unavailable,
    "onnxruntime": onnxruntime_unavailable,
}
"""Engines from best to last resort, each with the reason why it cannot run here."""


def load_detector(
    manifest: ModelManifest, *, engine: str = "auto", threads: int = 0, precision: Precision = "float32"
) -> DetectionEngine:
    """Load a detector. `engine` is auto, tensorrt, openvino or onnxruntime; `threads` of a CPU, 0 = all.

    Raises ModelError when the manifest is no detector's, EngineUnavailableError when the engine cannot run here or
    cannot read the file, EngineError when it fails to.
    """
    return NetworkDetector(_load(manifest, engine=engine, threads=threads, half=precision == "half"), manifest)


def load_embedder(
    manifest: ModelManifest, *, engine: str = "auto", threads: int = 0, precision: Precision = "float32"
) -> EmbeddingEngine:
    """Load a re-ID network; arguments and errors as for `load_detector`."""
    half = precision == "half"
    if manifest.embedding is not None and manifest.embedding.cameras:
        return CameraEmbedder(_load_for_cameras(manifest, engine=engine, threads=threads, half=half), manifest)
    return NetworkEmbedder(_load(manifest, engine=engine, threads=threads, half=half), manifest)


def choose_engine(file: Path) -> EngineName:
    """The best engine of this machine that reads `file`. Raises EngineUnavailableError with the install hints."""
    readers: list[EngineName] = [name for name in _UNAVAILABLE if file.suffix == ".onnx" or name == "openvino"]
    reasons = []
    for name in readers:
        reason = _UNAVAILABLE[name]()
        if reason is None:
            return name
        reasons.append(reason)
    raise EngineUnavailableError(f"nothing here can run {file.name}: {'; '.join(reasons)}")


def _load(manifest: ModelManifest, *, engine: str, threads: int, half: bool, content: bytes | None = None) -> Network:
    chosen = _chosen(manifest, engine=engine, threads=threads)
    if chosen == "tensorrt":
        return TensorRtNetwork(manifest, half=half)
    if chosen == "openvino":
        return OpenVinoNetwork(manifest, threads=threads, float32=not half, content=content)
    return OnnxRuntimeNetwork(manifest, threads=threads, content=content)


def _load_for_cameras(manifest: ModelManifest, *, engine: str, threads: int, half: bool) -> CameraNetwork:
    chosen = _chosen(manifest, engine=engine, threads=threads)
    if chosen == "tensorrt":
        return TensorRtNetwork(manifest, half=half)

    def load(content: bytes) -> Network:
        return _load(manifest, engine=chosen, threads=threads, half=half, content=content)

    return FoldedNetworks(manifest, load=load)


def _chosen(manifest: ModelManifest, *, engine: str, threads: int) -> EngineName:
    if threads < 0:
        raise ConfigError(f"threads is {threads}, expected 0 (the machine decides) or more")
    if engine == "auto":
        return choose_engine(Path(manifest.files[0]))
    for name in _UNAVAILABLE:
        if engine == name:
            return name
    raise ConfigError(f"engine is {engine!r}, expected auto, {', '.join(_UNAVAILABLE)}")

"""What every inference engine can do. Implementations: openvino, onnxruntime, tensorrt."""

from collections.abc import Sequence
from typing import Protocol

from passerby.arrays import Detections, Float32Array, Image
from passerby.ids import CameraId
from passerby.models import ModelManifest


class Engine(Protocol):
    """A loaded network. `close` frees it; afterwards it must not be called. Calls are thread-safe."""

    @property
    def manifest(self) -> ModelManifest:
        """What is loaded."""

    @property
    def device(self) -> str:
        """Where it runs, for a person: `OpenVINO 2026.4 CPU float32`."""

    @property
    def batch_limit(self) -> int:
        """The most pictures that one run of the network takes; 1: sharing a batch gains nothing."""

    def close(self) -> None:
        """Free the network."""


class DetectionEngine(Engine, Protocol):
    """Finds people."""

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        """People in each frame, best first, above the manifest's lowest useful confidence.

        `frames` are (height, width, 3) uint8 BGR of any sizes; an empty sequence gives an empty list.
        Raises DataError for a picture of another shape or type, EngineError when the network fails.
        """


class EmbeddingEngine(Engine, Protocol):
    """Describes people."""

    def embed(self, crops: Sequence[Image], camera_ids: Sequence[CameraId]) -> Float32Array:
        """Raw embeddings (n, d) float32 of n crops: as the network gives them, before camera normalization and L2.

        `camera_ids` (n,) choose the batch-norm statistics of a network that has them per camera, the site's for one
        that its manifest does not name; other networks ignore them.
        An empty sequence gives (0, d). Raises DataError for a picture of another shape or type.
        """

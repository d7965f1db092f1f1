"""One engine for all cameras of a process: calls of several threads share runs of the network."""

from collections.abc import Sequence

import numpy as np

from passerby.arrays import Detections, Float32Array, Image, require_image
from passerby.errors import DataError
from passerby.ids import CameraId
from passerby.inference.engine import DetectionEngine, EmbeddingEngine
from passerby.inference.shared_batches import SharedBatches
from passerby.models import ModelManifest


class BatchingDetector:
    """A DetectionEngine over another, for many threads: frames of several cameras share runs of the network.

    It owns `engine` and closes it. No run takes more than `max_batch` frames, nor more than the engine's own limit: an
    engine that gains nothing from batches gets each call as it comes. A frame waits at most `latency_ms` for others.
    """

    def __init__(
        self, engine: DetectionEngine, *, max_batch: int = 8, latency_ms: float = 5.0, timeout_s: float = 30.0
    ) -> None:
        self._engine = engine
        self._batch_limit = min(max_batch, engine.batch_limit)
        self._batches: SharedBatches[Image, Detections] = SharedBatches(
            engine.detect, max_batch=self._batch_limit, latency_s=latency_ms / 1000, timeout_s=timeout_s
        )

    @property
    def manifest(self) -> ModelManifest:
        """What is loaded."""
        return self._engine.manifest

    @property
    def device(self) -> str:
        """Where it runs, for a person."""
        return self._engine.device

    @property
    def batch_limit(self) -> int:
        """The most frames that share a run."""
        return self._batch_limit

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        """People in each frame; see DetectionEngine. EngineError also after `timeout_s` without an answer."""
        for index, frame in enumerate(frames):
            require_image(f"picture {index}", frame)
        return list(self._batches.call(frames)) if frames else []

    def close(self) -> None:
        """Fail the waiting calls, let the run under way end, and free the network."""
        self._batches.close()
        self._engine.close()


class BatchingEmbedder:
    """An EmbeddingEngine over another, for many threads; as BatchingDetector."""

    def __init__(
        self, engine: EmbeddingEngine, *, max_batch: int = 32, latency_ms: float = 5.0, timeout_s: float = 30.0
    ) -> None:
        self._engine = engine
        self._batch_limit = min(max_batch, engine.batch_limit)
        self._batches: SharedBatches[tuple[Image, CameraId], Float32Array] = SharedBatches(
            self._embed, max_batch=self._batch_limit, latency_s=latency_ms / 1000, timeout_s=timeout_s
        )

    @property
    def manifest(self) -> ModelManifest:
        """What is loaded."""
        return self._engine.manifest

    @property
    def device(self) -> str:
        """Where it runs, for a person."""
        return self._engine.device

    @property
    def batch_limit(self) -> int:
        """The most crops that share a run."""
        return self._batch_limit

    def embed(self, crops: Sequence[Image], camera_ids: Sequence[CameraId]) -> Float32Array:
        """Raw embeddings (n, d); see EmbeddingEngine. EngineError also after `timeout_s` without an answer."""
        if len(camera_ids) != len(crops):
            raise DataError(f"{len(crops)} crops came with {len(camera_ids)} camera ids, expected one for each")
        for index, crop in enumerate(crops):
            require_image(f"picture {index}", crop)
        if not crops:
            return self._engine.embed([], [])
        return np.stack(list(self._batches.call(list(zip(crops, camera_ids, strict=True)))))

    def close(self) -> None:
        """Fail the waiting calls, let the run under way end, and free the network."""
        self._batches.close()
        self._engine.close()

    def _embed(self, pairs: list[tuple[Image, CameraId]]) -> list[Float32Array]:
        return list(self._engine.embed([crop for crop, _ in pairs], [camera for _, camera in pairs]))

"""An embedder: any network that gives one vector per picture."""

from collections.abc import Sequence

import numpy as np

from passerby.arrays import Float32Array, Image
from passerby.errors import DataError, EngineError, ModelError
from passerby.ids import CameraId
from passerby.inference.network import Network
from passerby.inference.preprocessing import prepare
from passerby.models import ModelManifest


class NetworkEmbedder:
    """Implements EmbeddingEngine over a Network."""

    def __init__(self, network: Network, manifest: ModelManifest) -> None:
        if manifest.embedding is None:
            raise ModelError(f"{manifest.name} is no re-ID network: its task is `{manifest.task}`")
        self._network = network
        self._manifest = manifest
        self._dimension = manifest.embedding.dimension

    @property
    def manifest(self) -> ModelManifest:
        """What is loaded."""
        return self._manifest

    @property
    def device(self) -> str:
        """Where it runs, for a person."""
        return self._network.device

    @property
    def batch_limit(self) -> int:
        """The most crops that one run of the network takes; 1: batching gains nothing."""
        return self._network.batch_limit

    def embed(self, crops: Sequence[Image], camera_ids: Sequence[CameraId]) -> Float32Array:
        """Raw embeddings (n, d) float32; see EmbeddingEngine."""
        if len(camera_ids) != len(crops):
            raise DataError(f"{len(crops)} crops came with {len(camera_ids)} camera ids, expected one for each")
        embeddings = np.empty((len(crops), self._dimension), np.float32)
        for start in range(0, len(crops), self._network.batch_limit):
            batch, _ = prepare(crops[start : start + self._network.batch_limit], self._manifest.input)
            vectors = self._network.run(batch)[0]
            embeddings[start : start + len(batch)] = require_vectors(
                vectors, (len(batch), self._dimension), name=self._manifest.name
            )
        return embeddings

    def close(self) -> None:
        """Free the network."""
        self._network.close()


def require_vectors(vectors: Float32Array, shape: tuple[int, int], *, name: str) -> Float32Array:
    """The output of the network `name` as (n, d), which may have come with axes of one. Raises EngineError."""
    if vectors.size != shape[0] * shape[1]:
        raise EngineError(
            f"{name} gave {vectors.shape} for {shape[0]} crops; its manifest promises {shape[1]} numbers each"
        )
    return vectors.reshape(shape)

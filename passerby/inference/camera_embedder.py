"""An embedder whose network has batch-norm statistics for each camera."""

from collections.abc import Sequence

import numpy as np

from passerby.arrays import Float32Array, Image
from passerby.errors import DataError, ModelError
from passerby.ids import CameraId
from passerby.inference.embedder import require_vectors
from passerby.inference.network import CameraNetwork
from passerby.inference.preprocessing import prepare
from passerby.models import ModelManifest


class CameraEmbedder:
    """Implements EmbeddingEngine over a CameraNetwork. A camera that the manifest does not name has the site's row."""

    def __init__(self, network: CameraNetwork, manifest: ModelManifest) -> None:
        if manifest.embedding is None:
            raise ModelError(f"{manifest.name} is no re-ID network: its task is `{manifest.task}`")
        self._network = network
        self._manifest = manifest
        self._dimension = manifest.embedding.dimension
        self._rows = {CameraId(name): row for row, name in enumerate(manifest.embedding.cameras)}

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
        site = len(self._rows)
        rows = np.array([self._rows.get(camera, site) for camera in camera_ids], np.int64)
        order = np.argsort(rows, kind="stable")
        embeddings = np.empty((len(crops), self._dimension), np.float32)
        for start in range(0, len(crops), self._network.batch_limit):
            part = order[start : start + self._network.batch_limit]
            batch, _ = prepare([crops[index] for index in part], self._manifest.input)
            vectors = self._network.run(batch, rows[part])[0]
            embeddings[part] = require_vectors(vectors, (len(part), self._dimension), name=self._manifest.name)
        return embeddings

    def close(self) -> None:
        """Free the network."""
        self._network.close()

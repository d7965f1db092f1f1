"""Embedders: networks that give one vector per picture."""

from collections.abc import Sequence
from typing import Generic, TypeVar

import numpy as np

from passerby.arrays import Float32Array, Image, Int64Array
from passerby.errors import DataError, EngineError, ModelError
from passerby.ids import CameraId
from passerby.inference.network import CameraNetwork, Network
from passerby.inference.preprocessing import prepare
from passerby.models import EmbeddingOutput, ModelManifest

_Loaded = TypeVar("_Loaded", bound=Network | CameraNetwork)


class Embedder(Generic[_Loaded]):
    """Implements EmbeddingEngine over a network of either kind, which `_run` of a subclass calls."""

    def __init__(self, network: _Loaded, manifest: ModelManifest) -> None:
        if manifest.embedding is None:
            raise ModelError(f"{manifest.name} is no re-ID network: its task is `{manifest.task}`")
        self._network = network
        self._manifest = manifest
        self._output: EmbeddingOutput = manifest.embedding

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
        rows = self._rows(camera_ids)
        order = np.argsort(rows, kind="stable")
        embeddings = np.empty((len(crops), self._output.dimension), np.float32)
        for start in range(0, len(crops), self._network.batch_limit):
            part = order[start : start + self._network.batch_limit]
            batch, _ = prepare([crops[index] for index in part], self._manifest.input)
            embeddings[part] = self._vectors(self._run(batch, rows[part]), count=len(part))
        return embeddings

    def close(self) -> None:
        """Free the network."""
        self._network.close()

    def _rows(self, camera_ids: Sequence[CameraId]) -> Int64Array:
        """The row of statistics (n,) of each crop; pictures of one row are run together."""
        return np.zeros(len(camera_ids), np.int64)

    def _run(self, batch: Float32Array, rows: Int64Array) -> Float32Array:
        """The network's first output for `batch` (n, 3, height, width)."""
        raise NotImplementedError

    def _vectors(self, found: Float32Array, *, count: int) -> Float32Array:
        """An output as (count, d), which may have come with axes of one. Raises EngineError."""
        dimension = self._output.dimension
        if found.size != count * dimension:
            raise EngineError(
                f"{self._manifest.name} gave {found.shape} for {count} crops; "
                f"its manifest promises {dimension} numbers each"
            )
        return found.reshape(count, dimension)


class NetworkEmbedder(Embedder[Network]):
    """Over a network that treats all cameras alike."""

    def _run(self, batch: Float32Array, rows: Int64Array) -> Float32Array:
        del rows
        return self._network.run(batch)[0]

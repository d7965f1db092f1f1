"""An embedder whose network has batch-norm statistics for each camera."""

from collections.abc import Sequence

import numpy as np

from passerby.arrays import Float32Array, Int64Array
from passerby.ids import CameraId
from passerby.inference.embedder import Embedder
from passerby.inference.network import CameraNetwork
from passerby.models import ModelManifest


class CameraEmbedder(Embedder[CameraNetwork]):
    """A camera that the manifest does not name has the site's row."""

    def __init__(self, network: CameraNetwork, manifest: ModelManifest) -> None:
        super().__init__(network, manifest)
        self._row_of = {CameraId(name): row for row, name in enumerate(self._output.cameras)}

    def _rows(self, camera_ids: Sequence[CameraId]) -> Int64Array:
        site = len(self._row_of)
        return np.array([self._row_of.get(camera, site) for camera in camera_ids], np.int64)

    def _run(self, batch: Float32Array, rows: Int64Array) -> Float32Array:
        return self._network.run(batch, rows)[0]

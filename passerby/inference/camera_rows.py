"""Batch norm per camera where a network has one row: a network for each camera, its statistics folded away."""

import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np

from passerby.arrays import Float32Array, Int64Array
from passerby.errors import EngineError, ModelError
from passerby.inference.network import Network
from passerby.models import ModelManifest

CAMERA = "camera"
"""The constant (1,) int64 of an .onnx that chooses the row of every table of statistics."""

_BEFORE_VALUE = b"\x42\x06camera\x4a\x08"
"""In an ONNX file: the field 8 of a TensorProto, its name, and the head of field 9, eight bytes of raw data."""


def with_row(content: bytes, row: int, *, name: str) -> bytes:
    """The ONNX file `name` of a network with batch norm per camera, its constant `camera` set to `row`.

    Raises ModelError unless there is exactly one such constant.
    """
    before, *after = content.split(_BEFORE_VALUE)
    if len(after) != 1:
        raise ModelError(
            f"{name} has {len(after)} constants `{CAMERA}` (1,) int64, expected one, because its manifest names "
            "cameras; export it again, or leave `cameras` out of the manifest"
        )
    return before + _BEFORE_VALUE + row.to_bytes(8, "little") + after[0][8:]


class FoldedNetworks:
    """Implements CameraNetwork by a network for each row, made when the first picture of its camera comes.

    In each, the runtime folds the row's statistics into the convolutions: it is as fast as an ordinary network, twice
    as fast as choosing statistics for each picture. Each takes an ordinary network's memory, and a second or so to
    make, while others wait; folded weights differ, so that nothing is shared. The site's is made at once.
    """

    def __init__(self, manifest: ModelManifest, *, load: Callable[[bytes], Network]) -> None:
        assert manifest.embedding is not None  # noqa: S101 only embedders have cameras
        self._name = manifest.name
        self._file = Path(manifest.files[0]).name
        self._content = Path(manifest.files[0]).read_bytes()
        self._load = load
        self._lock = threading.Lock()
        site = len(manifest.embedding.cameras)
        self._networks = {site: load(with_row(self._content, site, name=self._file))}
        self._device = self._networks[site].device
        self._batch_limit = self._networks[site].batch_limit

    @property
    def device(self) -> str:
        """`OpenVINO 2026.4 CPU float32`."""
        return self._device

    @property
    def batch_limit(self) -> int:
        """The most pictures that one run takes."""
        return self._batch_limit

    def run(self, batch: Float32Array, rows: Int64Array) -> list[Float32Array]:
        """Raw outputs for `batch`; one run for each stretch of pictures of one row. See CameraNetwork."""
        starts = [0, *(np.flatnonzero(np.diff(rows)) + 1).tolist(), len(rows)]
        parts = [self._network(int(rows[start])).run(batch[start:stop]) for start, stop in pairwise(starts)]
        return parts[0] if len(parts) == 1 else [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]

    def close(self) -> None:
        """Free all of them; waits for runs under way."""
        with self._lock:
            networks, self._networks = self._networks, {}
        for network in networks.values():
            network.close()

    def _network(self, row: int) -> Network:
        with self._lock:
            if not self._networks:
                raise EngineError(f"{self._name} has been closed")
            if row not in self._networks:
                self._networks[row] = self._load(with_row(self._content, row, name=self._file))
            return self._networks[row]

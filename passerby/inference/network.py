"""What a runtime gives: a network that turns a batch of prepared pictures into raw outputs.

Detector and embedder are written once over this; OpenVINO, ONNX Runtime and TensorRT are three implementations.
"""

from typing import Protocol

from passerby.arrays import Float32Array, Int64Array


class Network(Protocol):
    """A network loaded by one runtime. `run` is thread-safe; after `close` it must not be called."""

    @property
    def device(self) -> str:
        """Where it runs, for a person: `OpenVINO 2026.4 CPU float32`."""

    @property
    def batch_limit(self) -> int:
        """The most pictures that one run takes; 1 where a batch is impossible or slower than one by one."""

    def run(self, batch: Float32Array) -> list[Float32Array]:
        """Raw outputs for `batch` (n, 3, height, width) float32, 1 <= n <= batch_limit; arrays of the caller's own.

        Raises EngineError when the runtime fails.
        """

    def close(self) -> None:
        """Free it."""


class CameraNetwork(Protocol):
    """A network with batch norm per camera, loaded by one runtime; as Network, but each picture has a row."""

    @property
    def device(self) -> str:
        """Where it runs, for a person."""

    @property
    def batch_limit(self) -> int:
        """The most pictures that one run takes."""

    def run(self, batch: Float32Array, rows: Int64Array) -> list[Float32Array]:
        """Raw outputs for `batch`, picture i by the statistics of row `rows[i]`, 0 <= row <= cameras (the site's).

        Pictures of one row should stand together. Raises EngineError when the runtime fails.
        """

    def close(self) -> None:
        """Free it."""

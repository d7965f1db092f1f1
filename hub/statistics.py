"""Camera statistics as the hub keeps them: a protocol, so that spaces need not know how they are estimated."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from passerby.arrays import Float32Array
from passerby.errors import StoreError
from passerby.ids import CameraId, ModelId


class CameraStatistics(Protocol):
    """Running estimates per camera of one model's raw embeddings."""

    @property
    def version(self) -> int:
        """Grows when the estimates have moved so far that prototypes should be normalized anew."""

    def observe(self, camera_id: CameraId, tracklet_key: int, embedding: Float32Array, *, quality: float) -> None:
        """Learn from a tracklet; again with the same key to replace what it said before."""

    def normalize(self, camera_id: CameraId, embeddings: Float32Array) -> Float32Array:
        """Raw embeddings (n, d) as unit rows (n, d) float32."""

    def frozen(self) -> "CameraStatistics":
        """A copy that later observations do not change."""

    def packed(self) -> bytes:
        """Everything, for the database."""


StatisticsFactory: TypeAlias = Callable[[ModelId, int], CameraStatistics | None]
"""Makes the statistics of a model of a dimension; None where camera normalization is off."""


def new_statistics(_model_id: ModelId, _dimension: int) -> CameraStatistics | None:
    """Statistics that know nothing yet."""
    return None


def unpack_statistics(data: bytes) -> CameraStatistics:
    """From `packed`."""
    raise StoreError(f"{len(data)} bytes of statistics, expected none")

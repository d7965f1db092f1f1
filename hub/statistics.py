"""Camera statistics as the hub keeps them: normalization, and a scale of similarity that does not move with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
import numpy as np

from passerby.arrays import Float32Array
from passerby.errors import DataError, StoreError
from passerby.features.normalization import CameraNormalizer, NormalizerState
from passerby.ids import CameraId, ModelId
from passerby.models import ReferenceStatistics


class CameraStatistics:
    """What is common to everybody before a camera, and embeddings without it.

    Normalization takes the camera's shift away. That makes all similarities smaller, by more the more people are known,
    so that no threshold fits both a site's first hour and its second. So the share r that was taken away comes back
    as one more coordinate, the same for all cameras: with u the normalized unit vector (d,) the result is
    (sqrt(1 - r) u, sqrt(r)). Its inner products, (1 - r) cos + r, are about those that the raw embeddings would have,
    had the cameras shifted everybody alike; with nothing known r is 0, and they are the plain ones. One r for all
    cameras keeps the order of the similarities, which a share of each camera's own would not.
    """

    def __init__(self, normalizer: CameraNormalizer, *, reference: ReferenceStatistics | None) -> None:
        self._normalizer = normalizer
        self._reference = reference

    @property
    def version(self) -> int:
        """Grows when the estimates have moved so far that prototypes should be normalized anew."""
        return self._normalizer.version

    def observe(self, camera_id: CameraId, key: tuple[int, str], *, embedding: Float32Array, quality: float) -> None:
        """Learn from a raw embedding (d,). Each key once: what is settled is not replaced."""
        self._normalizer.observe(camera_id, key, embedding, quality=min(max(quality, 0.05), 1.0))

    def forget(self, camera_id: CameraId, embeddings: Float32Array) -> int:
        """Let nothing be left of those whom these raw embeddings (n, d) show; gives how many people of the camera."""
        return self._normalizer.forget(camera_id, embeddings)

    def lifted(self, camera_id: CameraId, embedding: Float32Array) -> Float32Array:
        """A raw embedding (d,) as a unit vector (d + 1,) float32, comparable with those of other cameras."""
        unit = self._normalizer.normalize(camera_id, embedding[None])[0]
        if not unit.any():
            # Exactly the camera's mean has no direction left: it keeps the one it had.
            unit = embedding / np.linalg.norm(embedding)
        share = self._normalizer.common_share
        return np.append(np.sqrt(1.0 - share) * unit, np.sqrt(share)).astype(np.float32)

    def settled(self) -> "CameraStatistics":
        """A copy, the same as one that is stored and restored."""
        state = self._normalizer.state()
        return CameraStatistics(
            CameraNormalizer.from_state(state, reference=self._reference), reference=self._reference
        )

    def packed(self) -> bytes:
        """Everything, for the database."""
        return msgspec.msgpack.encode(self._normalizer.state())


@dataclass(frozen=True, slots=True)
class StatisticsSource:
    """Makes and restores the statistics of models; `references` are the models' own, from their manifests.

    Where normalization is not `enabled` there are none.
    """

    enabled: bool = True
    references: Mapping[ModelId, ReferenceStatistics] = field(default_factory=dict)

    def begin(self, model_id: ModelId, dimension: int) -> CameraStatistics | None:
        """Statistics that know nothing yet."""
        if not self.enabled:
            return None
        reference = self.references.get(model_id)
        return CameraStatistics(CameraNormalizer(dimension, reference=reference), reference=reference)

    def restore(self, model_id: ModelId, dimension: int, *, data: bytes | None) -> CameraStatistics | None:
        """What `packed` gave, or from the beginning where nothing was stored. Raises StoreError if it is damaged."""
        if data is None or not self.enabled:
            return self.begin(model_id, dimension)
        reference = self.references.get(model_id)
        try:
            state = msgspec.msgpack.decode(data, type=NormalizerState)
            return CameraStatistics(CameraNormalizer.from_state(state, reference=reference), reference=reference)
        except (msgspec.DecodeError, DataError) as error:
            raise StoreError(f"the stored camera statistics of {model_id} cannot be read: {error}") from error

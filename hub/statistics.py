"""Camera statistics as the hub keeps them: normalization, and a scale of similarity that does not move with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from passerby.arrays import Float32Array
from passerby.errors import DataError, StoreError
from passerby.features.normalization import CameraNormalizer, CameraReport
from passerby.features.normalizer_parts import NormalizerParts, restored
from passerby.features.published import PublishedState, PublishedStatistics
from passerby.ids import CameraId, ModelId
from passerby.models import ReferenceStatistics

_ACTIVE, _RUNNING = "active", "running/"


class CameraStatistics:
    """What is common to everybody before a camera, and embeddings without it.

    A normalizer learns from every tracklet. What similarities are measured with is what it had published when
    `refresh` was last called, so that all prototypes and queries are normalized alike.

    Normalization takes the camera's shift away. That makes all similarities smaller, by more the more people are known,
    so that no threshold fits both a site's first hour and its second. So the share r that was taken away comes back
    as one more coordinate, the same for all cameras: with u the normalized unit vector (d,) the result is
    (sqrt(1 - r) u, sqrt(r)). Its inner products, (1 - r) cos + r, are about those that the raw embeddings would have,
    had the cameras shifted everybody alike; with nothing known r is 0, and they are the plain ones. One r for all
    cameras keeps the order of the similarities, which a share of each camera's own would not.
    """

    def __init__(self, normalizer: CameraNormalizer, *, active: PublishedStatistics | None = None) -> None:
        """`active` is what is measured with: by default what the normalizer has published."""
        self._normalizer = normalizer
        self._parts = NormalizerParts(normalizer)
        self._active = normalizer.published if active is None else active
        self._stored: PublishedStatistics | None = None

    @property
    def version(self) -> int:
        """Of the statistics that are measured with; another one means that prototypes are normalized anew."""
        return self._active.version

    def observe(self, camera_id: CameraId, embedding: Float32Array, *, at_ns: int, quality: float) -> None:
        """Learn from the raw embedding (d,) of a tracklet that began at `at_ns` (capture time)."""
        self._normalizer.observe(camera_id, embedding, at_ns=at_ns, quality=min(max(quality, 0.05), 1.0))

    def forget(self, camera_id: CameraId, embeddings: Float32Array) -> int:
        """Let nothing be left of those whom these raw embeddings (n, d) show; gives how many people of the camera."""
        return self._normalizer.forget(camera_id, embeddings)

    def cameras(self) -> list[CameraId]:
        """The cameras of which something is known, by name."""
        return sorted(self._normalizer.cameras)

    def reset(self, camera_id: CameraId) -> None:
        """Begin anew with a camera, which was moved. Raises DataError where nothing is known of it."""
        self._normalizer.reset(camera_id)

    def refresh(self) -> bool:
        """Measure with what is published now; True if that is other than before."""
        if self._normalizer.published.version == self._active.version:
            return False
        self._active = self._normalizer.published
        return True

    def regime_at(self, camera_id: CameraId, at_ns: int) -> int:
        """Which regime of a camera is measured with for a tracklet that began then."""
        return self._active.regime_at(camera_id, at_ns)

    def lifted(self, camera_id: CameraId, embedding: Float32Array, *, at_ns: int) -> Float32Array:
        """A raw embedding (d,) as a unit vector (d + 1,) float32, comparable with those of other cameras.

        `at_ns` is when its tracklet began: the camera may have had other light then.
        """
        unit: Float32Array = self.lifted_alike(camera_id, embedding[None], at_ns=at_ns)[0]
        return unit

    def lifted_alike(self, camera_id: CameraId, embeddings: Float32Array, *, at_ns: int) -> Float32Array:
        """`lifted` of many (n, d) of one regime, to the last bit: (n, d + 1) float32."""
        units = self._active.normalize(camera_id, embeddings, at_ns=at_ns)
        for row in np.flatnonzero(~units.any(axis=1)).tolist():
            # Exactly the camera's mean has no direction left: it keeps the one it had.
            units[row] = embeddings[row] / np.linalg.norm(embeddings[row])
        share = self._active.common_share
        out = np.full((len(units), units.shape[1] + 1), np.sqrt(share), np.float32)
        out[:, :-1] = np.sqrt(1.0 - share) * units
        return out

    def lifted_rows(
        self, camera_ids: Sequence[CameraId], embeddings: Float32Array, *, at_ns: Sequence[int]
    ) -> Float32Array:
        """As `lifted`, of n tracklets at once, to the last bit: (n, d + 1) for raw embeddings (n, d), a camera and a
        time each."""
        alike: dict[tuple[CameraId, int], list[int]] = {}
        for row, (camera_id, began_ns) in enumerate(zip(camera_ids, at_ns, strict=True)):
            alike.setdefault((camera_id, self._active.regime_at(camera_id, began_ns)), []).append(row)
        if len(alike) == 1:
            return self.lifted_alike(camera_ids[0], embeddings, at_ns=at_ns[0])
        lifted = np.empty((len(embeddings), embeddings.shape[1] + 1), np.float32)
        for (camera_id, _), rows in alike.items():
            lifted[rows] = self.lifted_alike(camera_id, embeddings[rows], at_ns=at_ns[rows[0]])
        return lifted

    def report(self) -> list[CameraReport]:
        """How the normalization of each camera stands, by name."""
        return self._normalizer.report()

    def changed_parts(self) -> dict[str, bytes | None]:
        """What has changed since the last call, by name, for the database; None: deleted."""
        parts = {_RUNNING + name: data for name, data in self._parts.changed().items()}
        if self._stored is not self._active:
            parts[_ACTIVE] = msgspec.msgpack.encode(self._active.state())
            self._stored = self._active
        return parts

    def parts(self) -> dict[str, bytes]:
        """Everything, by name."""
        running = {_RUNNING + name: data for name, data in self._parts.everything().items()}
        return {_ACTIVE: msgspec.msgpack.encode(self._active.state()), **running}


@dataclass(frozen=True, slots=True)
class StatisticsSource:
    """Makes and restores the statistics of models; `references` are the models' own, from their manifests.

    Where normalization is not `enabled` there are none.
    """

    enabled: bool = True
    references: Mapping[ModelId, ReferenceStatistics] = field(default_factory=dict)

    def begin(self, model_id: ModelId, dimension: int) -> CameraStatistics | None:
        """Statistics that know nothing yet."""
        return self.restore(model_id, dimension, parts={})

    def restore(self, model_id: ModelId, dimension: int, *, parts: Mapping[str, bytes]) -> CameraStatistics | None:
        """What these `parts` are of, or from the beginning where there are none. Raises StoreError if damaged."""
        if not self.enabled:
            return None
        reference = self.references.get(model_id)
        running = {name.removeprefix(_RUNNING): data for name, data in parts.items() if name.startswith(_RUNNING)}
        try:
            normalizer = restored(running, dimension=dimension, reference=reference)
            if _ACTIVE not in parts:
                return CameraStatistics(normalizer)
            active = msgspec.msgpack.decode(parts[_ACTIVE], type=PublishedState)
            return CameraStatistics(normalizer, active=PublishedStatistics.from_state(active, dimension=dimension))
        except (msgspec.DecodeError, DataError) as error:
            raise StoreError(f"the stored camera statistics of {model_id} cannot be read: {error}") from error

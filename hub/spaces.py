"""The embedding spaces of a site, one a model: camera statistics, and the prototypes that are searched."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from hub.identity_store import ExactStore, FaissStore, IdentityStore, UnitVectors, faiss_available
from hub.records import TrackletNumber
from hub.statistics import CameraStatistics
from passerby.arrays import Float32Array, Int64Array, l2_normalize
from passerby.ids import CameraId, ModelId

StoreFactory: TypeAlias = Callable[[ModelId, int], IdentityStore]


def best_store() -> StoreFactory:
    """FAISS where it is installed, else its exact NumPy twin: the answers are the same, a large site is slower."""
    return FaissStore if faiss_available() else ExactStore


class ModelSpace:
    """Everything the hub measures with one model.

    `running` statistics learn from every tracklet. What similarities are measured with are the `active` ones, a copy
    taken whenever the running ones have moved enough: so all prototypes and queries are normalized alike, and a restart
    finds the same numbers. `running` and `active` are None where camera normalization is off.
    """

    def __init__(
        self,
        model_id: ModelId,
        *,
        dimension: int,
        running: CameraStatistics | None,
        active: CameraStatistics | None,
        active_version: int,
        store: StoreFactory,
    ) -> None:
        self.model_id = model_id
        self.dimension = dimension
        self.running = running
        self.active = active
        self.active_version = active_version
        self._store = store(model_id, self.unit_dimension)
        self._raw: dict[TrackletNumber, tuple[CameraId, Float32Array]] = {}
        self._units: dict[TrackletNumber, Float32Array] = {}
        self._changed: dict[TrackletNumber, None] = {}

    def __len__(self) -> int:
        return len(self._raw)

    @property
    def unit_dimension(self) -> int:
        """The length of the vectors that are compared."""
        return self.dimension + (self.active is not None)

    def unit(self, camera_id: CameraId, raw: Float32Array) -> Float32Array:
        """One raw embedding (d,) as the unit vector that is compared, by the active statistics of its camera.

        One at a time: an operation on many rows may round differently than on few, and a replay must not.
        """
        return l2_normalize(raw) if self.active is None else self.active.lifted(camera_id, raw)

    def put(self, number: TrackletNumber, *, camera_id: CameraId, raw: Float32Array) -> None:
        """Let a tracklet be a prototype, or change it."""
        self._raw[number] = (camera_id, raw)
        self._units[number] = self.unit(camera_id, raw)
        self._changed[number] = None

    def remove(self, number: TrackletNumber) -> None:
        """Let a tracklet be no prototype any more."""
        if self._raw.pop(number, None) is not None:
            del self._units[number]
            self._changed[number] = None

    def prototype(self, number: TrackletNumber) -> Float32Array:
        """The unit vector (d,) of a prototype."""
        return self._units[number]

    def settle_statistics(self) -> None:
        """Let the running statistics be what a restart would find: what is stored, no more."""
        if self.running is not None:
            self.running = self.running.settled()

    def refresh_statistics(self) -> bool:
        """Take over the running statistics if they have moved; True if so: every similarity is measured anew."""
        if self.running is None or self.running.version == self.active_version:
            return False
        self.active = self.running.settled()
        self.active_version = self.running.version
        for number, (camera_id, raw) in self._raw.items():
            self._units[number] = self.unit(camera_id, raw)
            self._changed[number] = None
        return True

    def nearest(self, queries: Float32Array, *, k: int) -> Int64Array:
        """Tracklet numbers (n, k) of the prototypes most similar to unit rows (n, d); -1 where there are fewer."""
        self._bring_store_up()
        return self._store.search(UnitVectors(self.model_id, queries), k=k).ids

    def _bring_store_up(self) -> None:
        gone = [number for number in self._changed if number not in self._units]
        put = [number for number in self._changed if number in self._units]
        self._store.remove(np.array(gone, np.int64))
        if put:
            vectors = np.stack([self._units[number] for number in put])
            self._store.put(np.array(put, np.int64), UnitVectors(self.model_id, vectors))
        self._changed.clear()

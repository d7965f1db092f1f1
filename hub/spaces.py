"""The embedding spaces of a site, one a model: camera statistics, and the prototypes that are searched."""

from collections.abc import Sequence

import numpy as np

from hub.identity_store import StoreFactory, UnitVectors, best_store
from hub.prototype_rows import PrototypeRows
from hub.records import Tracklet, TrackletNumber, Twin
from hub.statistics import CameraStatistics
from passerby.arrays import Float32Array, Int64Array, l2_normalize
from passerby.errors import DataError
from passerby.ids import CameraId, ModelId

__all__ = ["ModelSpace", "StoreFactory", "best_store"]

_MEASURED_AT_ONCE = 1024
"""Raw embeddings that are normalized together: 2 MB in double precision, which stays near the processor."""

SEARCHED_PROTOTYPES = 64
"""Nearest prototypes looked at for each that is asked about. The index proposes; similarities are computed exactly."""

COMPARED_IDENTITIES = 32
"""Identities of those prototypes that all evidence is weighed for, the most alike. A small site has no more; in a large
gallery the others are strangers who are as far as any: of 100,000, all but 1.5% of the probability is with these."""


class ModelSpace:
    """Everything the hub measures with one model: tracklets that came with it, and twins of those of other models.

    `statistics` are those of its cameras, None where camera normalization is off.
    """

    def __init__(
        self,
        model_id: ModelId,
        *,
        dimension: int,
        statistics: CameraStatistics | None,
        store: StoreFactory,
        structure: bytes = b"",
    ) -> None:
        """`structure` is what the store's was when it was last kept. Raises StoreError if it is damaged."""
        self.model_id = model_id
        self.dimension = dimension
        self.statistics = statistics
        self._store = store(model_id, self.unit_dimension)
        self._store.restore_structure(structure)
        self._kept_structure = self._store.structure
        self._raw: dict[TrackletNumber, tuple[CameraId, Float32Array, int]] = {}
        self._units = PrototypeRows(self.unit_dimension)
        self._measured: dict[TrackletNumber, tuple[Float32Array, Float32Array]] = {}
        self._twins: dict[TrackletNumber, Twin] = {}
        self._unmeasured: dict[TrackletNumber, None] = {}
        self._changed: dict[TrackletNumber, None] = {}

    def __len__(self) -> int:
        return len(self._raw)

    @property
    def unit_dimension(self) -> int:
        """The length of the vectors that are compared."""
        return self.dimension + (self.statistics is not None)

    @property
    def active_version(self) -> int:
        """Of the statistics that similarities are measured with; 0 without any."""
        return 0 if self.statistics is None else self.statistics.version

    def unit(self, camera_id: CameraId, raw: Float32Array, *, at_ns: int) -> Float32Array:
        """One raw embedding (d,) of a tracklet that began at `at_ns` as the unit vector that is compared."""
        return l2_normalize(raw) if self.statistics is None else self.statistics.lifted(camera_id, raw, at_ns=at_ns)

    def describes(self, tracklet: Tracklet) -> bool:
        """Whether a tracklet can be measured: it came with this model, or has a twin of it."""
        return tracklet.model_id == self.model_id or tracklet.number in self._twins

    def raw_of(self, tracklet: Tracklet) -> Float32Array:
        """The raw embedding (d,) of a tracklet that this model `describes`."""
        return tracklet.embedding if tracklet.model_id == self.model_id else self._twins[tracklet.number].embedding

    def twin(self, number: TrackletNumber) -> Twin | None:
        """The twin of a tracklet in mind."""
        return self._twins.get(number)

    def put_twin(self, twin: Twin) -> None:
        """Describe a tracklet of another model. Raises DataError for another dimension."""
        if len(twin.embedding) != self.dimension:
            raise DataError(f"a twin has shape {twin.embedding.shape}, model {self.model_id} makes ({self.dimension},)")
        self._twins[twin.tracklet] = twin

    def drop_twin(self, number: TrackletNumber) -> None:
        """Describe a tracklet of another model no more, which is no prototype here."""
        self._twins.pop(number, None)

    def unit_of(self, tracklet: Tracklet) -> Float32Array:
        """The unit vector (d,) of a tracklet that this model `describes`; of an open one, measured once."""
        raw = self.raw_of(tracklet)
        known = self._measured.get(tracklet.number)
        if known is not None and known[0] is raw:
            return known[1]
        unit = self.unit(tracklet.camera_id, raw, at_ns=tracklet.started_at_ns)
        if tracklet.open:
            self._measured[tracklet.number] = (raw, unit)
        return unit

    def put(self, tracklet: Tracklet) -> None:
        """Let a tracklet be a prototype, or change it."""
        raw = self.raw_of(tracklet)
        self._raw[tracklet.number] = (tracklet.camera_id, raw, tracklet.started_at_ns)
        self._changed[tracklet.number] = None
        known = self._measured.get(tracklet.number)
        if known is not None and known[0] is raw:
            self._units.put([tracklet.number], known[1][None])
            self._unmeasured.pop(tracklet.number, None)
        else:
            self._unmeasured[tracklet.number] = None

    def remove(self, number: TrackletNumber) -> None:
        """Let a tracklet be no prototype any more."""
        if self._raw.pop(number, None) is not None:
            self._units.remove(number)
            self._unmeasured.pop(number, None)
            self._changed[number] = None

    def forget(self, number: TrackletNumber) -> None:
        """Keep nothing of a tracklet beyond what makes it a prototype: it is closed, or of another model now."""
        self._measured.pop(number, None)

    def erase(self, numbers: Sequence[TrackletNumber]) -> None:
        """Let nothing be left of these tracklets, in what is searched neither."""
        for number in numbers:
            self.remove(number)
            self.forget(number)
            self.drop_twin(number)
        self._bring_store_up()
        self._store.erase(np.array(numbers, np.int64))

    def forget_looks(self, camera_id: CameraId, embeddings: Float32Array) -> int:
        """Let the statistics forget those whom raw embeddings (n, d) show; gives how many people that was."""
        gone = 0 if self.statistics is None else self.statistics.forget(camera_id, embeddings)
        if gone:
            self.refresh_statistics()
        return gone

    def cameras(self) -> list[CameraId]:
        """The cameras of which there are statistics."""
        return [] if self.statistics is None else self.statistics.cameras()

    def reset_camera(self, camera_id: CameraId) -> None:
        """Begin anew with a camera, which was moved. Raises DataError where there are no statistics of it."""
        if self.statistics is None:
            raise DataError(f"no statistics of camera {camera_id!r}: camera normalization is off")
        self.statistics.reset(camera_id)
        self.refresh_statistics()

    def prototypes(self, numbers: Sequence[TrackletNumber]) -> Float32Array:
        """The unit vectors (n, d) of these prototypes, a new array."""
        self._measure()
        return self._units.rows(numbers)

    def refresh_statistics(self) -> bool:
        """Measure with the statistics of now if they have moved; True if so: every similarity is measured anew."""
        if self.statistics is None or not self.statistics.refresh():
            return False
        self._measured.clear()
        self._unmeasured, self._changed = dict.fromkeys(self._raw), dict.fromkeys([*self._changed, *self._raw])
        return True

    def nearest(self, queries: Float32Array, *, k: int) -> tuple[Int64Array, Float32Array]:
        """Tracklet numbers (n, k) of the prototypes most similar to unit rows (n, d), and how similar they are (n, k);
        -1 and -inf where there are fewer."""
        self._bring_store_up()
        found = self._store.search(UnitVectors(self.model_id, queries), k=k)
        return found.ids, found.similarities

    @property
    def new_structure(self) -> bytes | None:
        """How the store is organized since a search, where that is not kept yet."""
        return None if self._store.structure is self._kept_structure else self._store.structure

    def keep_structure(self) -> None:
        """The new structure is kept now."""
        self._kept_structure = self._store.structure

    def _measure(self) -> None:
        """Make units of those prototypes that have none yet, those of one camera together."""
        if not self._unmeasured:
            return
        of_camera: dict[CameraId, list[TrackletNumber]] = {}
        for number in self._unmeasured:
            of_camera.setdefault(self._raw[number][0], []).append(number)
        for camera_id, numbers in of_camera.items():
            for begin in range(0, len(numbers), _MEASURED_AT_ONCE):
                some = numbers[begin : begin + _MEASURED_AT_ONCE]
                raw = np.stack([self._raw[number][1] for number in some])
                if self.statistics is None:
                    units = l2_normalize(raw)
                else:
                    at_ns = [self._raw[number][2] for number in some]
                    units = self.statistics.lifted_rows([camera_id] * len(some), raw, at_ns=at_ns)
                self._units.put(some, units)
        self._unmeasured.clear()

    def _bring_store_up(self) -> None:
        if not self._changed:
            return
        self._measure()
        put = [number for number in self._changed if number in self._raw]
        if len(put) < len(self._changed):
            self._store.remove(np.array([number for number in self._changed if number not in self._raw], np.int64))
        if put:
            self._store.put(np.array(put, np.int64), UnitVectors(self.model_id, self._units.rows(put)))
        self._changed.clear()

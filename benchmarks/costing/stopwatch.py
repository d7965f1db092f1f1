"""Where a hub's time goes, seen at its ports: store, statistics, associator and storage, each with a stopwatch."""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hub.association import Assignment, Associator, LinkProblem, MergeProblem, Thresholds
from hub.association.reasoning import Reasoning
from hub.database.storage import DatabaseStorage, DatabaseTransaction
from hub.identity_store import IdentityStore, StoreFactory, UnitVectors
from hub.identity_store.protocol import Neighbours, SearchableSnapshot
from hub.paths import Path
from hub.records import Tracklet
from hub.state import SiteState
from hub.statistics import CameraStatistics, StatisticsSource
from passerby.arrays import Float32Array, Int64Array
from passerby.ids import BootId, CameraId, ModelId, TrackletId

PHASES = ("normalize", "search", "assign", "group", "write", "commit")
"""What is seen at the ports. All else a hub does is taking messages in, weighing evidence, and learning."""


class Stopwatch:
    """Seconds by phase, and counts, since the last `take`. Phases never lie within each other."""

    def __init__(self) -> None:
        self._seconds = dict.fromkeys(PHASES, 0.0)
        self.associations = 0
        """Tracklets that were decided or revised."""
        self.queries = 0
        """Searches for the nearest prototypes of one look."""
        self.refreshes = 0
        """How often all prototypes were measured anew, since statistics had moved; never set back."""

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time what is done within."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - begun)

    def add(self, name: str, seconds: float) -> None:
        """Count these seconds to a phase."""
        self._seconds[name] += seconds

    def take(self) -> tuple[dict[str, float], int, int]:
        """Seconds by phase, associations and queries since the last call."""
        taken = self._seconds, self.associations, self.queries
        self._seconds = dict.fromkeys(PHASES, 0.0)
        self.associations = self.queries = 0
        return taken


class WatchedStore:
    """A store of prototypes; all that it does is `search`, its upkeep too."""

    def __init__(self, store: IdentityStore, watch: Stopwatch) -> None:
        self._store, self._watch = store, watch

    @property
    def model_id(self) -> ModelId:
        return self._store.model_id

    def __len__(self) -> int:
        return len(self._store)

    def __contains__(self, prototype_id: int) -> bool:
        return prototype_id in self._store

    def put(self, ids: Int64Array, vectors: UnitVectors) -> None:
        with self._watch.phase("search"):
            self._store.put(ids, vectors)

    def remove(self, ids: Int64Array) -> None:
        with self._watch.phase("search"):
            self._store.remove(ids)

    def erase(self, ids: Int64Array) -> None:
        self._store.erase(ids)

    def search(self, queries: UnitVectors, *, k: int) -> Neighbours:
        self._watch.queries += len(queries)
        with self._watch.phase("search"):
            return self._store.search(queries, k=k)

    def snapshot(self) -> SearchableSnapshot:
        return self._store.snapshot()

    @property
    def structure(self) -> bytes:
        return self._store.structure

    def restore_structure(self, structure: bytes) -> None:
        self._store.restore_structure(structure)


class WatchedAssociator:
    """An associator: `assign` tracklets, each of which is an association, and `group` identities that are one."""

    def __init__(self, associator: Associator, watch: Stopwatch) -> None:
        self._associator, self._watch = associator, watch

    @property
    def reasoning(self) -> Reasoning | None:
        return self._associator.reasoning

    def thresholds(self, model_id: ModelId) -> Thresholds:
        return self._associator.thresholds(model_id)

    def link(self, problem: LinkProblem) -> Sequence[Assignment]:
        self._watch.associations += len(problem.current)
        with self._watch.phase("assign"):
            return self._associator.link(problem)

    def merge(self, problem: MergeProblem) -> Int64Array:
        with self._watch.phase("group"):
            return self._associator.merge(problem)


class WatchedStatistics(CameraStatistics):
    """Camera statistics; making units of raw embeddings is `normalize`."""

    def __init__(self, statistics: CameraStatistics, watch: Stopwatch) -> None:
        super().__init__(statistics._normalizer, active=statistics._active)
        self._watch = watch

    def lifted_alike(self, camera_id: CameraId, embeddings: Float32Array, *, at_ns: int) -> Float32Array:
        with self._watch.phase("normalize"):
            return super().lifted_alike(camera_id, embeddings, at_ns=at_ns)

    def refresh(self) -> bool:
        moved = super().refresh()
        self._watch.refreshes += moved
        return moved


@dataclass(frozen=True)
class WatchedSource(StatisticsSource):
    """Restores statistics that are watched."""

    watch: Stopwatch = field(default_factory=Stopwatch)

    def restore(self, model_id: ModelId, dimension: int, *, parts: Mapping[str, bytes]) -> CameraStatistics | None:
        found = super().restore(model_id, dimension, parts=parts)
        return None if found is None else WatchedStatistics(found, self.watch)


class WatchedTransaction:
    """A transaction of the database; rows are `write`."""

    def __init__(self, transaction: DatabaseTransaction, watch: Stopwatch) -> None:
        self._transaction, self._watch = transaction, watch

    def find_tracklet(self, boot_id: BootId, tracklet_id: TrackletId) -> Tracklet | None:
        return self._transaction.find_tracklet(boot_id, tracklet_id)

    def path_of(self, tracklet: Tracklet) -> Path:
        return self._transaction.path_of(tracklet)

    def is_erased(self, boot_id: BootId, tracklet_id: TrackletId) -> bool:
        return self._transaction.is_erased(boot_id, tracklet_id)

    def save(self, state: SiteState) -> None:
        with self._watch.phase("write"):
            self._transaction.save(state)

    def save_structures(self, state: SiteState) -> None:
        with self._watch.phase("write"):
            self._transaction.save_structures(state)


class WatchedStorage:
    """The database; its end of a transaction, until all is on disk, is `commit`."""

    def __init__(self, storage: DatabaseStorage, watch: Stopwatch) -> None:
        self._storage, self._watch = storage, watch

    @property
    def name(self) -> str:
        return self._storage.name

    def load(self, *, store: StoreFactory, statistics: StatisticsSource) -> SiteState:
        return self._storage.load(store=store, statistics=statistics)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[WatchedTransaction]:
        with self._storage.transaction() as transaction:
            yield WatchedTransaction(transaction, self._watch)
            begun = time.perf_counter()
        self._watch.add("commit", time.perf_counter() - begun)

    def close(self) -> None:
        self._storage.close()

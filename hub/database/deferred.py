"""Many steps in one transaction, for data that can be made again: a replay's."""

import contextlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from hub.changes import Changes
from hub.database.storage import DatabaseStorage
from hub.paths import Path as TrackletPath
from hub.records import Tracklet, TrackletNumber, Twin
from hub.spaces import StoreFactory
from hub.state import SiteState
from hub.statistics import StatisticsSource
from passerby.errors import StoreError
from passerby.ids import BootId, TrackletId

MOST_PENDING = 2000
"""Updates of tracklets and events that wait for being written, at most; then they are."""

MOST_PENDING_CROP_BYTES = 32 * 2**20


class DeferredStorage:
    """A new data folder that gets the same rows as from DatabaseStorage, later and at less cost.

    What changes several times meanwhile is written once. In return nothing survives a crash or a power cut, and a hub
    whose step has failed cannot go on. Raises StoreError for a folder with data.
    """

    def __init__(self, data_dir: Path) -> None:
        self._database = DatabaseStorage(data_dir, durable=False)
        self._state = SiteState()
        self._pending = Changes()
        self._pending_crop_bytes = 0
        self._numbers: dict[tuple[BootId, TrackletId], TrackletNumber] = {}
        self._erased: set[tuple[BootId, TrackletId]] = set()
        self._begun = False
        self._failed = False

    @property
    def name(self) -> str:
        return self._database.name

    def load(self, *, store: StoreFactory, statistics: StatisticsSource) -> SiteState:
        if self._begun:
            raise StoreError(f"{self.name}: a step has failed, and what was not yet written is lost; start anew")
        self._begun = True
        self._state = self._database.load(store=store, statistics=statistics)
        if self._state.counters or self._state.boots:
            raise StoreError(f"{self.name}: there are data already; only a new folder can be written with delay")
        return self._state

    @contextlib.contextmanager
    def transaction(self) -> Iterator["DeferredStorage"]:
        try:
            yield self
            # How a store is organized is asked for within the step in which it changes, and not again.
            if self._is_full() or any(space.new_structure is not None for space in self._state.spaces.values()):
                self._write()
        except BaseException:
            self._failed = True
            raise

    def find_tracklet(self, boot_id: BootId, tracklet_id: TrackletId) -> Tracklet | None:
        number = self._numbers.get((boot_id, tracklet_id))
        if number is None:
            return None
        if number in self._pending.tracklets:
            return self._pending.tracklets[number]
        with self._database.transaction() as transaction:
            found = transaction.find_tracklet(boot_id, tracklet_id)
        return None if found is None else self._pending.merged(found)

    def path_of(self, tracklet: Tracklet) -> TrackletPath:
        with self._database.transaction() as transaction:
            path = transaction.path_of(tracklet)
        pending = self._pending.observations
        for key in sorted(key for key in pending if key[0] == tracklet.number):
            path = path.extended(pending[key], frame_height=tracklet.frame_height)
        return path

    def is_erased(self, boot_id: BootId, tracklet_id: TrackletId) -> bool:
        return (boot_id, tracklet_id) in self._erased

    def tracklets_numbered(self, numbers: Collection[TrackletNumber]) -> Sequence[Tracklet]:
        pending = self._pending.tracklets
        with self._database.transaction() as transaction:
            stored = transaction.tracklets_numbered([number for number in numbers if number not in pending])
        found = {tracklet.number: self._pending.merged(tracklet) for tracklet in stored}
        found |= {number: pending[number] for number in numbers if number in pending}
        return [found[number] for number in sorted(found) if number not in self._pending.erased]

    def twins_of(self, numbers: Collection[TrackletNumber]) -> Sequence[Twin]:
        pending = self._pending
        with self._database.transaction() as transaction:
            stored = transaction.twins_of([number for number in numbers if number not in pending.untwinned])
        found = {(twin.tracklet, twin.model_id): twin for twin in stored}
        found |= {key: twin for key, twin in pending.twins.items() if key[0] in numbers}
        return [found[key] for key in sorted(found)]

    def save(self, state: SiteState) -> None:
        for tracklet in state.changes.tracklets.values():
            self._numbers[tracklet.boot_id, tracklet.tracklet_id] = tracklet.number
        self._erased.update(state.changes.erased.values())
        self._pending_crop_bytes += sum(map(len, state.changes.crops.values()))
        self._pending.absorb(state.changes)

    def save_structures(self, state: SiteState) -> None:
        """They are written at the end of the step."""

    def close(self) -> None:
        """Write what is pending, unless a step has failed. Raises StoreError when it cannot be written."""
        with contextlib.closing(self._database):
            if not self._failed:
                self._write()

    def _is_full(self) -> bool:
        pending = self._pending
        waiting = len(pending.observations) + len(pending.events) + len(pending.boots) + len(pending.twins)
        return bool(pending.acts) or waiting >= MOST_PENDING or self._pending_crop_bytes >= MOST_PENDING_CROP_BYTES

    def _write(self) -> None:
        with self._database.transaction() as transaction:
            if self._pending:
                transaction.save_changes(self._state, self._pending)
            else:
                transaction.save_structures(self._state)
        self._pending = Changes()
        self._pending_crop_bytes = 0

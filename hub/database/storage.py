"""A hub's state in its data folder: rows in SQLite, crops in LMDB, written before the step counts."""

import contextlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError

from hub.changes import Changes
from hub.crops import CropStore
from hub.database.erasing import Erasure
from hub.database.loading import find_tracklet, is_erased, load, path_of, tracklet_of
from hub.database.opening import open_for_writing
from hub.database.twin_rows import tracklets_numbered, twins_of
from hub.database.writing import write, write_structures
from hub.ownership import DataLock
from hub.paths import Path as TrackletPath
from hub.records import Tracklet, TrackletNumber, Twin
from hub.spaces import StoreFactory
from hub.state import SiteState
from hub.statistics import StatisticsSource
from passerby.errors import DataError, StoreError
from passerby.ids import BootId, TrackletId


class DatabaseStorage:
    """The one writer of a data folder. Raises StoreError when another hub works there, or it cannot be opened."""

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        """What is not `durable` may be lost when the power fails."""
        self._data_dir = data_dir
        with contextlib.ExitStack() as opened:
            # The lock comes first: a second hub must not even migrate the database of the first.
            opened.enter_context(DataLock(data_dir))
            self.engine = open_for_writing(data_dir, durable=durable)
            opened.callback(self.engine.dispose)
            self._crops = opened.enter_context(CropStore.open_for_writing(data_dir))
            self._erasure = Erasure(self.engine, self._crops, name=str(data_dir))
            self._erasure.finish()
            self._resources = opened.pop_all()

    @property
    def name(self) -> str:
        return str(self._data_dir)

    def load(self, *, store: StoreFactory, statistics: StatisticsSource) -> SiteState:
        try:
            with self.engine.connect() as connection:
                return load(connection, store=store, statistics=statistics)
        except DatabaseError as error:
            raise StoreError(f"{self._data_dir}: cannot read the database: {error.orig}") from error

    @contextlib.contextmanager
    def transaction(self) -> Iterator["DatabaseTransaction"]:
        try:
            with self.engine.begin() as connection:
                transaction = DatabaseTransaction(connection, self._crops)
                yield transaction
        except OperationalError as error:
            raise StoreError(f"{self._data_dir}: cannot write the database: {error.orig}") from error
        except DBAPIError as error:
            raise DataError(f"{self._data_dir}: the database refuses what it was given: {error.orig}") from error
        self._crops.keep_only(transaction.kept_crops)
        if transaction.erases or not self._erasure.finished:
            self._erasure.finish()

    def close(self) -> None:
        self._resources.close()


class DatabaseTransaction:
    """A transaction of the database. Crops are stored before the rows that name them, and deleted after."""

    def __init__(self, connection: Connection, crops: CropStore) -> None:
        self._connection = connection
        self._crops = crops
        self.kept_crops: dict[TrackletNumber, list[int]] = {}
        """The crops that a tracklet still has, of each whose set has changed."""
        self.erases = False
        """Whether somebody is erased in it."""

    def find_tracklet(self, boot_id: BootId, tracklet_id: TrackletId) -> Tracklet | None:
        return find_tracklet(self._connection, boot_id, tracklet_id)

    def path_of(self, tracklet: Tracklet) -> TrackletPath:
        return path_of(self._connection, tracklet)

    def is_erased(self, boot_id: BootId, tracklet_id: TrackletId) -> bool:
        return is_erased(self._connection, boot_id, tracklet_id)

    def tracklets_numbered(self, numbers: Collection[TrackletNumber]) -> Sequence[Tracklet]:
        return [tracklet_of(row) for row in tracklets_numbered(self._connection, numbers)]

    def twins_of(self, numbers: Collection[TrackletNumber]) -> Sequence[Twin]:
        return twins_of(self._connection, numbers)

    def save_structures(self, state: SiteState) -> None:
        write_structures(self._connection, state)

    def save(self, state: SiteState) -> None:
        self.save_changes(state, state.changes)

    def save_changes(self, state: SiteState, changes: Changes) -> None:
        """Keep `changes`, and the counters and the clock of `state`."""
        self._crops.put(changes.crops)
        write(self._connection, state, changes)
        self.erases = bool(changes.erased)
        self.kept_crops = {n: e.crop_ids.tolist() for n, (_, e) in changes.exemplars.items()}
        self.kept_crops |= {number: [] for number in changes.pictureless}

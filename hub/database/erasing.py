"""What is left to do after rows of an erased person are gone: their pictures, and their bytes in the log."""

import logging

from sqlalchemy import Engine, select, update
from sqlalchemy.exc import DatabaseError

from hub.crops import CropStore
from hub.database import schema
from hub.database.opening import empty_log
from passerby.errors import StoreError

_log = logging.getLogger("passerby.hub")


class Erasure:
    """Goes on until it is done, over restarts and failures: what is still to do stands in the database."""

    def __init__(self, engine: Engine, crops: CropStore, *, name: str) -> None:
        self._engine = engine
        self._crops = crops
        self._name = name
        self.finished = False
        """Nothing is left to do."""

    def finish(self) -> None:
        """Do what there is to do. Where something cannot be done now `finished` stays false, and the log says why."""
        try:
            self.finished = self._erase_crops()
        except (StoreError, DatabaseError) as error:
            self.finished = False
            _log.error("%s: what was erased is not yet gone from the disk (%s); tries again", self._name, error)

    def _erase_crops(self) -> bool:
        table = schema.erased_tracklets
        with self._engine.connect() as connection:
            numbers = list(connection.scalars(select(table.c.number).where(table.c.crops_gone.is_(False))))
        if not numbers:
            return True
        self._crops.erase(numbers)
        if not empty_log(self._engine):
            return False  # a reader is still at it: until it ends its look the log keeps what was there
        with self._engine.begin() as connection:
            connection.execute(update(table).where(table.c.crops_gone.is_(False)).values(crops_gone=True))
        return True

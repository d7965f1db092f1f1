"""The pictures: JPEG bytes of each tracklet's best crops, in LMDB beside the database.

Keys are the tracklet's number and the crop id, 8 bytes each, big-endian, so that a tracklet's crops lie together.
Crops are written before the rows that name them; a crop that no row names is harmless.
"""

import functools
import logging
import struct
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import lmdb

from hub.records import TrackletNumber
from passerby.errors import StoreError

_log = logging.getLogger("passerby.hub")

FOLDER_NAME = "crops.lmdb"
_FIRST_BYTES = 64 * 2**20
LARGEST_BYTES = 256 * 2**30
"""The file may grow to this; it is sparse, so that only what is used takes disk."""

_NOBODY = 2**64 - 1
"""No tracklet has this number: under it are the pages that are written over for a moment."""

_PAGES_A_ROUND = 64
_ROUNDS_TO_FREE = 2
_PAGE_HEADER_BYTES = 16
"""A value of a page less these takes one page of its own."""

_KEY = struct.Struct(">Qq")
_PREFIX = struct.Struct(">Q")


class CropStore:
    """Crops by tracklet and crop id. One process writes; others read meanwhile."""

    def __init__(self, environment: Any, folder: Path, *, bound: int) -> None:
        self._environment = environment
        self._folder = folder
        self._bound = bound

    @classmethod
    def open_for_writing(cls, data_dir: Path, *, bound: int = LARGEST_BYTES) -> Self:
        """Open or make the store, which may grow to `bound` bytes. Raises StoreError."""
        return cls._open(data_dir, bound=bound, map_size=min(_FIRST_BYTES, bound))

    @classmethod
    def open_for_reading(cls, data_dir: Path) -> Self:
        """Open the store while a hub may be writing it. Raises StoreError where there is none."""
        return cls._open(data_dir, bound=0, readonly=True, create=False)

    @classmethod
    def _open(cls, data_dir: Path, *, bound: int, **options: Any) -> Self:
        folder = data_dir / FOLDER_NAME
        try:
            environment = lmdb.open(str(folder), subdir=True, readahead=False, max_readers=126, **options)
        except lmdb.Error as error:
            raise StoreError(f"{folder}: cannot open the crop store: {error}") from error
        return cls(environment, folder, bound=bound)

    def put(self, crops: Mapping[tuple[TrackletNumber, int], bytes]) -> None:
        """Store crops durably, all or none. Raises StoreError.

        Where the store may not grow further they are left out, which is logged: the site goes on without new pictures.
        """
        if not crops:
            return
        while True:
            try:
                with self._environment.begin(write=True) as transaction:
                    for (number, crop_id), jpeg in crops.items():
                        transaction.put(_KEY.pack(number, crop_id), jpeg)
                return
            except lmdb.MapFullError:
                if not self._grow():
                    _log.error("%s is at its bound of %d GiB: new crops are left out", self._folder, self._bound >> 30)
                    return
            except lmdb.Error as error:
                raise StoreError(f"{self._folder}: cannot store crops: {error}") from error

    def keep_only(self, kept: Mapping[TrackletNumber, Collection[int]]) -> None:
        """Delete the crops of these tracklets that are not among those named. Raises StoreError."""
        gone = [
            (number, crop_id)
            for number, crop_ids in kept.items()
            for crop_id in self.crop_ids(number)
            if crop_id not in set(crop_ids)
        ]
        if not gone:
            return
        try:
            with self._environment.begin(write=True) as transaction:
                for number, crop_id in gone:
                    transaction.delete(_KEY.pack(number, crop_id))
        except lmdb.Error as error:
            raise StoreError(f"{self._folder}: cannot delete crops: {error}") from error

    def erase(self, numbers: Collection[TrackletNumber]) -> int:
        """Delete all crops of these tracklets so that their bytes are nowhere in the file; gives how many.

        LMDB never writes over a page that is in use: what is deleted stays in the file until its page is used again.
        So crops are written over, deleted, and all free pages filled. Raises StoreError.
        """
        keys = [_KEY.pack(number, crop_id) for number in numbers for crop_id in self.crop_ids(number)]
        if not keys:
            return 0
        try:
            self._surely(functools.partial(_put_zeros, keys))
            self._surely(functools.partial(_delete_all, keys))
            self._fill_free_pages()
        except lmdb.Error as error:
            raise StoreError(f"{self._folder}: cannot erase crops: {error}") from error
        return len(keys)

    def get(self, number: TrackletNumber, crop_id: int) -> bytes | None:
        """The JPEG, or None if it is not kept."""
        with self._reading() as transaction:
            jpeg: bytes | None = transaction.get(_KEY.pack(number, crop_id))
            return jpeg

    def crop_ids(self, number: TrackletNumber) -> list[int]:
        """The crops kept of a tracklet, in order."""
        prefix = _PREFIX.pack(number)
        found = []
        with self._reading() as transaction, transaction.cursor() as cursor:
            if cursor.set_range(prefix):
                for key in cursor.iternext(keys=True, values=False):
                    if not key.startswith(prefix):
                        break
                    found.append(_KEY.unpack(key)[1])
        return found

    def close(self) -> None:
        """Close the files."""
        self._environment.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _fill_free_pages(self) -> None:
        """Write zeros, a page at a time, until the file grows: then no free page is left that was not written over.

        Pages become free two transactions after the one that let go of them.
        """
        zeros = bytes(self._environment.stat()["psize"] - _PAGE_HEADER_BYTES)
        keys: list[bytes] = []
        rounds = 0
        last = self._environment.info()["last_pgno"]
        while rounds <= _ROUNDS_TO_FREE or self._environment.info()["last_pgno"] == last:
            last = self._environment.info()["last_pgno"]
            added = [_KEY.pack(_NOBODY, len(keys) + index) for index in range(_PAGES_A_ROUND)]
            self._surely(functools.partial(_put_all, dict.fromkeys(added, zeros)))
            keys += added
            rounds += 1
        self._surely(functools.partial(_delete_all, keys))

    def _surely(self, work: Callable[[Any], None]) -> None:
        """A transaction that erases: where it needs room, it gets it beyond the bound, and frees it afterwards."""
        while True:
            try:
                with self._environment.begin(write=True) as transaction:
                    work(transaction)
                return
            except lmdb.MapFullError:
                self._environment.set_mapsize(self._environment.info()["map_size"] + _FIRST_BYTES)

    def _reading(self) -> Any:
        try:
            return self._environment.begin()
        except lmdb.MapResizedError:
            self._environment.set_mapsize(0)  # the writer has grown it: take over its size
            return self._environment.begin()

    def _grow(self) -> bool:
        size = 2 * self._environment.info()["map_size"]
        if size > self._bound:
            return False
        self._environment.set_mapsize(size)
        return True


def _put_all(values: Mapping[bytes, bytes], transaction: Any) -> None:
    for key, value in values.items():
        transaction.put(key, value)


def _put_zeros(keys: Collection[bytes], transaction: Any) -> None:
    for key in keys:
        transaction.put(key, bytes(len(transaction.get(key))))


def _delete_all(keys: Collection[bytes], transaction: Any) -> None:
    for key in keys:
        transaction.delete(key)

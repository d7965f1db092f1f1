"""Crops of people without names, by camera and tracklet: an LMDB of JPEGs that one command writes and training reads.

Keys are `about` (the settings), `v` + video (its record), `t` + video + tracklet (its record) and `j` + video +
tracklet + crop (the JPEG); numbers are 8 bytes, big-endian, so that a video's rows lie together. Records are
MessagePack.
"""

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import cv2
import lmdb
import msgspec
import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, Image, Int64Array
from passerby.errors import DataError
from training.datasets.records import FORMAT, ArchiveSettings, TrackletRecord, VideoRecord

_ABOUT = b"about"
_NUMBER = struct.Struct(">Q")
_FIRST_BYTES = 64 * 2**20
_FILE = "data.mdb"

_Record = TypeVar("_Record")


class CropArchive:
    """An archive opened for reading: element i of each array is one crop, in the order of videos and tracklets.

    `cameras` (n,) int64 are indices into `camera_names`; `tracklets` (n,) int64 count from 0 over all videos;
    `captured_at_ns` (n,) int64 since the crop's video began; `qualities` (n,) float32 in 0-1. Videos that were not read
    to their end count for nothing.
    """

    def __init__(self, folder: Path) -> None:
        """Raises DataError where there is no archive, one of another format, or a damaged one."""
        self._folder = folder
        if not (folder / _FILE).is_file():
            raise DataError(f"{folder}: no archive of crops; make one with `passerby dataset build VIDEO --out FOLDER`")
        self._environment = _open(folder, readonly=True, readahead=False)
        with self._environment.begin() as transaction:
            self.settings = _settings(transaction, folder)
            if self.settings is None:
                raise DataError(f"{folder}: an archive that nothing was written to yet")
            self.videos = [(number, video) for number, video in _videos(transaction, folder) if video.complete]
            self._read_rows(transaction)

    def _read_rows(self, transaction: Any) -> None:
        self.camera_names = tuple(sorted({video.camera for _, video in self.videos}))
        keys: list[bytes] = []
        cameras: list[int] = []
        tracklets: list[int] = []
        times: list[int] = []
        qualities: list[float] = []
        count = 0
        for number, video in self.videos:
            camera = self.camera_names.index(video.camera)
            for key, value in _under(transaction, b"t" + _NUMBER.pack(number)):
                record = _decoded(value, TrackletRecord, self._folder)
                for rank, crop in enumerate(record.crops):
                    keys.append(b"j" + key[1:] + _NUMBER.pack(rank))
                    cameras.append(camera)
                    tracklets.append(count)
                    times.append(crop.captured_at_ns)
                    qualities.append(crop.quality)
                count += 1
        self._keys = keys
        self.cameras: Int64Array = np.array(cameras, np.int64)
        self.tracklets: Int64Array = np.array(tracklets, np.int64)
        self.captured_at_ns: Int64Array = np.array(times, np.int64)
        self.qualities: Float32Array = np.array(qualities, np.float32)

    def __len__(self) -> int:
        return len(self._keys)

    def crop(self, index: int) -> Image:
        """Crop `index`, BGR (height, width, 3) uint8. Raises IndexError beyond the last, DataError if it is damaged."""
        with self._environment.begin() as transaction:
            jpeg = transaction.get(self._keys[index])
        data = np.frombuffer(jpeg or b"", np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
        if picture is None:
            raise DataError(f"{self._folder}: crop {index} is damaged; build the archive anew")
        return np.asarray(picture, np.uint8)

    def resized(self, indices: Sequence[int] | Int64Array, *, height: int, width: int) -> NDArray[np.uint8]:
        """These crops stretched to one size as the engines do it, BGR (n, height, width, 3) uint8."""
        pictures = np.empty((len(indices), height, width, 3), np.uint8)
        for row, index in zip(pictures, indices, strict=True):
            row[...] = cv2.resize(self.crop(int(index)), (width, height))
        return pictures

    def close(self) -> None:
        """Close the files."""
        self._environment.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class CropWriter:
    """An archive opened for writing, made where there is none. What was added is on disk when `add` returns."""

    def __init__(self, folder: Path, settings: ArchiveSettings) -> None:
        """Raises DataError where the folder holds other things, or an archive that was made with other settings."""
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            strangers = not (folder / _FILE).exists() and any(folder.iterdir())
        except OSError as error:
            raise DataError(f"{folder}: cannot make the archive: {error.strerror}") from error
        if strangers:
            raise DataError(f"{folder} holds other things; give a new folder, or one of an archive of crops")
        self._environment = _open(folder, map_size=_FIRST_BYTES)
        with self._environment.begin() as transaction:
            before = _settings(transaction, folder)
        if before is None:
            self._put({_ABOUT: msgspec.msgpack.encode(settings)})
        elif before != settings:
            self.close()
            raise DataError(
                f"{folder} was made with other settings: {_difference(before, settings)}; use another folder"
            )

    def finished(self, *, fingerprint: str) -> VideoRecord | None:
        """The record of that video, if it has been read to its end."""
        with self._environment.begin() as transaction:
            videos = [video for _, video in _videos(transaction, self._folder)]
        return next((video for video in videos if video.fingerprint == fingerprint and video.complete), None)

    def begin(self, video: VideoRecord) -> int:
        """The number of a video that is read from now on.

        Goes: what an earlier run had of the same bytes, and what was had of a file of the same name and camera that was
        cut short, and is now another.
        """
        with self._environment.begin() as transaction:
            known = _videos(transaction, self._folder)
            gone = [
                key
                for number, other in known
                if other.fingerprint == video.fingerprint
                or (other.cut_short and (other.camera, other.name) == (video.camera, video.name))
                for prefix in (b"v", b"t", b"j")
                for key, _ in _under(transaction, prefix + _NUMBER.pack(number))
            ]
        number = max((number for number, _ in known), default=0) + 1
        self._put({b"v" + _NUMBER.pack(number): msgspec.msgpack.encode(video)}, gone=gone)
        return number

    def add(self, video: int, tracklets: Sequence[tuple[int, TrackletRecord, Sequence[bytes]]]) -> None:
        """Keep tracklets of a video, each with its number there and a JPEG for each of its crops."""
        rows = {}
        for number, record, jpegs in tracklets:
            at = _NUMBER.pack(video) + _NUMBER.pack(number)
            rows[b"t" + at] = msgspec.msgpack.encode(record)
            rows |= {b"j" + at + _NUMBER.pack(rank): jpeg for rank, jpeg in enumerate(jpegs)}
        self._put(rows)

    def finish(self, number: int, video: VideoRecord) -> None:
        """The video has been read; what was added counts from now on."""
        self._put({b"v" + _NUMBER.pack(number): msgspec.msgpack.encode(video)})

    def close(self) -> None:
        """Close the files."""
        self._environment.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _put(self, rows: dict[bytes, bytes], *, gone: Sequence[bytes] = ()) -> None:
        while True:
            try:
                with self._environment.begin(write=True) as transaction:
                    for key in gone:
                        transaction.delete(key)
                    for key, value in rows.items():
                        transaction.put(key, value)
                return
            except lmdb.MapFullError:
                self._environment.set_mapsize(2 * self._environment.info()["map_size"])
            except lmdb.Error as error:
                raise DataError(f"{self._folder}: cannot write the archive: {error}") from error


def _open(folder: Path, **options: Any) -> Any:
    try:
        return lmdb.open(str(folder), max_readers=126, **options)
    except lmdb.Error as error:
        raise DataError(f"{folder}: cannot open the archive of crops: {error}") from error


def _settings(transaction: Any, folder: Path) -> ArchiveSettings | None:
    value = transaction.get(_ABOUT)
    if value is None:
        return None
    settings = _decoded(value, ArchiveSettings, folder)
    if settings.format != FORMAT:
        raise DataError(f"{folder}: an archive of format {settings.format}, expected {FORMAT}; build it anew")
    return settings


def _videos(transaction: Any, folder: Path) -> list[tuple[int, VideoRecord]]:
    return [
        (int(_NUMBER.unpack(key[1:])[0]), _decoded(value, VideoRecord, folder))
        for key, value in _under(transaction, b"v")
    ]


def _under(transaction: Any, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The rows whose keys begin so, in their order."""
    with transaction.cursor() as cursor:
        if cursor.set_range(prefix):
            for key, value in cursor:
                if not key.startswith(prefix):
                    return
                yield key, value


def _decoded(value: bytes, kind: type[_Record], folder: Path) -> _Record:
    try:
        return msgspec.msgpack.decode(value, type=kind)
    except msgspec.MsgspecError as error:
        raise DataError(f"{folder}: not an archive of crops, or a damaged one: {error}") from error


def _difference(before: ArchiveSettings, now: ArchiveSettings) -> str:
    return ", ".join(
        f"{name} {getattr(before, name)} there, {getattr(now, name)} here"
        for name in ArchiveSettings.__struct_fields__
        if getattr(before, name) != getattr(now, name)
    )

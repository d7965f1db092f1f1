"""A tape: wire messages as the hub received them, with their times, in one file. The hub replays it to the same end.

The file begins with a line of text, `passerby-tape 1`. Then each record is its length and the CRC-32 of its bytes
(two little-endian 32-bit numbers), and the bytes: a msgpack array [received_at_ns, edge id, [part, ...]].
"""

import contextlib
import logging
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import msgspec

from passerby.codec import MAX_MESSAGE_BYTES, MAX_PARTS
from passerby.errors import DataError
from passerby.ids import EdgeId

_log = logging.getLogger(__name__)
_MAGIC = b"passerby-tape 1\n"
_FRAME = struct.Struct("<II")
_MAX_RECORD = MAX_MESSAGE_BYTES + 5 * MAX_PARTS + 1024
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(tuple[int, str, list[bytes]])


@dataclass(frozen=True, slots=True)
class TapeRecord:
    """One message: when the hub received it, from whom, and its parts as `passerby.codec.decode` takes them."""

    received_at_ns: int
    edge_id: EdgeId
    parts: list[bytes]


class TapeWriter:
    """Writes a new tape; an existing file is replaced. Records reach the disk when the tape is closed or flushed."""

    def __init__(self, path: Path) -> None:
        """Raises DataError when the file cannot be written."""
        self._path = path
        try:
            self._file: BinaryIO = path.open("wb")
            self._file.write(_MAGIC)
        except OSError as error:
            raise DataError(f"{path}: cannot write a tape: {error.strerror}") from error

    def __enter__(self) -> "TapeWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, received_at_ns: int, edge_id: EdgeId, *, parts: Sequence[bytes]) -> None:
        """Append one message. Raises DataError when the disk does not take it, or it is over the bounds."""
        payload = _ENCODER.encode((received_at_ns, edge_id, list(parts)))
        if len(parts) > MAX_PARTS or len(payload) > _MAX_RECORD:
            raise DataError(f"{self._path}: a message of {len(parts)} parts, {len(payload)} bytes is over the bounds")
        with self._translated():
            self._file.write(_FRAME.pack(len(payload), zlib.crc32(payload)) + payload)

    def flush(self) -> None:
        """Give everything so far to the operating system. Raises DataError when the disk does not take it."""
        with self._translated():
            self._file.flush()

    def close(self) -> None:
        """Finish the file. Raises DataError when the disk does not take its end; the file is closed all the same."""
        with self._translated():
            self._file.close()

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DataError(f"{self._path}: cannot write the tape: {error.strerror}") from error


class Tape:
    """A tape to read: iterate for its records, one at a time. Each iteration starts at the beginning.

    A tape may end in the middle of a record, when its writer was killed: the whole records before are given, then
    `cut_off` is True, and a warning is logged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cut_off = False

    def __iter__(self) -> Iterator[TapeRecord]:
        """Raises DataError when the file is no tape, or a record in it is damaged."""
        self.cut_off = False
        try:
            with self.path.open("rb") as file:
                self._require_magic(file)
                yield from self._records(file)
        except OSError as error:
            raise DataError(f"{self.path}: cannot read the tape: {error.strerror}") from error

    def _require_magic(self, file: BinaryIO) -> None:
        magic = file.read(len(_MAGIC))
        if magic != _MAGIC:
            expected = _MAGIC.decode().strip()
            raise DataError(f"{self.path}: not a tape of this version; expected it to begin with {expected!r}")

    def _records(self, file: BinaryIO) -> Iterator[TapeRecord]:
        number = 0
        while frame := file.read(_FRAME.size):
            number += 1
            if len(frame) < _FRAME.size:
                self._end_early(number)
                return
            length, checksum = _FRAME.unpack(frame)
            if length > _MAX_RECORD:
                raise DataError(f"{self.path}: record {number} claims {length} bytes, at most {_MAX_RECORD}")
            payload = file.read(length)
            if len(payload) < length:
                self._end_early(number)
                return
            if zlib.crc32(payload) != checksum:
                raise DataError(f"{self.path}: record {number} is damaged (its checksum differs)")
            yield self._record(payload, number)

    def _record(self, payload: bytes, number: int) -> TapeRecord:
        try:
            received_at_ns, edge_id, parts = _DECODER.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise DataError(f"{self.path}: record {number} is not a tape's: {error}") from error
        if len(parts) > MAX_PARTS:
            raise DataError(f"{self.path}: record {number} has {len(parts)} parts, at most {MAX_PARTS}")
        return TapeRecord(received_at_ns, EdgeId(edge_id), parts)

    def _end_early(self, number: int) -> None:
        self.cut_off = True
        _log.warning("%s: the tape is cut off in record %d; what is before it is whole", self.path, number)


def read_tape(path: Path) -> Tape:
    """The tape at `path`: iterate for its records; afterwards `cut_off` says whether its end was missing.

    Raises DataError, while iterating, when the file is no tape or a record in its middle is damaged.
    """
    return Tape(path)

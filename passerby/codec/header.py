"""Part 0 of every message: version, kind, the sender's stream, the body, and the table of the parts that follow."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from msgspec import Struct

from passerby.codec.bounds import MAX_HEADER_BYTES, MAX_INTEGER, MAX_MESSAGE_BYTES, MAX_PART_BYTES, MAX_PARTS
from passerby.errors import MalformedMessageError
from passerby.ids import BootId

VERSION = (1, 3)
"""(major, minor). A receiver takes every minor of its major, and ignores the keys and parts it does not know."""


class PartEntry(Struct, frozen=True):
    """One line of the table of parts: the part's name, how its bytes read, and the length of each axis."""

    name: str
    dtype: str
    shape: list[int]


class Header(Struct, frozen=True):
    """Part 0 as it is packed. `body` is the message's own map, packed in place."""

    v: tuple[int, int]
    kind: str
    boot: bytes
    seq: int
    body: msgspec.Raw
    parts: list[PartEntry] = []


@dataclass(frozen=True, slots=True)
class HeaderView:
    """What can be known of a message before its body is looked at."""

    kind: str
    boot_id: BootId
    seq: int


class _Version(Struct, frozen=True):
    v: list[int]


_DECODE_VERSION = msgspec.msgpack.Decoder(_Version)
_DECODE_HEADER = msgspec.msgpack.Decoder(Header)
DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError)
"""What msgspec raises on bytes that are not the promised map."""


def read_header(parts: Sequence[bytes]) -> HeaderView:
    """The kind, boot id and sequence number of a message whose body may be anything.

    Raises MalformedMessageError when even these are not readable, or when the parts are over the bounds.
    """
    header = parse_header(parts)
    return HeaderView(header.kind, BootId(header.boot), header.seq)


def parse_header(parts: Sequence[bytes]) -> Header:
    """Part 0, checked in itself and against the number and sizes of the parts. Raises MalformedMessageError."""
    _require_within_bounds(parts)
    try:
        version = _DECODE_VERSION.decode(parts[0]).v
    except DECODE_ERRORS as error:
        raise MalformedMessageError("header", f"part 0 is not a header: {error}") from error
    if len(version) != 2 or version[0] != VERSION[0]:
        raise MalformedMessageError("version", f"protocol version {version[:4]}, this side speaks {list(VERSION)}")
    try:
        header = _DECODE_HEADER.decode(parts[0])
    except DECODE_ERRORS as error:
        raise MalformedMessageError("header", f"part 0 is not a header: {error}") from error
    if len(header.boot) != 16:
        raise MalformedMessageError("boot-id", f"the boot id has {len(header.boot)} bytes, expected 16")
    if not 0 <= header.seq <= MAX_INTEGER:
        raise MalformedMessageError("sequence", f"sequence number {header.seq}, expected 0 to {MAX_INTEGER}")
    return header


def _require_within_bounds(parts: Sequence[bytes]) -> None:
    if not parts:
        raise MalformedMessageError("empty", "a message without parts")
    if len(parts) > MAX_PARTS:
        raise MalformedMessageError("too-many-parts", f"{len(parts)} parts, at most {MAX_PARTS}")
    if len(parts[0]) > MAX_HEADER_BYTES:
        raise MalformedMessageError("too-large", f"a header of {len(parts[0])} bytes, at most {MAX_HEADER_BYTES}")
    largest = max(map(len, parts))
    if largest > MAX_PART_BYTES:
        raise MalformedMessageError("too-large", f"a part of {largest} bytes, at most {MAX_PART_BYTES}")
    total = sum(map(len, parts))
    if total > MAX_MESSAGE_BYTES:
        raise MalformedMessageError("too-large", f"a message of {total} bytes, at most {MAX_MESSAGE_BYTES}")

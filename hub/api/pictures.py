"""Pictures that somebody sends: what they are is read from their first bytes, before anything is decoded."""

import struct

import cv2
import numpy as np

from hub.api.problems import ProblemError
from passerby.arrays import Image

MOST_PIXELS = 40_000_000
LONGEST_BYTES = 24 << 20
_SHORTEST_SIDE = 16

_PNG = b"\x89PNG\r\n\x1a\n"
_FRAMES = frozenset({*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)})
"""JPEG markers that tell the size: all SOFn, which are C0 to CF but for DHT, JPG and DAC."""
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
"""JPEG markers without a length."""


def picture_of(data: bytes, *, name: str) -> Image:
    """The picture (h, w, 3) uint8 BGR. Raises ProblemError: 413 too large, 415 no JPEG, PNG or WebP, 422 damaged."""
    if len(data) > LONGEST_BYTES:
        raise ProblemError(413, f"{name}: {len(data) >> 20} MiB, at most {LONGEST_BYTES >> 20} MiB are taken")
    size = size_of(data)
    if size is None:
        raise ProblemError(415, f"{name} is no picture that is taken; send JPEG, PNG or WebP")
    width, height = size
    if width * height > MOST_PIXELS:
        raise ProblemError(413, f"{name}: {width} x {height} pixels, at most {MOST_PIXELS // 10**6} million are taken")
    if min(width, height) < _SHORTEST_SIDE:
        raise ProblemError(422, f"{name}: {width} x {height} pixels, at least {_SHORTEST_SIDE} each way are needed")
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        decoded = None
    # Turned as its EXIF says, and by no trick another than its header promised.
    if decoded is None or sorted(decoded.shape[:2]) != sorted(size):
        raise ProblemError(422, f"{name}: the picture is damaged")
    return np.asarray(decoded, np.uint8)


def size_of(data: bytes) -> tuple[int, int] | None:
    """(width, height) as a JPEG's, PNG's or WebP's header says; None for anything else, animations too.

    >>> size_of(b"GIF89a"), size_of(_PNG + struct.pack(">I4sII", 13, b"IHDR", 640, 480))
    (None, (640, 480))
    """
    if data[:8] == _PNG and data[12:16] == b"IHDR" and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return width, height
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    return _jpeg(data) if data[:2] == b"\xff\xd8" else None


def _jpeg(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in _ALONE:
            at += 2
        elif marker in _FRAMES:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        else:
            at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
    return None


def _webp(data: bytes) -> tuple[int, int] | None:
    kind, body = data[12:16], data[20:30]
    if len(body) < 10:
        return None
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", body[6:10])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X" and not body[0] & 0x02:
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    return None

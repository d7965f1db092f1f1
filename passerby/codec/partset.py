"""The parts after the header: named arrays and byte strings, packed and taken back with every length checked."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passerby.codec.header import PartEntry
from passerby.errors import MalformedMessageError

_BYTES = "bytes"
_DTYPES = {"<f2": np.float16, "<f4": np.float32, "<i8": np.int64}


class PartWriter:
    """Collects the parts of one message and their table."""

    def __init__(self) -> None:
        self.table: list[PartEntry] = []
        self.parts: list[bytes] = []

    def array(self, name: str, array: NDArray[Any], *, dtypes: tuple[str, ...]) -> None:
        """Add `array` in C order. Raises MalformedMessageError unless its type is one of `dtypes`."""
        little = array.dtype.newbyteorder("<").str if array.dtype.itemsize > 1 else array.dtype.str
        if little not in dtypes:
            raise MalformedMessageError("dtype", f"{name} is {array.dtype}, expected {' or '.join(dtypes)}")
        self.table.append(PartEntry(name, little, list(array.shape)))
        self.parts.append(array.astype(little, copy=False).tobytes())

    def blob(self, name: str, data: bytes) -> None:
        """Add a byte string."""
        self.table.append(PartEntry(name, _BYTES, [len(data)]))
        self.parts.append(bytes(data))


class PartReader:
    """The parts of a received message by name. What nobody asks for is ignored: a newer minor version may send more.

    Raises MalformedMessageError when the table does not describe the parts.
    """

    def __init__(self, table: Sequence[PartEntry], parts: Sequence[bytes]) -> None:
        if len(table) != len(parts):
            raise MalformedMessageError("part-table", f"the table names {len(table)} parts, {len(parts)} came")
        self._parts = {entry.name: (entry, part) for entry, part in zip(table, parts, strict=True)}
        if len(self._parts) != len(table):
            raise MalformedMessageError("part-table", "two parts have the same name")

    def array(self, name: str, *, dtypes: tuple[str, ...], shape: tuple[int | None, ...]) -> NDArray[Any]:
        """A read-only view of the part `name` in the machine's byte order; None stands for any length."""
        entry, part = self._entry(name)
        if entry.dtype not in dtypes:
            raise MalformedMessageError("dtype", f"{name} is {entry.dtype!r:.20}, expected {' or '.join(dtypes)}")
        fits = len(entry.shape) == len(shape) and all(
            actual >= 0 and expected in (None, actual) for expected, actual in zip(shape, entry.shape, strict=True)
        )
        if not fits:
            raise MalformedMessageError("shape", f"{name} has shape {entry.shape[:4]}, expected {shape}")
        native = _DTYPES[entry.dtype]
        if math.prod(entry.shape) * np.dtype(native).itemsize != len(part):
            raise MalformedMessageError("length", f"{name} of shape {entry.shape} came with {len(part)} bytes")
        return np.frombuffer(part, dtype=entry.dtype).reshape(entry.shape).astype(native, copy=False)

    def blob(self, name: str) -> bytes:
        """The byte string `name`, which is not empty."""
        entry, part = self._entry(name)
        if entry.dtype != _BYTES:
            raise MalformedMessageError("dtype", f"{name} is {entry.dtype!r:.20}, expected {_BYTES}")
        if entry.shape != [len(part)] or not part:
            raise MalformedMessageError("length", f"{name} of shape {entry.shape[:4]} came with {len(part)} bytes")
        return bytes(part)

    def _entry(self, name: str) -> tuple[PartEntry, bytes]:
        found = self._parts.get(name)
        if found is None:
            raise MalformedMessageError("missing-part", f"the part {name} is missing")
        return found

"""Arrays as bytes: little-endian, C order, no header; the column says the type, the length says the size."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, Int64Array


def pack(array: NDArray[Any], kind: Literal["<f4", "<i8"]) -> bytes:
    """`array` as bytes of this kind."""
    return np.ascontiguousarray(array, dtype=kind).tobytes()


def floats(data: bytes, *, columns: int | None = None) -> Float32Array:
    """(n,) float32, or (n, columns)."""
    values = np.frombuffer(data, dtype="<f4").astype(np.float32)
    return values if columns is None else values.reshape(-1, columns)


def integers(data: bytes) -> Int64Array:
    """(n,) int64."""
    return np.frombuffer(data, dtype="<i8").astype(np.int64)

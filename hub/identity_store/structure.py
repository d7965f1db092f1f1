"""What a large store must remember beyond its prototypes, to answer after a restart as it did before."""

from dataclasses import dataclass

import msgspec
import numpy as np

from hub.identity_store.partition import Partition
from passerby.arrays import Float32Array
from passerby.errors import StoreError

_VERSION = 2


@dataclass(frozen=True, slots=True)
class Structure:
    """The partition that is searched, and the one that will be, once there are 5% more prototypes."""

    current: Partition | None = None
    following: Partition | None = None


class _Packed(msgspec.Struct, frozen=True, array_like=True):
    """Centroids and grids are little-endian float32, row by row; empty: no partition."""

    version: int
    dimension: int
    current: bytes
    current_trained_at: int
    current_grid: bytes
    following: bytes
    following_trained_at: int
    following_grid: bytes


def pack(structure: Structure, dimension: int) -> bytes:
    """As bytes; the empty structure is empty."""
    if structure == Structure():
        return b""
    current, following = _bytes(structure.current), _bytes(structure.following)
    return msgspec.msgpack.encode(_Packed(_VERSION, dimension, *current, *following))


def unpack(data: bytes, dimension: int) -> Structure:
    """What `pack` packed. Raises StoreError if it is damaged, or of another dimension."""
    if not data:
        return Structure()
    try:
        packed = msgspec.msgpack.decode(data, type=_Packed)
    except msgspec.DecodeError as error:
        raise StoreError(f"the stored structure of the identity store cannot be read: {error}") from error
    if (packed.version, packed.dimension) != (_VERSION, dimension):
        raise StoreError(
            f"the stored structure of the identity store has version {packed.version} and dimension "
            f"{packed.dimension}, expected {_VERSION} and {dimension}"
        )
    return Structure(
        _partition(packed.current, packed.current_trained_at, packed.current_grid, dimension),
        _partition(packed.following, packed.following_trained_at, packed.following_grid, dimension),
    )


def _bytes(partition: Partition | None) -> tuple[bytes, int, bytes]:
    if partition is None:
        return b"", 0, b""
    return partition.centroids.astype("<f4").tobytes(), partition.trained_at, partition.grid.astype("<f4").tobytes()


def _partition(data: bytes, trained_at: int, grid: bytes, dimension: int) -> Partition | None:
    if not data:
        return None
    if len(grid) != 8 * dimension:
        raise StoreError(f"stored grid has {len(grid)} bytes, expected {8 * dimension}")
    return Partition(_rows("centroids", data, dimension), trained_at, _rows("grid", grid, dimension))


def _rows(name: str, data: bytes, dimension: int) -> Float32Array:
    if len(data) % (4 * dimension):
        raise StoreError(f"stored {name} has {len(data)} bytes, expected a multiple of {4 * dimension}")
    rows: Float32Array = np.frombuffer(data, "<f4").reshape(-1, dimension).astype(np.float32)
    if not np.isfinite(rows).all():
        raise StoreError(f"stored {name} is not finite: the structure of the identity store is damaged")
    return rows

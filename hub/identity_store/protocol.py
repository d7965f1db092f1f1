"""What every store of prototypes can do."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from passerby.arrays import Float32Array, Int64Array, require_shape
from passerby.errors import DataError, StoreError
from passerby.ids import ModelId


@dataclass(frozen=True, slots=True)
class UnitVectors:
    """Normalized embeddings of one model: `rows` (n, d) float32, each of length 1.

    The model id travels with the numbers, so that vectors of two models never meet.
    """

    model_id: ModelId
    rows: Float32Array

    def __post_init__(self) -> None:
        require_shape("rows", self.rows, (None, None))
        lengths = np.linalg.norm(self.rows, axis=1)
        wrong = ~(np.abs(lengths - 1.0) < 1e-3)  # written so that NaN is wrong too
        if wrong.any():
            raise DataError(f"row {int(np.argmax(wrong))} has length {lengths[wrong][0]}, expected unit vectors")

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """`ids` (n, k) int64, best first; `similarities` (n, k) float32, cosine. Where there are fewer: -1 and -inf.

    Of equal similarities the smaller id comes first.
    """

    ids: Int64Array
    similarities: Float32Array


class SearchableSnapshot(Protocol):
    """A store as it was at one moment, for any thread, while the store goes on.

    It keeps what is deleted afterwards for as long as it is held: one request, not longer.
    """

    @property
    def model_id(self) -> ModelId:
        """Whose vectors these are."""

    def __len__(self) -> int:
        """How many prototypes there are."""

    def search(self, queries: UnitVectors, *, k: int) -> Neighbours:
        """The k most similar prototypes of each query, exactly. Raises StoreError for another model or dimension."""


class IdentityStore(Protocol):
    """Prototypes of one model under explicit ids. One thread at a time; others search a `snapshot`.

    What a search answers is a function of the prototypes that are there and of `structure`, to the last bit: the way
    there, how queries are batched and what threads do make no difference. So a store that is rebuilt from the same
    prototypes, after `restore_structure`, goes on as if it had never stopped.
    """

    @property
    def model_id(self) -> ModelId:
        """Whose vectors these are."""

    def __len__(self) -> int:
        """How many prototypes there are."""

    def __contains__(self, prototype_id: int) -> bool:
        """Whether there is a prototype of this id."""

    def put(self, ids: Int64Array, vectors: UnitVectors) -> None:
        """Add prototypes (n,), replacing those whose id is there already; of an id given twice the last one stays.

        Raises StoreError for vectors of another model or dimension, another number of ids, or a negative id.
        """

    def remove(self, ids: Int64Array) -> None:
        """Delete these prototypes and overwrite their vectors; ids that are not there are no error.

        Copies that are under construction may keep them for some operations more: see `erase`.
        """

    def erase(self, ids: Int64Array) -> None:
        """`remove`, and no copy is left when it returns, except in snapshots that somebody still holds."""

    def search(self, queries: UnitVectors, *, k: int) -> Neighbours:
        """The k most similar prototypes of each query. Raises StoreError for vectors of another model or dimension."""

    def snapshot(self) -> SearchableSnapshot:
        """The prototypes of this moment for other threads. Costs little: rows are copied when they change."""

    @property
    def structure(self) -> bytes:
        """How the search is organized beyond the prototypes themselves; empty where it is not.

        Changes in searches only, about once a doubling, and is the same object until then. A megabyte at 200,000
        prototypes of 257 floats.
        """

    def restore_structure(self, structure: bytes) -> None:
        """Take over what `structure` was, before the first `put`. Raises StoreError if it is damaged or late."""


def require_same_space(vectors: UnitVectors, *, model_id: ModelId, dimension: int) -> None:
    """Raise StoreError unless `vectors` are of this model and dimension."""
    if vectors.model_id != model_id:
        raise StoreError(f"vectors of {vectors.model_id} cannot be compared with those of {model_id}")
    if vectors.rows.shape[1] != dimension:
        raise StoreError(f"vectors have shape {vectors.rows.shape}, {model_id} makes (any, {dimension})")


def last_of_each(ids: Int64Array, vectors: UnitVectors) -> Int64Array:
    """Positions (m,) of the last occurrence of each id, in order. Raises StoreError unless each id has its vector.

    >>> last_of_each(np.array([5, 7, 5]), UnitVectors(ModelId("a@1"), np.ones((3, 1), np.float32))).tolist()
    [1, 2]
    """
    if ids.shape != (len(vectors),):
        raise StoreError(f"ids have shape {ids.shape}, expected ({len(vectors)},): one for each vector")
    if len(ids) and ids.min() < 0:
        raise StoreError(f"prototype id {ids.min()} is negative; ids count from 0")
    if len(np.unique(ids)) == len(ids):
        return np.arange(len(ids))
    positions = {int(value): position for position, value in enumerate(ids)}
    return np.array(sorted(positions.values()), np.int64)

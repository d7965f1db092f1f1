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
    """`ids` (n, k) int64, best first; `similarities` (n, k) float32, cosine. Where there are fewer: -1 and -inf."""

    ids: Int64Array
    similarities: Float32Array


class IdentityStore(Protocol):
    """Prototypes of one model under explicit ids. One thread at a time."""

    @property
    def model_id(self) -> ModelId:
        """Whose vectors these are."""

    def __len__(self) -> int:
        """How many prototypes there are."""

    def __contains__(self, prototype_id: int) -> bool:
        """Whether there is a prototype of this id."""

    def put(self, ids: Int64Array, vectors: UnitVectors) -> None:
        """Add prototypes (n,), replacing those whose id is there already; of an id given twice the last one stays.

        Raises StoreError for vectors of another model or dimension, or a negative id.
        """

    def remove(self, ids: Int64Array) -> None:
        """Delete these prototypes; ids that are not there are no error."""

    def search(self, queries: UnitVectors, *, k: int) -> Neighbours:
        """The k most similar prototypes of each query. Raises StoreError for vectors of another model or dimension."""


def require_same_space(vectors: UnitVectors, *, model_id: ModelId, dimension: int) -> None:
    """Raise StoreError unless `vectors` are of this model and dimension."""
    if vectors.model_id != model_id:
        raise StoreError(f"vectors of {vectors.model_id} cannot be compared with those of {model_id}")
    if vectors.rows.shape[1] != dimension:
        raise StoreError(f"vectors have shape {vectors.rows.shape}, {model_id} makes (any, {dimension})")


def last_of_each(ids: Int64Array) -> Int64Array:
    """Positions (m,) of the last occurrence of each id, in order.

    >>> last_of_each(np.array([5, 7, 5])).tolist()
    [1, 2]
    """
    if len(ids) and ids.min() < 0:
        raise StoreError(f"prototype id {ids.min()} is negative; ids count from 0")
    positions = {int(value): position for position, value in enumerate(ids)}
    return np.array(sorted(positions.values()), np.int64)

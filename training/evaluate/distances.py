"""Two sides of a search, and the distances between them, a few queries at a time."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from passerby.arrays import Float32Array, Int64Array, require_shape
from passerby.errors import DataError

PAIRS_AT_ONCE = 4_000_000
"""Working memory of about 150 MB."""


@dataclass(frozen=True, slots=True)
class RankedImages:
    """One side of a retrieval; row i of each array is one image.

    `features` (n, d) float32 with rows of unit length; `people` and `cameras` (n,) int64.
    """

    features: Float32Array
    people: Int64Array
    cameras: Int64Array

    def __post_init__(self) -> None:
        require_shape("features", self.features, (None, None))
        require_shape("people", self.people, (len(self.features),))
        require_shape("cameras", self.cameras, (len(self.features),))
        if not np.isfinite(self.features).all():
            raise DataError("features hold NaN or infinity, expected rows of unit length")

    def __len__(self) -> int:
        return len(self.people)


class Distances(Protocol):
    """How far queries are from the gallery."""

    def __call__(self, rows: slice) -> Float32Array:
        """(r, g) float32: element (i, j) is the distance of the i-th query in `rows` to gallery image j."""


@dataclass(frozen=True, slots=True)
class CosineDistances:
    """1 - cosine similarity of `query` (q, d) and `gallery` (g, d), float32 with rows of unit length."""

    query: Float32Array
    gallery: Float32Array

    def __post_init__(self) -> None:
        require_shape("query features", self.query, (None, None))
        require_shape("gallery features", self.gallery, (None, self.query.shape[1]))

    def __call__(self, rows: slice) -> Float32Array:
        """The rows of the distances, computed anew at each call."""
        return 1 - self.query[rows] @ self.gallery.T


def row_blocks(rows: int, *, columns: int, pairs_at_once: int) -> list[slice]:
    """Slices that together are all `rows`, each of about `pairs_at_once` pairs and at least one row.

    >>> row_blocks(5, columns=10, pairs_at_once=20)
    [slice(0, 2, None), slice(2, 4, None), slice(4, 6, None)]
    """
    step = max(1, pairs_at_once // max(1, columns))
    return [slice(start, start + step) for start in range(0, rows, step)]

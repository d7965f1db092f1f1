"""Nearest neighbours within a row's own camera, and among the rows of other cameras."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from passerby.arrays import Float32Array, Int64Array, require_shape
from passerby.errors import DataError
from passerby.features.candidates import QuantizedRows, most_similar, recall_of, sample_of
from passerby.features.neighbours import MARGIN, SAMPLE, Search, is_approximate, require_unit_rows
from passerby.features.ranking import OTHER_CAMERA, SAME_CAMERA, Int32Array, rank_candidates, rank_everything

_ROWS_AT_ONCE = 1024
"""Small cameras are searched together, so that a thousand of them cost no more than ten."""


@dataclass(frozen=True, slots=True)
class CameraNeighbours:
    """The nearest rows by cosine similarity, falling, equal ones by index; -1 at the end where there are no more.

    `own` (n, a) int32: of the same camera, the row itself first. `other` (n, b) int32: of other cameras. `recall` (0-1)
    is the share of the true neighbours found, the lesser of both, as measured on a sample of rows; 1 if exact.
    """

    own: Int32Array
    other: Int32Array
    recall: float


def camera_neighbours(
    features: Float32Array, cameras: Int64Array, *, own: int, other: int, search: Search = "auto"
) -> CameraNeighbours:
    """The `own` nearest of the same camera, oneself among them, and the `other` nearest of other cameras.

    `features` (n, d) are unit rows, `cameras` (n,) whole numbers. Deterministic. Raises DataError for other shapes,
    NaN, infinity, rows that are not of unit length, and less than one neighbour.

    >>> rows = np.array([[1, 0], [0, 1], [0.8, 0.6], [1, 0]], np.float32)
    >>> found = camera_neighbours(rows, np.array([0, 0, 1, 1]), own=2, other=2)
    >>> found.own.tolist(), found.other.tolist()
    ([[0, 1], [1, 0], [2, 3], [3, 2]], [[3, 2], [2, 3], [0, 1], [0, 1]])
    """
    features = require_unit_rows(features)
    require_shape("cameras", cameras, (len(features),))
    if min(own, other) < 1:
        raise DataError(f"{own} neighbours of the own and {other} of other cameras are asked for, expected at least 1")
    cameras = np.ascontiguousarray(cameras, np.int64)
    views = _Views(features, cameras)
    if is_approximate(search, len(features)):
        quantized = QuantizedRows(features)
        sample = sample_of(len(features), count=SAMPLE)
        truth = views.own(sample, own), views.other(sample, other)
        if quantized.tune(sample[::2], np.concatenate(truth, axis=1)[::2]):
            found = _of_candidates(quantized, views, own, other)
            hits = [recall_of(true[1::2], part[sample[1::2]]) for true, part in zip(truth, found, strict=True)]
            return CameraNeighbours(*found, recall=min(hits))
    everybody = np.arange(len(features))
    return CameraNeighbours(views.own(everybody, own), views.other(everybody, other), 1.0)


def _of_candidates(quantized: QuantizedRows, views: "_Views", own: int, other: int) -> tuple[Int32Array, Int32Array]:
    """The neighbours (n, own) and (n, other) among the candidates of each row."""
    everybody = len(views.cameras)
    inside, outside = np.empty((everybody, own), np.int32), np.empty((everybody, other), np.int32)
    for rows, candidates in quantized.all_rows():
        same = views.cameras[candidates] == views.cameras[rows][:, None]
        inside[rows] = views.of_candidates(rows, np.where(same, candidates, -1), own)
        outside[rows] = views.of_candidates(rows, np.where(same, -1, candidates), other)
    # Where a camera's colours are strong, too few candidates are of other cameras: such rows are searched exactly.
    few = np.flatnonzero(inside[:, -1] < 0)
    inside[few] = views.own(few, own)
    few = np.flatnonzero(outside[:, -1] < 0)
    outside[few] = views.other(few, other)
    return inside, outside


class _Views:
    """Rows sorted by camera: those of one camera, and all before and after them, are slices that FAISS can search."""

    def __init__(self, features: Float32Array, cameras: Int64Array) -> None:
        self._features, self.cameras = features, cameras
        self._order = np.argsort(cameras, kind="stable")
        self._sorted = features[self._order]
        self._camera = cameras[self._order]
        self._place = np.argsort(self._order)

    def own(self, rows: Int64Array, k: int) -> Int32Array:
        """The neighbours (m, k) of ascending `rows` (m,) in their own cameras."""
        found = np.full((len(rows), k), np.int32(-1), np.int32)
        for _, end, at in self._groups(rows, rows_at_once=1):
            asked = rows[at]
            start = int(np.searchsorted(self._camera, self._camera[end - 1]))
            fetched = min(k + MARGIN, end - start)
            near = self._order[start + most_similar(self._features[asked], self._sorted[start:end], fetched)]
            found[at] = self._ranked(asked, near, k, whom=SAME_CAMERA, complete=fetched == end - start)
        return found

    def other(self, rows: Int64Array, k: int) -> Int32Array:
        """The neighbours (m, k) of ascending `rows` (m,) in other cameras."""
        found = np.full((len(rows), k), np.int32(-1), np.int32)
        for start, end, at in self._groups(rows, rows_at_once=_ROWS_AT_ONCE):
            asked = rows[at]
            near = []
            for first, last in ((0, start), (end, len(self._sorted))):
                fetched = min(k + MARGIN, last - first)
                if fetched:
                    near.append(first + most_similar(self._features[asked], self._sorted[first:last], fetched))
            if self._camera[start] != self._camera[end - 1]:
                near.append(self._others_among(asked, start, end, k + MARGIN))
            if near:
                together = np.concatenate(near, axis=1)
                candidates = np.where(together >= 0, self._order[together], -1)
                complete = together.shape[1] < k + MARGIN
                found[at] = self._ranked(asked, candidates, k, whom=OTHER_CAMERA, complete=complete)
        return found

    def of_candidates(self, rows: Int64Array, candidates: Int64Array, k: int) -> Int32Array:
        """The best (m, k) of the candidates (m, c) of `rows` (m,)."""
        found = np.empty((len(rows), k), np.int32)
        rank_candidates(self._features, rows, candidates, found, True)
        return found

    def _others_among(self, rows: Int64Array, start: int, end: int, k: int) -> Int64Array:
        """Of the sorted rows from `start` to `end` those most similar (m, at most k) that are of another camera."""
        similarities = self._features[rows] @ self._sorted[start:end].T
        similarities[self.cameras[rows][:, None] == self._camera[start:end]] = -np.inf
        k = min(k, end - start)
        best: Int64Array = np.argpartition(similarities, -k, axis=1)[:, -k:]
        of_another = np.isfinite(np.take_along_axis(similarities, best, axis=1))
        return np.where(of_another, start + best, -1)

    def _ranked(self, rows: Int64Array, candidates: Int64Array, k: int, *, whom: int, complete: bool) -> Int32Array:
        found = np.empty((len(rows), k), np.int32)
        ambiguous = rank_candidates(self._features, rows, candidates, found, complete)
        if ambiguous.any():
            again = np.empty((int(ambiguous.sum()), k), np.int32)
            rank_everything(self._features, self.cameras, whom, rows[ambiguous], again)
            found[ambiguous] = again
        return found

    def _groups(self, rows: Int64Array, *, rows_at_once: int) -> Iterator[tuple[int, int, Int64Array]]:
        """Slices of the sorted rows of whole cameras, as many as make up so many rows, and who of `rows` is there."""
        places = self._place[rows]
        _, starts = np.unique(self._camera, return_index=True)
        ends = [*starts[1:].tolist(), len(self._camera)]
        start = 0
        for end in ends:
            if end - start >= rows_at_once or end == len(self._camera):
                at = np.flatnonzero((places >= start) & (places < end))
                if len(at):
                    yield start, end, at
                start = end

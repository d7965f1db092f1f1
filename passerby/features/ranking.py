"""Candidates put in order: the compiled half of the neighbour searches.

Similarities are added up in float64, so that neighbours do not depend on how a search blocked its products, and equal
ones are ordered by index.
"""

import numpy as np
from numba import prange
from numpy.typing import NDArray

from passerby.arrays import Float32Array, Int64Array
from passerby.features.compiled import compiled, compiled_parallel, compiled_sum

Int32Array = NDArray[np.int32]
BoolArray = NDArray[np.bool_]

ANY, SAME_CAMERA, OTHER_CAMERA = 0, 1, 2
"""Whom a row may have as neighbours."""

_AMBIGUOUS = 1e-5
"""Searches compare in float32, whose sums of products of unit rows are off by less than this."""


@compiled_sum
def dot(left: Float32Array, right: Float32Array) -> float:
    """The inner product of two rows (d,), the same with the rows exchanged."""
    total = 0.0
    for axis in range(len(left)):
        total += np.float64(left[axis]) * np.float64(right[axis])
    return total


@compiled
def _best(row: int, places: Int32Array, similarities: NDArray[np.float64], found: Int32Array) -> int:
    """Write the most similar of ascending `places` to `found` (k,), the row itself first; how many were written."""
    for position, place in enumerate(places):
        if place == row:
            similarities[position] = np.inf
    best = np.argsort(-similarities, kind="mergesort")
    count = min(len(found), len(best))
    for position in range(count):
        found[position] = places[best[position]]
    found[count:] = -1
    return count


@compiled_parallel
def rank_candidates(
    features: Float32Array, rows: Int64Array, candidates: Int64Array, found: Int32Array, complete: bool
) -> BoolArray:
    """Order `candidates` (m, c) of `rows` (m,) of `features` (n, d) into `found` (m, k), -1 where there are no more.

    Negative candidates are skipped. Gives (m,): where a row that is not among the candidates may be as similar as the
    last one found, which with `complete` candidates, all that exist, is nowhere.
    """
    ambiguous = np.zeros(len(rows), np.bool_)
    for number in prange(len(rows)):
        places = np.unique(candidates[number][candidates[number] >= 0]).astype(np.int32)
        similarities = np.empty(len(places), np.float64)
        worst = np.inf
        for position, place in enumerate(places):
            similarities[position] = dot(features[rows[number]], features[place])
            worst = min(worst, similarities[position])
        count = _best(rows[number], places, similarities, found[number])
        if not complete and count > 0:
            last = dot(features[rows[number]], features[found[number, count - 1]])
            ambiguous[number] = last - worst < _AMBIGUOUS
    return ambiguous


@compiled_parallel
def rank_everything(
    features: Float32Array, cameras: Int64Array, whom: int, rows: Int64Array, found: Int32Array
) -> None:
    """The neighbours `found` (m, k) of `rows` (m,) by comparing with each of `features` (n, d) that may be one.

    `cameras` (n,) is looked at unless `whom` is ANY.
    """
    for number in prange(len(rows)):
        row = rows[number]
        places = np.empty(len(features), np.int32)
        similarities = np.empty(len(features), np.float64)
        count = 0
        for place in range(len(features)):
            if whom == ANY or (cameras[place] == cameras[row]) == (whom == SAME_CAMERA):
                places[count] = place
                similarities[count] = dot(features[row], features[place])
                count += 1
        _best(row, places[:count], similarities[:count], found[number])

"""k-reciprocal sets, their weights and how they overlap: the compiled half of the Jaccard distances."""

import numpy as np
from numba import prange

from passerby.arrays import Float32Array, Int64Array
from passerby.features.compiled import compiled, compiled_parallel
from passerby.features.ranking import Int32Array, dot
from passerby.features.sparse_rows import Room, SparseArrays

_STRIPES = 8
"""Parts of a block of rows, each with working memory of its own as long as there are rows."""


@compiled_parallel
def reciprocal_sets(neighbours: Int32Array) -> Int32Array:
    """Of the `neighbours` (n, k) of each row those who have it among theirs: (n, k) ascending, then -1."""
    rows, k = neighbours.shape
    sets = np.full((rows, k), np.int32(-1), np.int32)
    for row in prange(rows):
        count = 0
        for other in neighbours[row]:
            if other >= 0 and row in neighbours[other]:
                sets[row, count] = other
                count += 1
        sets[row, :count] = np.sort(sets[row, :count])
    return sets


@compiled
def _size(members: Int32Array) -> int:
    """How many there are of a set (k,) that -1 fills up."""
    count = len(members)
    while count > 0 and members[count - 1] < 0:
        count -= 1
    return count


@compiled_parallel
def encode_sets(features: Float32Array, sets: Int32Array, halves: Int32Array, start: int, out: Room) -> Int64Array:
    """The sets of the rows from `start` on, each expanded by `halves` (n, h) of its members, as weights that sum to 1.

    A member's half set joins when more than two thirds of it are in the set already; h = 0 expands nothing. The weights
    are the softmax of -d^2 = 2 cos - 2. Fills `out` as `RowFiller`.
    """
    columns, weights = out.places, out.values  # Taken out first, as the parallel loop fails on named tuples.
    rows, room = columns.shape
    lengths = np.zeros(rows, np.int64)
    for stripe in prange(_STRIPES):
        member_of = np.full(len(sets), -1, np.int32)  # The last row that had it in its set, or in what it grew to.
        grown_by = np.full(len(sets), -1, np.int32)
        found = np.empty(len(sets), np.int32)
        for number in range(rows * stripe // _STRIPES, rows * (stripe + 1) // _STRIPES):
            row = start + number
            count = _size(sets[row])
            found[:count] = sets[row, :count]
            for member in sets[row, :count]:
                member_of[member] = row
                grown_by[member] = row
            for member in sets[row, :count]:
                size = _size(halves[member])
                common = 0
                for other in halves[member, :size]:
                    common += member_of[other] == row
                if 3 * common > 2 * size:
                    for other in halves[member, :size]:
                        if grown_by[other] != row:
                            grown_by[other] = row
                            found[count] = other
                            count += 1
            lengths[number] = count
            if count <= room:
                columns[number, :count] = np.sort(found[:count])
                _softmax(features, row, columns[number, :count], weights[number])
    return lengths


@compiled
def _softmax(features: Float32Array, row: int, members: Int32Array, weights: Float32Array) -> None:
    """Write exp(-d^2) over its sum for each member's squared distance d^2 = 2 - 2 cos from a row."""
    exponentials = np.empty(len(members), np.float64)
    for place, member in enumerate(members):
        exponentials[place] = np.exp(2.0 * dot(features[row], features[member]) - 2.0)
    weights[: len(members)] = exponentials / exponentials.sum()


@compiled_parallel
def average_rows(matrix: SparseArrays, near: Int32Array, start: int, out: Room) -> Int64Array:
    """The mean of the rows `near` (n, k), without those below 0, of a sparse matrix, for the rows from `start` on.

    Fills `out` as `RowFiller`.
    """
    columns, weights = out.places, out.values  # Taken out first, as the parallel loop fails on named tuples.
    pointers, places, values = matrix.pointers, matrix.places, matrix.values
    rows, room = columns.shape
    lengths = np.zeros(rows, np.int64)
    for stripe in prange(_STRIPES):
        sums = np.zeros(len(near), np.float64)
        found = np.empty(len(near), np.int32)
        for number in range(rows * stripe // _STRIPES, rows * (stripe + 1) // _STRIPES):
            count, averaged = 0, 0
            for other in near[start + number]:
                if other < 0:
                    continue
                averaged += 1
                for place in range(pointers[other], pointers[other + 1]):
                    column = places[place]
                    if sums[column] == 0.0:
                        found[count] = column
                        count += 1
                    sums[column] += values[place]
            lengths[number] = count
            ordered = np.sort(found[:count])
            for place in range(count):
                if count <= room:
                    columns[number, place] = ordered[place]
                    weights[number, place] = sums[ordered[place]] / averaged
                sums[ordered[place]] = 0.0
    return lengths


@compiled
def _distance(shared: float) -> np.float32:
    """Jaccard distance of two rows that sum to 1, from the sum of their minima; as exact as it is stored."""
    return np.float32(max(0.0, 1.0 - shared / (2.0 - shared)))


@compiled_parallel
def jaccard_distances(by_row: SparseArrays, by_column: SparseArrays, bound: float, start: int, out: Room) -> Int64Array:
    """Distances 1 - s/(2-s), s the sum of the minima of two rows of a sparse matrix, of the rows from `start` on.

    The matrix, given by rows and by columns, has rows that sum to 1. Distances over `bound`, and of 1, are left out, a
    row's own is 0. Fills `out` as `RowFiller`. The same for two rows either way round, as the sums are taken in the
    same order.
    """
    columns, distances = out.places, out.values  # Taken out first, as the parallel loop fails on named tuples.
    pointers, places, values = by_row.pointers, by_row.places, by_row.values
    farthest = min(np.float32(bound), np.nextafter(np.float32(1.0), np.float32(0.0)))
    turned_pointers, turned_places, turned_values = by_column.pointers, by_column.places, by_column.values
    rows, room = columns.shape
    lengths = np.zeros(rows, np.int64)
    for stripe in prange(_STRIPES):
        sums = np.zeros(len(pointers) - 1, np.float32)
        found = np.empty(len(pointers) - 1, np.int32)
        for number in range(rows * stripe // _STRIPES, rows * (stripe + 1) // _STRIPES):
            row = start + number
            count = 0
            for place in range(pointers[row], pointers[row + 1]):
                weight = values[place]
                column = places[place]
                for inner in range(turned_pointers[column], turned_pointers[column + 1]):
                    other = turned_places[inner]
                    if sums[other] == 0.0:
                        found[count] = other
                        count += 1
                    sums[other] += min(weight, turned_values[inner])
            kept = 0
            sums[row] = 1.0
            for place in range(count):
                other = found[place]
                if _distance(sums[other]) <= farthest:
                    found[kept] = other
                    kept += 1
                else:
                    sums[other] = 0.0
            lengths[number] = kept
            ordered = np.sort(found[:kept])
            for place in range(kept):
                other = ordered[place]
                if kept <= room:
                    columns[number, place] = other
                    distances[number, place] = _distance(sums[other])
                sums[other] = 0.0
    return lengths

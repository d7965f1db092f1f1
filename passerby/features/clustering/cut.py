"""Where to cut: the height of a dendrogram, or DBSCAN's eps, chosen by the embeddings themselves.

What is asked of each value is how likely its grouping is (`likelihood`), averaged with those of the values before and
after it, so that what is chosen does not hang on a single value.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array

from passerby.arrays import Float32Array, Int64Array, require_shape
from passerby.errors import DataError
from passerby.features.clustering.likelihood import cells, log_likelihood, strongest_axes

GroupedAt = Callable[[float], Int64Array]
"""Labels (n,) at a value, -1 for who is in no group. A greater value only ever joins."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The `value` chosen; how likely the grouping there is, per row and axis; and how far the groupings at the values
    before and after it agree, as an adjusted Rand index (1: they are the same).

    Likelihoods can be compared between cuts of the same rows. -infinity: no value made a group of two.
    """

    value: float
    likelihood: float
    agreement: float


def choose_cut(
    values: Sequence[float], grouped_at: GroupedAt, *, rows: Float32Array, cameras: Int64Array, tracklets: bool
) -> Cut:
    """The likeliest of ascending `values` but the first and the last, of which there must be three at least.

    `rows` (n, d) are the embeddings that are grouped, `cameras` (n,) who saw them. `tracklets` says that each row is a
    tracklet. Else rows are single pictures, which are most alike where they were taken one after the other: then the
    likeliest value joins such pictures, and another at or above it, with these as units, is the likeliest for people.

    Where no value makes a group, the one in the middle is given.
    """
    if len(values) < 3:
        raise DataError(f"{len(values)} values are given to choose a cut from, expected at least 3")
    rows = strongest_axes(rows)
    groupings = [alone(grouped_at(value)) for value in values]
    likelihoods = [log_likelihood(rows, [cells(people, cameras), people]) for people in groupings]
    chosen = _peak(likelihoods)
    levels = [cells(groupings[chosen], cameras)]
    if not tracklets:
        units = _means(rows, levels[0])
        _, first = np.unique(levels[0], return_index=True)
        of_units = [
            log_likelihood(units, [cells(people[first], cameras[first]), people[first]])
            for people in groupings[chosen:]
        ]
        # With fewer than three values left the first of them stays.
        chosen += _peak(of_units) if len(of_units) > 2 else 0
        levels.append(cells(groupings[chosen], cameras))
    return Cut(
        value=float(values[chosen]),
        likelihood=log_likelihood(rows, [*levels, groupings[chosen]]),
        agreement=agreement(groupings[chosen - 1], groupings[chosen + 1]),
    )


def alone(labels: Int64Array) -> Int64Array:
    """Labels (n,) in which everybody who was in no group, -1, is one of their own.

    >>> alone(np.array([0, -1, 0, -1])).tolist()
    [0, 1, 0, 2]
    """
    outside = labels < 0
    filled = labels.copy()
    filled[outside] = int(labels.max(initial=-1)) + 1 + np.arange(int(outside.sum()))
    return filled


def agreement(some: Int64Array, others: Int64Array) -> float:
    """Adjusted Rand index of two groupings (n,) of the same: 1 for equal ones, about 0 by chance (Hubert and Arabie
    1985). Two that are equal and have one group, or only groups of one, agree by 1.

    >>> agreement(np.array([0, 0, 1, 1]), np.array([5, 5, 3, 3]))
    1.0
    """
    require_shape("others", others, (len(some),))
    _, rows = np.unique(some, return_inverse=True)
    _, columns = np.unique(others, return_inverse=True)
    shape = (int(rows.max(initial=-1)) + 1, int(columns.max(initial=-1)) + 1)
    both = coo_array((np.ones(len(rows)), (rows, columns)), shape=shape).tocsr()
    together = _pairs(both.data)
    first, second = _pairs(np.bincount(rows)), _pairs(np.bincount(columns))
    chance = first * second / max(_pairs(np.array([len(rows)])), 1.0)
    most = (first + second) / 2.0
    return 1.0 if most == chance else (together - chance) / (most - chance)


def _peak(likelihoods: Sequence[float]) -> int:
    """Where the mean of three neighbours is greatest; the middle one where none is finite."""
    values = np.array(likelihoods)
    smooth = (values[:-2] + values[1:-1] + values[2:]) / 3.0
    if not np.isfinite(smooth).any():
        return len(values) // 2
    return int(np.argmax(smooth)) + 1


def _means(rows: Float32Array, labels: Int64Array) -> Float32Array:
    _, dense = np.unique(labels, return_inverse=True)
    gather = coo_array((np.ones(len(rows), np.float32), (dense, np.arange(len(rows))))).tocsr()
    means: Float32Array = (np.asarray(gather @ rows) / np.bincount(dense)[:, None]).astype(np.float32)
    return means


def _pairs(counts: NDArray[np.generic]) -> float:
    sizes = counts.astype(np.float64)
    return float((sizes * (sizes - 1.0)).sum()) / 2.0

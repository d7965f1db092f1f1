"""Joint assignment under exclusions: who conflicts is assigned together, one to one wherever that must be."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from passerby.arrays import Int64Array

NOBODY = -1
"""In place of a column: no identity."""


def assign_jointly(
    gain: NDArray[np.float64], conflict: NDArray[np.bool_], *, waiting: NDArray[np.bool_] | None = None
) -> Int64Array:
    """The column (n,) of each row of `gain` (n, m), -1 for none, so that the total gain is about the greatest.

    A gain below zero is worse than none, -inf is impossible. Rows that are in `conflict` (n, n), directly or through
    others, are assigned one to one (Jonker-Volgenant by SciPy); within such a set there may be some that do not
    conflict, as one after the other in a long talk of a third: these may then share a column, wherever that makes the
    total better. Rows that are not `waiting` (n,) get none.
    """
    chosen = np.full(len(gain), NOBODY, np.int64)
    positive = np.where(gain >= 0, gain, -np.inf)
    left = np.ones(len(gain), bool) if waiting is None else waiting
    for rows in _components(conflict, left):
        chosen[rows] = _one_to_one(positive[rows])
        _improve(chosen, rows, gain=positive, conflict=conflict)
    return chosen


def founders(current: Int64Array, known: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tracklets (n,) that are all there is of their identity: of their `current` column nothing is `known` (n, m)."""
    rows = np.flatnonzero(current != NOBODY)
    alone = np.zeros(len(current), bool)
    alone[rows] = np.isnan(known[rows, current[rows]])
    return alone


def _components(conflict: NDArray[np.bool_], waiting: NDArray[np.bool_]) -> list[Int64Array]:
    """The waiting tracklets in sets that are connected by conflicts, each in order."""
    left = set(np.flatnonzero(waiting).tolist())
    components = []
    while left:
        reached = {min(left)}
        frontier = reached
        while frontier:
            near = {int(j) for i in frontier for j in np.flatnonzero(conflict[i])}
            frontier = (near & left) - reached
            reached = reached | frontier
        left -= reached
        components.append(np.array(sorted(reached), np.int64))
    return components


def _one_to_one(gain: NDArray[np.float64]) -> Int64Array:
    """The column (r,) of each row so that no column is used twice and the total gain is greatest; -1 for none."""
    # A column of its own for every row: to stay without an identity costs nothing.
    alone = np.full((len(gain), len(gain)), -np.inf)
    np.fill_diagonal(alone, 0.0)
    value = np.hstack([gain, alone])
    _, columns = linear_sum_assignment(np.where(np.isneginf(value), 1e6, -value))
    return np.where(columns < gain.shape[1], columns, NOBODY)


def _improve(chosen: Int64Array, rows: Int64Array, *, gain: NDArray[np.float64], conflict: NDArray[np.bool_]) -> None:
    """Move tracklets, in place, to better columns that nobody in conflict with them has: each adds to the total."""
    moved = True
    while moved:
        moved = False
        for row in rows:
            taken = chosen[conflict[row]]
            free = gain[row].copy()
            free[taken[taken != NOBODY]] = -np.inf
            here = 0.0 if chosen[row] == NOBODY else gain[row, chosen[row]]
            if free.size and free.max() > here:
                chosen[row] = int(free.argmax())
                moved = True

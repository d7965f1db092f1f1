"""Association by one cosine threshold: the plainest associator that respects who cannot be whom."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from hub.association.grouping import constrained_groups
from hub.association.problem import (
    NOBODY,
    Assignment,
    BoolArray,
    Float64Array,
    Likeness,
    LinkProblem,
    MergeProblem,
    Outcome,
)
from passerby.arrays import Int64Array


class PlainAssociator:
    """Nearest prototype over a threshold, one joint assignment, groups of what is left.

    Tracklets that are in conflict with each other, directly or through others, are assigned jointly and one to one
    (Jonker-Volgenant by SciPy). Within such a set there may be some that do not exclude each other, as one after the
    other in a long talk of a third: these may then share an identity, wherever that makes the total better. What is
    like no known identity begins new ones, together with what it is like in other cameras.
    """

    def link(self, problem: LinkProblem) -> Sequence[Assignment]:
        chosen = self._assign(problem)
        left = np.flatnonzero(chosen == NOBODY)
        among = np.ix_(left, left)
        groups = np.full(len(chosen), -1, np.int64)
        groups[left] = constrained_groups(
            problem.mutual_similarity[among], problem.conflict[among], threshold=problem.thresholds.link
        )
        return [_assignment(problem, row, chosen=chosen, groups=groups) for row in range(len(chosen))]

    def merge(self, problem: MergeProblem) -> Int64Array:
        return constrained_groups(problem.similarity, problem.excluded, threshold=problem.thresholds.link)

    def _assign(self, problem: LinkProblem) -> Int64Array:
        """The column (n,) of each tracklet's identity, -1 for none."""
        chosen = np.where(_founders(problem), problem.current, NOBODY)
        gain = _gain(problem)
        # Whoever conflicts with a founder cannot take the founder's identity.
        for founder in np.flatnonzero(chosen != NOBODY):
            gain[problem.conflict[founder], chosen[founder]] = -np.inf
        waiting = chosen == NOBODY
        for rows in _components(problem.conflict, waiting):
            chosen[rows] = _one_to_one(gain[rows])
            _improve(chosen, rows, gain=gain, conflict=problem.conflict)
        return chosen


def _founders(problem: LinkProblem) -> BoolArray:
    """Tracklets (n,) that are all there is of their identity: nothing else to compare it with, so they keep it."""
    has = problem.current != NOBODY
    alone = np.zeros(len(has), bool)
    rows = np.flatnonzero(has)
    alone[rows] = np.isnan(problem.similarity[rows, problem.current[rows]])
    return alone


def _gain(problem: LinkProblem) -> Float64Array:
    """How much each link (n, m) is worth: similarity above what it needs; -inf where it must not be."""
    needed = np.full(problem.similarity.shape, problem.thresholds.link)
    rows = np.flatnonzero(problem.current != NOBODY)
    needed[rows, problem.current[rows]] = problem.thresholds.keep
    gain: Float64Array = problem.similarity - needed
    gain[problem.excluded | ~(gain >= 0)] = -np.inf
    return gain


def _components(conflict: BoolArray, waiting: BoolArray) -> list[Int64Array]:
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


def _one_to_one(gain: Float64Array) -> Int64Array:
    """The column (r,) of each row so that no column is used twice and the total gain is greatest; -1 for none."""
    # A column of its own for every row: to stay without an identity costs nothing.
    alone = np.full((len(gain), len(gain)), -np.inf)
    np.fill_diagonal(alone, 0.0)
    value = np.hstack([gain, alone])
    _, columns = linear_sum_assignment(np.where(np.isneginf(value), 1e6, -value))
    return np.where(columns < gain.shape[1], columns, NOBODY)


def _improve(chosen: Int64Array, rows: Int64Array, *, gain: Float64Array, conflict: BoolArray) -> None:
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


def _assignment(problem: LinkProblem, row: int, *, chosen: Int64Array, groups: Int64Array) -> Assignment:
    possible = np.where(problem.excluded[row], np.nan, problem.similarity[row])
    column = int(chosen[row])
    known = np.count_nonzero(~np.isnan(possible))
    order: list[int] = np.argsort(-possible, kind="stable")[:known].tolist()  # NaN comes last
    if column != NOBODY:
        others = [j for j in order if j != column]
        likeness = Likeness(float(problem.similarity[row, column]), _at(possible, others))
        return Assignment(Outcome.LINKED, column, -1, column, likeness)
    likeness = Likeness(_at(possible, order), _at(possible, order[1:]))
    outcome = Outcome.CANDIDATE if likeness.similarity >= problem.thresholds.candidate else Outcome.NEW
    return Assignment(outcome, NOBODY, int(groups[row]), order[0] if order else NOBODY, likeness)


def _at(values: Float64Array, order: list[int]) -> float:
    return float(values[order[0]]) if order else float("nan")

"""Association by one cosine threshold: the plainest associator that respects who cannot be whom."""

from collections.abc import Sequence

import numpy as np

from hub.association.assigning import NOBODY, assign_jointly, founders
from hub.association.grouping import constrained_groups
from hub.association.problem import (
    Assignment,
    Float64Array,
    Likeness,
    LinkProblem,
    MergeProblem,
    Outcome,
)
from hub.association.thresholds import Thresholds, thresholds_for
from passerby.arrays import Int64Array
from passerby.ids import ModelId


class PlainAssociator:
    """Nearest prototype over a threshold, one joint assignment, groups of what is left.

    What is like no known identity begins new ones, together with what it is like in other cameras.
    """

    def __init__(self, thresholds: Thresholds | None = None) -> None:
        """`thresholds` None: those measured for each model."""
        self._thresholds = thresholds

    @property
    def reasoning(self) -> None:
        return None

    def thresholds(self, model_id: ModelId) -> Thresholds:
        return self._thresholds or thresholds_for(model_id)

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
        # Two identities that have both stood for a while are not merged by themselves, through a third neither.
        stood = ~problem.young[:, None] & ~problem.young[None, :]
        return constrained_groups(problem.similarity, problem.excluded | stood, threshold=problem.thresholds.link)

    def _assign(self, problem: LinkProblem) -> Int64Array:
        """The column (n,) of each tracklet's identity, -1 for none."""
        chosen = np.where(founders(problem.current, problem.similarity), problem.current, NOBODY)
        gain = _gain(problem)
        # Whoever conflicts with a founder cannot take the founder's identity.
        for founder in np.flatnonzero(chosen != NOBODY):
            gain[problem.conflict[founder], chosen[founder]] = -np.inf
        waiting = chosen == NOBODY
        return np.where(waiting, assign_jointly(gain, problem.conflict, waiting=waiting), chosen)


def _gain(problem: LinkProblem) -> Float64Array:
    """How much each link (n, m) is worth: similarity above what it needs; -inf where it must not be."""
    needed = np.full(problem.similarity.shape, problem.thresholds.link)
    rows = np.flatnonzero(problem.current != NOBODY)
    needed[rows, problem.current[rows]] = problem.thresholds.keep
    gain: Float64Array = problem.similarity - needed
    gain[problem.excluded | ~(gain >= 0)] = -np.inf
    return gain


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

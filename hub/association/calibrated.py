"""Association by probability: who a tracklet most probably is, given those who cannot be the same person."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hub.association.assigning import NOBODY, founders
from hub.association.odds import persons, probability, shares
from hub.association.problem import (
    Assignment,
    BoolArray,
    Float64Array,
    Likeness,
    LinkProblem,
    MergeProblem,
    Outcome,
)
from hub.association.reasoning import Reasoning
from hub.association.thresholds import Thresholds, thresholds_for
from passerby.arrays import Int64Array
from passerby.ids import ModelId

_LEFT = 0.02
"""A tracklet that is settled leaves its identity only where this is hardly possible any more."""


class CalibratedAssociator:
    """Links where the posterior probability reaches the boundary that keeps the operator's rate of false links.

    The odds of a problem are against a stranger; all identities and the stranger compete in one posterior, so it knows
    among how many an identity was chosen. Before anything is seen an identity is the more probable the more tracklets
    it has, as the next guest of a Chinese restaurant sits where many do (Blei and Frazier 2011, "Distance dependent
    Chinese restaurant processes"): else many small fragments, like nobody in particular, outweigh whom a tracklet is
    like. Of tracklets that exclude each other the one with the best claim to anybody chooses first; what the others
    surely have is no choice any more.
    """

    def __init__(self, reasoning: Reasoning | None = None) -> None:
        self._reasoning = reasoning or Reasoning()

    @property
    def reasoning(self) -> Reasoning:
        return self._reasoning

    def thresholds(self, model_id: ModelId) -> Thresholds:
        return thresholds_for(model_id)

    def link(self, problem: LinkProblem) -> Sequence[Assignment]:
        known = problem.log_odds + np.log(persons(problem.sizes))
        odds = np.where(problem.excluded | np.isnan(known), -np.inf, known)
        alone = _standing_alone(problem)
        for row in np.flatnonzero(alone).tolist():
            # Whoever was seen beside all that there is of an identity cannot be it.
            odds[problem.conflict[row], problem.current[row]] = -np.inf
        chosen = _claimed(odds, problem.conflict)
        probabilities = _posteriors(odds, chosen, problem)
        sure = [
            column != NOBODY
            and probabilities[row, column] >= problem.boundaries.link
            and not (problem.settled[row] and probabilities[row, problem.current[row]] > _LEFT)
            for row, column in enumerate(chosen.tolist())
        ]
        held = np.where(alone | problem.settled, problem.current, NOBODY)
        for row, column in enumerate(chosen.tolist()):
            if sure[row] and column not in held[problem.conflict[row]]:
                held[row] = column
        answers: list[Assignment] = []
        for row in range(len(odds)):
            answer = _decided(problem, row, probabilities[row], held=held)
            if answer.outcome is not Outcome.LINKED:
                answer = _with_neighbour(problem, row, answer, answers, held=held, alone=alone)
            answers.append(answer)
            held[row] = answer.identity
        return answers

    def merge(self, problem: MergeProblem) -> Int64Array:
        odds = np.where(problem.excluded | np.isnan(problem.log_odds), -np.inf, problem.log_odds)
        n = len(odds)
        groups = np.arange(n, dtype=np.int64)
        if n < 2:
            return groups
        np.fill_diagonal(odds, -np.inf)
        whole = persons(problem.sizes)
        taken = np.zeros(n, bool)
        rows, columns = np.nonzero(np.triu(np.isfinite(odds), 1))
        order = np.argsort(-odds[rows, columns], kind="stable")
        for i, j in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
            if probability(odds[i, j]) < problem.boundaries.merge:
                break
            if taken[i] or taken[j] or _probability_of_pair(odds, i, j, whole=whole) < problem.boundaries.merge:
                continue
            groups[j] = i
            taken[[i, j]] = True
        return np.unique(groups, return_inverse=True)[1].astype(np.int64)


def _claimed(odds: Float64Array, conflict: BoolArray) -> Int64Array:
    """The column (n,) that each tracklet claims, -1 for none: its best one of those that nobody in `conflict` (n, n)
    with it claims with better odds to anybody."""
    chosen = np.full(len(odds), NOBODY, np.int64)
    for row in np.argsort(-odds.max(axis=1, initial=-np.inf), kind="stable").tolist():
        free = odds[row].copy()
        free[chosen[conflict[row] & (chosen != NOBODY)]] = -np.inf
        if free.size and free.max() >= 0.0:
            chosen[row] = free.argmax()
    return chosen


def _standing_alone(problem: LinkProblem) -> BoolArray:
    """Tracklets (n,) that are all there is of their identity; of several that cannot be one person the first."""
    alone = founders(problem.current, problem.log_odds)
    for row in np.flatnonzero(alone).tolist():
        rivals = problem.conflict[row] & (problem.current == problem.current[row])
        alone[row] = not (rivals & problem.settled).any() and not (rivals & alone)[:row].any()
    return alone


def _probability_of_pair(odds: Float64Array, i: int, j: int, *, whole: Float64Array) -> float:
    """Of two identities being one, among all that either could be; a third that is the other's fragment is no rival,
    and somebody's fragment hardly one."""
    same_i, same_j = probability(odds[i]), probability(odds[j])
    same_i[i] = same_j[j] = 1.0
    weights_i, weights_j = np.exp(np.minimum(odds[i], 500.0)), np.exp(np.minimum(odds[j], 500.0))
    rivals = max(
        float((weights * whole) @ (1.0 - same)) for weights, same in ((weights_i, same_j), (weights_j, same_i))
    )
    return float(weights_i[j] / (1.0 + weights_i[j] + rivals))


def _posteriors(odds: Float64Array, chosen: Int64Array, problem: LinkProblem) -> Float64Array:
    """Probability (n, m + 1) of each identity being the right one, and last of being a stranger."""
    n = len(odds)
    free = odds.copy()
    for row in range(n):
        for other in np.flatnonzero(problem.conflict[row]):
            column = chosen[other]
            # The better claim to an identity is the other's: it is no choice for this one.
            if column != NOBODY and column != chosen[row] and odds[other, column] >= odds[row, column]:
                free[row, column] = -np.inf
    full = np.hstack([free, np.zeros((n, 1))])
    posterior = shares(full)
    # To be with a fragment of somebody is right as far as it is a fragment of whom the tracklet is.
    right = np.minimum(posterior[:, :-1] @ problem.one, 1.0 - posterior[:, -1:])
    return np.hstack([np.where(np.isneginf(free), 0.0, right), posterior[:, -1:]])


def _decided(problem: LinkProblem, row: int, probabilities: Float64Array, *, held: Int64Array) -> Assignment:
    """What becomes of a tracklet; `held` (n,) are the columns that are settled for it and for others, -1 for none."""
    known = probabilities[:-1]
    current, column = int(problem.current[row]), int(held[row])
    best = int(known.argmax()) if known.size and known.max() > 0.0 else NOBODY
    highest = float(known[best]) if best != NOBODY else 0.0
    others = [j for j in np.argsort(-known, kind="stable").tolist() if j != best and known[j] > 0.0]
    runner_up = _similarity(problem, row, others[0] if others else NOBODY)

    def decided(outcome: Outcome, column: int, *, nearest: int, probability: float) -> Assignment:
        likeness = Likeness(_similarity(problem, row, nearest), runner_up)
        group = -1 if outcome is Outcome.LINKED else row
        return Assignment(outcome, column, group, nearest, likeness, probability, highest, float(probabilities[-1]))

    if column != NOBODY and column == current and np.isnan(problem.log_odds[row, current]):
        # It is all there is of its identity, and like nobody else enough: it stays who it is.
        return decided(Outcome.LINKED, current, nearest=best, probability=1.0 - highest)
    if column != NOBODY:
        return decided(Outcome.LINKED, column, nearest=column, probability=float(known[column]))
    free = current != NOBODY and current not in held[problem.conflict[row]]
    if free and known[current] >= problem.boundaries.keep:
        return decided(Outcome.LINKED, current, nearest=current, probability=float(known[current]))
    outcome = Outcome.CANDIDATE if highest >= problem.boundaries.candidate else Outcome.NEW
    return decided(outcome, NOBODY, nearest=best, probability=highest)


def _with_neighbour(
    problem: LinkProblem,
    row: int,
    answer: Assignment,
    answers: Sequence[Assignment],
    *,
    held: Int64Array,
    alone: BoolArray,
) -> Assignment:
    """Of a tracklet of which it is not sure who it is: with the one on its spot that begins an identity, if any."""
    for other in np.argsort(-problem.same[row], kind="stable").tolist():
        probability = float(problem.same[row, other])
        if probability < problem.boundaries.link:
            break
        column = int(held[other])
        stands = alone[other] and column == problem.current[other]
        if stands and column not in held[problem.conflict[row]] and not problem.excluded[row, column]:
            likeness = Likeness(_similarity(problem, row, column), answer.likeness.runner_up)
            return replace(
                answer,
                outcome=Outcome.LINKED,
                identity=column,
                group=-1,
                nearest=column,
                likeness=likeness,
                probability=probability,
                beside=other,
            )
        apart = [answers[third].group for third in np.flatnonzero(problem.conflict[row, :row]).tolist()]
        if other < row and column == NOBODY and answers[other].group not in apart:
            return replace(answer, group=answers[other].group, beside=other)
    return answer


def _similarity(problem: LinkProblem, row: int, column: int) -> float:
    return float("nan") if column == NOBODY else float(problem.similarity[row, column])

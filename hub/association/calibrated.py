"""Association by probability: who a tracklet most probably is, jointly with those who cannot be the same person."""

from collections.abc import Sequence

import numpy as np

from hub.association.assigning import assign_jointly
from hub.association.problem import (
    NOBODY,
    Assignment,
    Float64Array,
    Likeness,
    LinkProblem,
    MergeProblem,
    Outcome,
)
from passerby.arrays import Int64Array


class CalibratedAssociator:
    """Links where the posterior probability reaches the boundary that keeps the operator's rate of false links.

    The odds of a problem are against a stranger; all identities and the stranger compete in one posterior, so it knows
    among how many an identity was chosen. Tracklets that exclude each other are assigned together; what the others
    surely have is no choice any more.
    """

    def link(self, problem: LinkProblem) -> Sequence[Assignment]:
        odds = np.where(problem.excluded | np.isnan(problem.log_odds), -np.inf, problem.log_odds)
        chosen = assign_jointly(odds, problem.conflict)
        probabilities = _posteriors(odds, chosen, problem)
        return [_decided(problem, row, probabilities[row]) for row in range(len(odds))]

    def merge(self, problem: MergeProblem) -> Int64Array:
        odds = np.where(problem.excluded | np.isnan(problem.log_odds), -np.inf, problem.log_odds)
        n = len(odds)
        groups = np.arange(n, dtype=np.int64)
        if n < 2:
            return groups
        np.fill_diagonal(odds, -np.inf)
        weights = np.exp(np.minimum(odds, 500.0))
        taken = np.zeros(n, bool)
        order = np.dstack(np.unravel_index(np.argsort(-odds, axis=None, kind="stable"), odds.shape))[0]
        for i, j in order.tolist():
            if i >= j or taken[i] or taken[j] or not np.isfinite(odds[i, j]):
                continue
            # Of all that either could be.
            probability = weights[i, j] / (1.0 + max(weights[i].sum(), weights[j].sum()))
            if probability < problem.boundaries.link:
                continue
            groups[j] = i
            taken[[i, j]] = True
        return np.unique(groups, return_inverse=True)[1].astype(np.int64)


def _posteriors(odds: Float64Array, chosen: Int64Array, problem: LinkProblem) -> Float64Array:
    """Probability (n, m + 1) of each identity, and last of being a stranger."""
    n, m = odds.shape
    free = odds.copy()
    for row in range(n):
        for other in np.flatnonzero(problem.conflict[row]):
            column = chosen[other]
            # The better claim to an identity is the other's: it is no choice for this one.
            if column != NOBODY and column != chosen[row] and odds[other, column] >= odds[row, column]:
                free[row, column] = -np.inf
    full = np.hstack([free, np.zeros((n, 1))])
    full -= full.max(axis=1, keepdims=True)
    weights = np.exp(full)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float64)


def _decided(problem: LinkProblem, row: int, probabilities: Float64Array) -> Assignment:
    stranger = float(probabilities[-1])
    known = probabilities[:-1]
    current = int(problem.current[row])
    alone = current != NOBODY and np.isnan(problem.log_odds[row, current])
    best = int(known.argmax()) if known.size and known.max() > 0.0 else NOBODY
    probability = float(known[best]) if best != NOBODY else 0.0
    others = [j for j in np.argsort(-known, kind="stable").tolist() if j != best and known[j] > 0.0]
    runner_up = float(problem.similarity[row, others[0]]) if others else float("nan")
    if best != NOBODY and probability >= problem.boundaries.link:
        return Assignment(Outcome.LINKED, best, -1, best, Likeness(_similarity(problem, row, best), runner_up), probability, stranger)
    if alone:
        # It is all there is of its identity, and like nobody else enough: it stays who it is.
        likeness = Likeness(float("nan"), _similarity(problem, row, best))
        return Assignment(Outcome.LINKED, current, -1, current, likeness, 1.0 - probability, stranger)
    if current != NOBODY and known[current] >= problem.boundaries.keep:
        likeness = Likeness(_similarity(problem, row, current), runner_up)
        return Assignment(Outcome.LINKED, current, -1, current, likeness, float(known[current]), stranger)
    likeness = Likeness(_similarity(problem, row, best), runner_up)
    outcome = Outcome.CANDIDATE if probability >= problem.boundaries.candidate else Outcome.NEW
    return Assignment(outcome, NOBODY, row, best, likeness, probability, stranger)


def _similarity(problem: LinkProblem, row: int, column: int) -> float:
    return float("nan") if column == NOBODY else float(problem.similarity[row, column])

"""Why a decision was taken, for its event: the numbers that decided it, and those that stood against it."""

import numpy as np

from hub.association import Assignment, MergeProblem, Outcome
from hub.evidence import LinkQuestion
from hub.records import Evidence, Terms
from hub.spaces import ModelSpace
from hub.state import SiteState


def evidence_of(
    state: SiteState, space: ModelSpace, question: LinkQuestion, *, row: int, answer: Assignment
) -> Evidence:
    """Of one answer about one row of a question."""
    problem = question.problem
    similarity, runner_up = _number(answer.likeness.similarity), _number(answer.likeness.runner_up)
    linked = answer.outcome is Outcome.LINKED
    nearest = None if answer.nearest < 0 else question.identities[answer.nearest]
    terms = None if nearest is None else question.terms[row].get(nearest)
    if answer.outcome is Outcome.NEW and answer.probability is None:
        # By similarity alone a new identity is like nobody: the nearest one is what it could have been.
        similarity, runner_up = None, similarity
    return Evidence(
        similarity=similarity,
        runner_up=runner_up,
        margin=None if similarity is None or runner_up is None else round(similarity - runner_up, 6),
        threshold=problem.thresholds.link if answer.probability is None else None,
        model_id=space.model_id,
        normalization_version=space.active_version,
        probability=_number(answer.probability),
        boundary=None if answer.probability is None else round(problem.boundaries.link, 4),
        terms=None
        if terms is None
        else Terms(
            appearance=round(terms.appearance, 3),
            movement=round(terms.movement, 3),
            place=round(terms.place, 3),
            apart=round(terms.apart, 3),
        ),
        candidates=None if answer.probability is None else len(question.terms[row]),
        calibration_version=None if answer.probability is None else state.knowledge.calibration(space.model_id).version,
        topology_version=None if answer.probability is None else state.knowledge.topology.version,
        nearest=None if linked else nearest,
        refused_because=None
        if linked or answer.probability is None
        else _refusal(answer, has_nearest=nearest is not None),
    )


def merge_evidence(state: SiteState, space: ModelSpace, problem: MergeProblem, *, pair: tuple[int, int]) -> Evidence:
    """Of a merge of two identities of a problem."""
    odds = float(problem.log_odds[pair])
    weighed = not np.isnan(odds)
    return Evidence(
        similarity=_number(float(problem.similarity[pair])),
        threshold=None if weighed else problem.thresholds.link,
        model_id=space.model_id,
        normalization_version=space.active_version,
        probability=round(1.0 / (1.0 + float(np.exp(-np.clip(odds, -500.0, 500.0)))), 6) if weighed else None,
        boundary=round(problem.boundaries.link, 4) if weighed else None,
        calibration_version=state.knowledge.calibration(space.model_id).version if weighed else None,
        topology_version=state.knowledge.topology.version if weighed else None,
    )


def _refusal(answer: Assignment, *, has_nearest: bool) -> str:
    if not has_nearest:
        return "nobody-known"
    return "below-boundary" if answer.outcome is Outcome.CANDIDATE else "improbable"


def _number(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else round(value, 6)

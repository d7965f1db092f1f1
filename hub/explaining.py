"""Why a decision was taken, for its event: the numbers that decided it, and those that stood against it."""

import numpy as np

from hub.association import Assignment, Outcome
from hub.association.odds import probability
from hub.link_question import LinkQuestion, nearest_by_identity
from hub.link_terms import Terms as LinkTerms
from hub.merge_question import MergeQuestion
from hub.merge_terms import MergeTerms
from hub.records import Evidence, Terms, Tracklet, TrackletNumber
from hub.spaces import ModelSpace
from hub.state import SiteState
from passerby.ids import IdentityId


def evidence_of(
    state: SiteState, space: ModelSpace, question: LinkQuestion, *, row: int, answer: Assignment
) -> Evidence:
    """Of one answer about one row of a question."""
    problem = question.problem
    similarity, runner_up = _number(answer.likeness.similarity), _number(answer.likeness.runner_up)
    linked = answer.outcome is Outcome.LINKED
    nearest = None if answer.nearest < 0 else question.identities[answer.nearest]
    beside = question.tracklets[answer.beside].number if linked and answer.beside >= 0 else None
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
        terms=_terms(question, row=row, column=answer.nearest) if beside is None else None,
        candidates=None if answer.probability is None else int(question.terms.known[row].sum()),
        alike=None if nearest is None else _alike(state, space, question, row=row, identity_id=nearest),
        beside=beside,
        calibration_version=None if answer.probability is None else state.knowledge.calibration(space.model_id).version,
        topology_version=None if answer.probability is None else state.knowledge.topology.version,
        nearest=None if linked else nearest,
        refused_because=None
        if linked or answer.probability is None
        else _refusal(answer, has_nearest=nearest is not None),
    )


def evidence_beside(state: SiteState, space: ModelSpace, question: LinkQuestion, *, row: int, beside: int) -> Evidence:
    """Of a tracklet that joins the identity which the one on its spot, row `beside`, has begun in this round."""
    problem, other = question.problem, question.tracklets[beside].number
    return Evidence(
        similarity=_number(float(problem.mutual_similarity[row, beside])),
        model_id=space.model_id,
        normalization_version=space.active_version,
        probability=_number(float(problem.same[row, beside])),
        boundary=round(problem.boundaries.link, 4),
        candidates=int(question.terms.known[row].sum()),
        alike=(question.tracklets[row].number, other),
        beside=other,
        calibration_version=state.knowledge.calibration(space.model_id).version,
        topology_version=state.knowledge.topology.version,
    )


def merge_evidence(state: SiteState, space: ModelSpace, question: MergeQuestion, *, pair: tuple[int, int]) -> Evidence:
    """Of a merge of two identities of a question, of which `pair` has the rows, the lower first."""
    problem = question.problem
    first, second = question.identities[pair[0]], question.identities[pair[1]]
    odds = float(problem.log_odds[pair])
    terms = question.terms.get((first, second))
    weighed = not np.isnan(odds)
    return Evidence(
        similarity=_number(float(problem.similarity[pair])),
        threshold=None if weighed else problem.thresholds.link,
        model_id=space.model_id,
        normalization_version=space.active_version,
        probability=round(probability(odds).item(), 6) if weighed else None,
        boundary=round(problem.boundaries.merge, 4) if weighed else None,
        terms=None if terms is None else _rounded(terms),
        alike=question.alike.get((first, second)),
        calibration_version=state.knowledge.calibration(space.model_id).version if weighed else None,
        topology_version=state.knowledge.topology.version if weighed else None,
    )


def stray_evidence(space: ModelSpace, tracklet: Tracklet) -> Evidence:
    """Of a tracklet that leaves its identity because it was seen beside others of the same person."""
    return Evidence(
        model_id=space.model_id,
        normalization_version=space.active_version,
        nearest=tracklet.identity_id,
        refused_because="seen-beside",
    )


def _refusal(answer: Assignment, *, has_nearest: bool) -> str:
    if not has_nearest:
        return "nobody-known"
    return "below-boundary" if answer.outcome is Outcome.CANDIDATE else "improbable"


def _alike(
    state: SiteState, space: ModelSpace, question: LinkQuestion, *, row: int, identity_id: IdentityId
) -> tuple[TrackletNumber, TrackletNumber] | None:
    tracklet = question.tracklets[row]
    found = question.nearest[row].get(identity_id)
    if found is None:
        # Where and when it was led to the identity, and others look more like it.
        others = [t for t in state.prototypes(identity_id, space.model_id) if t.number != tracklet.number]
        unit = space.unit_of(tracklet)[None]
        found = nearest_by_identity(space, unit, [others], currents=[identity_id])[0].get(identity_id)
    return None if found is None else (tracklet.number, found.tracklet)


def _terms(question: LinkQuestion, *, row: int, column: int) -> Terms | None:
    if column < 0:
        return None
    found = question.terms.of(row).get(question.identities[column])
    if found is not None:
        return _rounded(found)
    odds = float(question.problem.log_odds[row, column])
    # Of that identity only tracklets on its spot are known.
    return None if np.isnan(odds) else Terms(place=round(odds, 3))


def _rounded(terms: LinkTerms | MergeTerms) -> Terms:
    return Terms(
        appearance=round(terms.appearance, 3),
        movement=round(terms.movement, 3),
        place=round(terms.place, 3),
        apart=round(terms.apart, 3),
    )


def _number(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else round(value, 6)

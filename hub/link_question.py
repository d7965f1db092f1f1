"""Who tracklets may be: from what the hub has in mind to the problem that an associator decides."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.association import Boundaries, LinkProblem, Thresholds
from hub.association.odds import probability, shares
from hub.exclusion import SHARED_VIEW_NS
from hub.likelihood import Judge
from hub.link_terms import LinkTerms
from hub.records import Tracklet, TrackletNumber
from hub.similarities import cosine_similarities, similarities_of_pairs
from hub.spaces import COMPARED_IDENTITIES, SEARCHED_PROTOTYPES, ModelSpace
from hub.state import SiteState
from hub.weighing import Weighed, companions, weigh
from passerby.arrays import Float32Array, Int64Array
from passerby.ids import CameraId, IdentityId

_DOUBTED = 6
_DOUBTFUL = 0.01
"""A tracklet that may be one of several is asked about the most probable ones, down to this probability."""

_BRIDGED = 0.7
"""How much of what a tracklet looks like both of two identities counts for their being one."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """How like a tracklet is to the one most like it of those that stand for an identity, and which that is."""

    similarity: float
    tracklet: TrackletNumber


@dataclass(frozen=True, slots=True)
class LinkQuestion:
    """A problem with the names of its rows and columns; the first `due` rows are those that had to be decided.

    `nearest` has for each row the identities that its similarity is known to.
    """

    due: int
    tracklets: list[Tracklet]
    identities: list[IdentityId]
    problem: LinkProblem
    terms: LinkTerms
    nearest: list[dict[IdentityId, Nearest]]


def link_question(
    state: SiteState,
    space: ModelSpace,
    due: list[Tracklet],
    *,
    judge: Judge | None,
    thresholds: Thresholds,
    boundaries: Boundaries,
) -> LinkQuestion:
    """Which identities the tracklets that are `due`, of one model, may belong to. At least one tracklet.

    With a judge those on the spot of one that is due are asked again.
    """
    beside = [] if judge is None else companions(due, judge)
    tracklets = [*due, *(one.tracklet for one in beside)]
    units = np.stack([space.unit_of(tracklet) for tracklet in tracklets])
    found = [[n for n in row if n >= 0] for row in space.nearest(units[: len(due)], k=SEARCHED_PROTOTYPES)[0].tolist()]
    # Who is only heard beside others is compared with whom they look like, and so with whom it may yet be.
    found += [[number for row in one.beside for number in found[row]] for one in beside]
    compared = []
    for tracklet, numbers in zip(tracklets, found, strict=True):
        mine = () if tracklet.identity_id is None else state.prototypes(tracklet.identity_id, tracklet.model_id)
        others = dict.fromkeys([*numbers, *(one.number for one in mine)])
        others.pop(tracklet.number, None)
        compared.append([state.tracklets[number] for number in others])
    best = nearest_by_identity(space, units, compared, currents=[tracklet.identity_id for tracklet in tracklets])
    current_ids = {t.identity_id for t in tracklets if t.identity_id is not None}
    weighed = Weighed.nothing(len(tracklets)) if judge is None else weigh(tracklets, units, best, judge=judge)
    told = [
        weighed.terms.identities[index] for index in np.flatnonzero(~np.isnan(weighed.log_odds).all(axis=0)).tolist()
    ]
    identities = sorted(current_ids.union(told, *best))
    column = {identity_id: index for index, identity_id in enumerate(identities)}
    similarity = np.full((len(tracklets), len(identities)), np.nan)
    for row, nearest in enumerate(best):
        for identity_id, found_nearest in nearest.items():
            similarity[row, column[identity_id]] = found_nearest.similarity
    excluded = _excluded(state, tracklets, column)
    log_odds = np.full(similarity.shape, np.nan)
    weighed_in = [column.get(identity_id, -1) for identity_id in weighed.terms.identities]
    kept = np.flatnonzero(np.array(weighed_in, np.int64) >= 0)
    log_odds[:, np.array(weighed_in, np.int64)[kept]] = weighed.log_odds[:, kept]
    current = np.array([-1 if t.identity_id is None else column[t.identity_id] for t in tracklets], np.int64)
    problem = LinkProblem(
        current=current,
        similarity=similarity,
        excluded=excluded,
        mutual_similarity=cosine_similarities(units, units),
        conflict=_conflicts(tracklets) | _said_apart(state, tracklets),
        log_odds=log_odds,
        sizes=_sizes(state, identities, current),
        same=weighed.same,
        one=_fragments(log_odds, weighed.terms, identities, judge=judge, boundary=boundaries.merge),
        settled=np.arange(len(tracklets)) >= len(due),
        thresholds=thresholds,
        boundaries=boundaries,
    )
    return LinkQuestion(len(due), tracklets, identities, problem, weighed.terms, best)


def _fragments(
    log_odds: NDArray[np.float64],
    terms: LinkTerms,
    identities: list[IdentityId],
    *,
    judge: Judge | None,
    boundary: float,
) -> NDArray[np.float64]:
    """The probability (m, m) of two identities being one person, of those between which a tracklet is in doubt.

    That it looks like both speaks for their being one, as far as it looks less like the other.
    """
    one = np.eye(len(identities))
    if judge is None:
        return one
    odds = np.hstack([np.where(np.isnan(log_odds), -np.inf, log_odds), np.zeros((len(log_odds), 1))])
    bridges: dict[tuple[int, int], float] = {}
    for row, weight in enumerate(shares(odds)):
        likely = [j for j in np.argsort(-weight[:-1], kind="stable")[:_DOUBTED].tolist() if weight[j] >= _DOUBTFUL]
        if weight[:-1].max(initial=0.0) < boundary <= weight[likely].sum():
            known = terms.of(row)
            looks = {j: known[i].appearance for j in likely if (i := identities[j]) in known}
            for i, j in itertools.combinations(sorted(looks), 2):
                bridges[i, j] = max(bridges.get((i, j), 0.0), _BRIDGED * min(looks[i], looks[j]))
    asked = {(identities[i], identities[j]): bridge for (i, j), bridge in bridges.items()}
    column = {identity_id: index for index, identity_id in enumerate(identities)}
    for pair, odds_of_one in judge.merge_odds(asked).items():
        i, j = (column[identity_id] for identity_id in pair)
        one[i, j] = one[j, i] = probability(odds_of_one + asked[pair])
    return one


def _sizes(state: SiteState, identities: Sequence[IdentityId], current: Int64Array) -> Int64Array:
    """How many others than the tracklet each identity has: (n, m)."""
    sizes = np.tile(np.array([state.size(identity_id) for identity_id in identities], np.int64), (len(current), 1))
    rows = np.flatnonzero(current >= 0)
    sizes[rows, current[rows]] -= 1
    return sizes


def _excluded(state: SiteState, tracklets: list[Tracklet], column: dict[IdentityId, int]) -> NDArray[np.bool_]:
    """Which identities (n, m) a tracklet cannot have because of others that are not asked about now."""
    asked = {tracklet.number for tracklet in tracklets}
    fixed: dict[CameraId, list[Tracklet]] = {tracklet.camera_id: [] for tracklet in tracklets}
    first_ns = min(tracklet.started_at_ns for tracklet in tracklets)
    for identity_id in column:
        for other in state.members(identity_id):
            if other.ended_at_ns > first_ns and other.camera_id in fixed and other.number not in asked:
                fixed[other.camera_id].append(other)
    excluded = np.zeros((len(tracklets), len(column)), bool)
    for camera_id, others in fixed.items():
        rows = np.array([row for row, tracklet in enumerate(tracklets) if tracklet.camera_id == camera_id])
        columns = np.array([column[o.identity_id] for o in others if o.identity_id is not None], np.int64)
        for row, together in zip(rows, _seen_together([tracklets[row] for row in rows], others), strict=True):
            excluded[row, columns[together]] = True
    for row, tracklet in enumerate(tracklets):
        if tracklet.number in state.constraints:
            for identity_id, index in column.items():
                excluded[row, index] |= state.constraints.cannot_be(tracklet.number, identity_id)
    return excluded


def _conflicts(tracklets: list[Tracklet]) -> NDArray[np.bool_]:
    """Which two tracklets (n, n) one camera saw at the same time."""
    cameras = np.unique([tracklet.camera_id for tracklet in tracklets], return_inverse=True)[1]
    conflict: NDArray[np.bool_] = _seen_together(tracklets, tracklets) & (cameras[:, None] == cameras[None, :])
    np.fill_diagonal(conflict, False)
    return conflict


def _said_apart(state: SiteState, tracklets: list[Tracklet]) -> NDArray[np.bool_]:
    """Which two tracklets (n, n) an operator keeps apart."""
    apart = np.zeros((len(tracklets), len(tracklets)), bool)
    bound = [row for row, tracklet in enumerate(tracklets) if tracklet.number in state.constraints]
    for i in bound:
        for j in bound:
            apart[i, j] = state.constraints.are_apart(tracklets[i].number, tracklets[j].number)
    return apart


def _seen_together(first: list[Tracklet], second: list[Tracklet]) -> NDArray[np.bool_]:
    """`seen_together` for every pair (n, m), whatever their cameras."""
    begins, ends = _spans(first)
    other_begins, other_ends = _spans(second)
    shared = np.minimum.outer(ends, other_ends) - np.maximum.outer(begins, other_begins)
    together: NDArray[np.bool_] = shared > SHARED_VIEW_NS
    return together


def _spans(tracklets: list[Tracklet]) -> tuple[Int64Array, Int64Array]:
    begins = np.array([tracklet.started_at_ns for tracklet in tracklets], np.int64)
    return begins, np.array([tracklet.ended_at_ns for tracklet in tracklets], np.int64)


def nearest_by_identity(
    space: ModelSpace,
    units: Float32Array,
    compared: Sequence[Sequence[Tracklet]],
    *,
    currents: Sequence[IdentityId | None],
) -> list[dict[IdentityId, Nearest]]:
    """For each of n lifted units (n, d) the COMPARED_IDENTITIES, of those that the prototypes `compared` with it stand
    for, that look most like it, and the one that it has now, `currents`.

    With each the prototype most like the unit; of two that are as like, the lower number.
    """
    pairs = [(row, one.identity_id, one.number) for row, some in enumerate(compared) for one in some]
    kept = np.array([pair for pair in pairs if pair[1] is not None], np.int64).reshape(-1, 3)
    rows, owners, numbers = kept.T
    once, which = np.unique(numbers, return_inverse=True)
    similarities = similarities_of_pairs(units, space.prototypes(once.tolist()), rows=rows, columns=which)
    # The most alike of each identity, and of these, row by row, the most alike first.
    order = np.lexsort((numbers, -similarities, owners, rows))
    first = np.diff(rows[order], prepend=-1).astype(bool) | np.diff(owners[order], prepend=-1).astype(bool)
    order = order[first]
    order = order[np.lexsort((numbers[order], -similarities[order], rows[order]))]
    place = np.arange(len(order)) - np.searchsorted(rows[order], rows[order])
    current = np.array([-1 if one is None else one for one in currents], np.int64)
    order = order[(place < COMPARED_IDENTITIES) | (owners[order] == current[rows[order]])]
    best: list[dict[IdentityId, Nearest]] = [{} for _ in compared]
    for row, owner, number, value in zip(
        rows[order].tolist(), owners[order].tolist(), numbers[order].tolist(), similarities[order].tolist(), strict=True
    ):
        best[row][IdentityId(owner)] = Nearest(value, TrackletNumber(number))
    return best

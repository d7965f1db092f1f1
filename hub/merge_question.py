"""Which identities may be one person: from what the hub has in mind to the problem that an associator decides."""

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.association import Boundaries, MergeProblem, Thresholds
from hub.association.odds import persons
from hub.association.ranges import ranges
from hub.exclusion import cannot_be_one
from hub.likelihood import Judge
from hub.merge_terms import MergeTerms
from hub.records import Tracklet, TrackletNumber
from hub.similarities import similarities_of_pairs
from hub.spaces import COMPARED_IDENTITIES, SEARCHED_PROTOTYPES, ModelSpace
from hub.state import SiteState
from passerby.ids import IdentityId, ModelId

ASKED_PROTOTYPES = 4
"""Prototypes of an identity for which others like it are searched, the latest."""


@dataclass(frozen=True, slots=True)
class MergeQuestion:
    """A problem with the names of its rows.

    Of the pairs that were compared, the lower number first: `terms` where there are any, and in `alike` the two
    tracklets most alike, one of each.
    """

    identities: list[IdentityId]
    problem: MergeProblem
    terms: dict[tuple[IdentityId, IdentityId], MergeTerms]
    alike: dict[tuple[IdentityId, IdentityId], tuple[TrackletNumber, TrackletNumber]]


def merge_question(
    state: SiteState,
    space: ModelSpace,
    asked: list[IdentityId],
    *,
    young: Collection[IdentityId],
    judge: Judge | None,
    thresholds: Thresholds,
    boundaries: Boundaries,
    others: Sequence[ModelId] = (),
) -> MergeQuestion | None:
    """Which of the identities `asked` about may be one person with another; `young` ones are so until they have stood.

    Pairs that can be compared in the space of one of the `others` are asked about there.

    None where no pair is near enough to be asked about.
    """
    prototypes = {i: members for i in asked if (members := state.prototypes(i, space.model_id))}
    if not prototypes:
        return None
    found = _alike(state, space, prototypes)
    kept = [pair for pair in found if not _compared(state, pair, others)]
    terms = {} if judge is None else judge.merge_terms(kept)
    pairs = [pair for pair in kept if (not cannot_be_one(state, *pair) if judge is None else pair in terms)]
    for pair in pairs:
        for identity_id in pair:
            if identity_id not in prototypes:
                prototypes[identity_id] = state.prototypes(identity_id, space.model_id)
    odds = {pair: terms[pair].log_odds if pair in terms else np.nan for pair in pairs}
    between = dict(zip(pairs, _between(space, pairs, prototypes), strict=True))
    likeness = {pair: _likeness(similarities) for pair, similarities in between.items()}
    # Whoever is like nobody stays out of the problem: a site has many young identities, and few that are asked about.
    near = {i for pair, value in likeness.items() if value >= thresholds.candidate or odds[pair] > 0.0 for i in pair}
    identities = sorted(near)
    if not identities:
        return None
    similarity = np.full((len(identities), len(identities)), np.nan)
    excluded = np.zeros(similarity.shape, bool)
    log_odds = np.full(similarity.shape, np.nan)
    row = {identity_id: index for index, identity_id in enumerate(identities)}
    sizes = np.array([state.size(identity_id) for identity_id in identities], np.int64)
    weights = np.log(persons(sizes)).tolist()
    for (first, second), value in likeness.items():
        if first in row and second in row:
            i, j = row[first], row[second]
            similarity[i, j] = similarity[j, i] = value
            log_odds[i, j] = log_odds[j, i] = odds[first, second] + max(weights[i], weights[j])
    if judge is None:
        # Who is grouped by similarity alone may come together through a third.
        for i, j in itertools.combinations(range(len(identities)), 2):
            excluded[i, j] = excluded[j, i] = cannot_be_one(state, identities[i], identities[j])
    problem = MergeProblem(
        similarity=similarity,
        log_odds=log_odds,
        excluded=excluded,
        sizes=sizes,
        young=np.array([identity_id in young for identity_id in identities]),
        thresholds=thresholds,
        boundaries=boundaries,
    )
    alike = {
        pair: _most_alike(prototypes[pair[0]], prototypes[pair[1]], between=similarities)
        for pair, similarities in between.items()
        if near.issuperset(pair)
    }
    return MergeQuestion(identities, problem, terms, alike)


def _compared(state: SiteState, pair: tuple[IdentityId, IdentityId], models: Sequence[ModelId]) -> bool:
    """Whether both of two identities have somebody standing for them in the space of one of these models."""
    return any(all(state.prototypes(one, model_id) for one in pair) for model_id in models)


def _alike(
    state: SiteState, space: ModelSpace, prototypes: Mapping[IdentityId, Sequence[Tracklet]]
) -> list[tuple[IdentityId, IdentityId]]:
    """Each identity with the COMPARED_IDENTITIES that look most like its latest prototypes; the lower number first."""
    latest = [(i, m.number) for i, members in prototypes.items() for m in members[-ASKED_PROTOTYPES:]]
    numbers, similarities = space.nearest(space.prototypes([number for _, number in latest]), k=SEARCHED_PROTOTYPES)
    hits: dict[IdentityId, dict[TrackletNumber, float]] = {owner: {} for owner in prototypes}
    for (owner, _), mine, alike in zip(latest, numbers.tolist(), similarities.tolist(), strict=True):
        for number, similarity in zip(mine, alike, strict=True):
            if number >= 0:
                hits[owner][number] = max(hits[owner].get(number, -1.0), similarity)
    pairs: dict[tuple[IdentityId, IdentityId], None] = {}
    for owner, found in hits.items():
        whose = {number: state.tracklets[number].identity_id for number in found}
        others = sorted((-found[n], n, i) for n, i in whose.items() if i is not None and i != owner)
        for other in list(dict.fromkeys(i for _, _, i in others))[:COMPARED_IDENTITIES]:
            pairs[min(owner, other), max(owner, other)] = None
    return list(pairs)


def _between(
    space: ModelSpace,
    pairs: Sequence[tuple[IdentityId, IdentityId]],
    prototypes: Mapping[IdentityId, Sequence[Tracklet]],
) -> list[NDArray[np.float64]]:
    """Cosine similarities (n, m) of what stands for the first and for the second of each pair."""
    mine = {identity_id: prototypes[identity_id] for pair in pairs for identity_id in pair}
    units = space.prototypes([t.number for known in mine.values() for t in known])
    counts = np.array([len(known) for known in mine.values()], np.int64)
    begins, place = np.cumsum(counts) - counts, {identity_id: index for index, identity_id in enumerate(mine)}
    first, second = (np.array([place[pair[side]] for pair in pairs], np.int64) for side in (0, 1))
    sizes = counts[first] * counts[second]
    of, cell = ranges(np.zeros(len(pairs), np.int64), sizes)
    row, column = np.divmod(cell, counts[second][of])
    rows, columns = begins[first][of] + row, begins[second][of] + column
    values = similarities_of_pairs(units, units, rows=rows, columns=columns)
    shapes = zip(counts[first].tolist(), counts[second].tolist(), strict=True)
    return (
        [part.reshape(shape) for part, shape in zip(np.split(values, np.cumsum(sizes)[:-1]), shapes, strict=True)]
        if pairs
        else []
    )


def _most_alike(
    first: list[Tracklet], second: list[Tracklet], *, between: NDArray[np.float64]
) -> tuple[TrackletNumber, TrackletNumber]:
    row, column = divmod(int(between.argmax()), len(second))
    return first[row].number, second[column].number


def _likeness(between: NDArray[np.float64]) -> float:
    """How like two sets of prototypes are, given `between` (n, m): each of the smaller set against its nearest in the
    other, on average.

    Not the nearest pair alone, which one bad crop can make; not all pairs, as front and back of one person differ.
    """
    of_first, of_second = float(between.max(axis=1).mean()), float(between.max(axis=0).mean())
    first, second = between.shape
    if first == second:
        return (of_first + of_second) / 2
    return of_first if first < second else of_second

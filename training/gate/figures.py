"""The gate's figures: both networks' values, in every draw of the bootstrap, and what the rules say of them."""

from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from passerby.adaptation.verdict import Figure
from passerby.arrays import Int64Array
from training.gate.crossing import chance_of_impossible
from training.gate.guarding import GuardSearch
from training.gate.known_pairs import KnownPairs, Scene
from training.gate.resampling import Change, Weights, change_of, draw_groups, means
from training.gate.rules import (
    AREA,
    COLLAPSED_RANK,
    COLLAPSED_SHARE,
    CORRECTIONS,
    IMPOSSIBLE,
    LINKED,
    LINKED_AREA,
    MUTUAL,
    OWN_CAMERA,
    PURITY,
    RANK,
    SOON,
    TRUE_POSITIVES,
    Rule,
    figure_of,
)
from training.gate.seeing import Seen
from training.gate.separation import Pairs, separate


def pair_figures(before: Seen, after: Seen, *, pairs: KnownPairs, weights: Weights) -> Iterator[Figure]:
    """Of the pairs that are known to be of one person or of two."""
    known = [separate(seen.one, seen.two, pairs=(pairs.one, pairs.two), weights=weights) for seen in (before, after)]
    measured_on = min(len(pairs.one), len(pairs.two))
    yield figure_of(AREA, change_of(known[0].area, known[1].area), measured_on=measured_on)
    true = change_of(known[0].true_positives, known[1].true_positives)
    yield figure_of(TRUE_POSITIVES, true, measured_on=measured_on)
    said = [
        separate(seen.joined, seen.parted, pairs=(pairs.joined, pairs.parted), weights=weights).area
        for seen in (before, after)
    ]
    yield figure_of(CORRECTIONS, change_of(*said), measured_on=min(len(pairs.joined), len(pairs.parted)))


def link_figures(before: Seen, after: Seen, *, pairs: KnownPairs, weights: Weights) -> tuple[Figure, Figure]:
    """Of the hub's links to other cameras: in spreads, and as an area."""
    found = [
        separate(seen.linked, seen.unlinked, pairs=(pairs.linked, pairs.unlinked), weights=weights)
        for seen in (before, after)
    ]
    measured_on = min(len(pairs.linked), len(pairs.unlinked))
    return (
        figure_of(LINKED, change_of(found[0].spreads, found[1].spreads), measured_on=measured_on),
        figure_of(LINKED_AREA, change_of(found[0].area, found[1].area), measured_on=measured_on),
    )


def crossing_figures(
    before: Seen, after: Seen, *, scene: Scene, in_time: tuple[Pairs, Pairs], weights: Weights, linked: Figure
) -> Iterator[Figure]:
    """Of whom tracklets are near to across cameras. `linked` is the figure of the hub's links in spreads."""
    one, other = before.crossing, after.crossing

    def figure(
        rule: Rule, values: NDArray[np.float64], later: NDArray[np.float64], *, measured_on: float | None = None
    ) -> Figure:
        drawn = [means(each, scene.groups, weights=weights) for each in (values, later)]
        known = int(np.isfinite(values).sum()) if measured_on is None else measured_on
        return figure_of(rule, change_of(*drawn), measured_on=known)

    soon = [separate(seen.soon, seen.far, pairs=in_time, weights=weights).area for seen in (before, after)]
    yield figure_of(SOON, change_of(*soon), measured_on=min(map(len, in_time)))
    by_chance = float(np.nansum(chance_of_impossible(scene)))
    yield figure(IMPOSSIBLE, one.impossible, other.impossible, measured_on=by_chance)
    yield figure(MUTUAL, one.mutual, other.mutual)
    shares = before.own_camera_shares, after.own_camera_shares
    yield figure(PURITY, *shares, measured_on=min(int(np.isfinite(each).sum()) for each in shares))
    # Less often than by chance is no gain.
    drawn = [np.maximum(means(each.own_camera, scene.groups, weights=weights), 0.0) for each in (one, other)]
    own = figure_of(OWN_CAMERA, change_of(*drawn), measured_on=int(np.isfinite(one.own_camera).sum()))
    # Noise hides the camera as well as it hides people: that these are found better has to be seen elsewhere.
    links_rose = linked.enough and linked.change is not None and linked.change > linked.tolerance
    yield msgspec.structs.replace(own, crossing=links_rose)


def rank_figure(before: Seen, after: Seen) -> Figure:
    """Of how many directions are used: no interval, but a bound."""
    change = after.rank - before.rank
    figure = figure_of(RANK, Change(before.rank, after.rank, change, change), measured_on=1)
    least = max(COLLAPSED_SHARE * before.rank, COLLAPSED_RANK)
    return msgspec.structs.replace(
        figure, tolerance=max(before.rank - least, 0.0), regressed=after.rank < least, improved=False
    )


def guard_figure(rule: Rule, before: GuardSearch, after: GuardSearch, *, people: Int64Array, seed: int) -> Figure:
    """mAP on the guard set, whose `people` (n,) are drawn again."""
    names, groups = np.unique(people, return_inverse=True)
    weights = draw_groups(len(names), seed=seed)
    drawn = [means(each.precisions, groups.astype(np.int64), weights=weights) for each in (before, after)]
    return figure_of(rule, change_of(*drawn), measured_on=int(np.isfinite(before.precisions).sum()))

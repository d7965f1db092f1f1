"""The gate: a snapshot, who was held out of it, and what both networks say of its crops; comes out with a verdict."""

import numpy as np

from passerby.adaptation import Snapshot
from passerby.adaptation.verdict import Figure, Picture, Verdict
from passerby.arrays import Float32Array, Int64Array, require_shape
from passerby.errors import DataError
from training.gate.crossing import pairs_in_time
from training.gate.drawing import guard_picture, site_pictures
from training.gate.figures import crossing_figures, guard_figure, link_figures, pair_figures, rank_figure
from training.gate.guarding import GuardSet, guard_search
from training.gate.holding_out import FEWEST_IN_A_CAMERA, FEWEST_TRACKLETS, groups_of
from training.gate.known_pairs import Ends, Scene, known_pairs
from training.gate.reasons import decide
from training.gate.resampling import draw_groups
from training.gate.rules import FEWEST_GROUPS, GUARD, GUARD_PLAIN
from training.gate.seeing import look

Guard = tuple[GuardSet, Float32Array, Float32Array]
"""A labelled set, and the raw embeddings of its crops by the parent and by the candidate."""


def judge(
    snapshot: Snapshot,
    held_out: Int64Array,
    *,
    parent: Float32Array,
    candidate: Float32Array,
    guard: Guard | None,
    seed: int,
) -> Verdict:
    """Whether `candidate` may take the place of `parent`.

    Both are raw embeddings (n, d) and (n, e) of all crops of the snapshot; `held_out` are the rows of the tracklets
    that the candidate did not learn from, as `hold_out` chose them. The same input gives the same verdict, whatever the
    order of `held_out`. Too little to judge by is a refusal, not an error. Raises DataError for arrays of another
    shape, rows that the snapshot has not, and parent's embeddings that are no numbers.
    """
    require_shape("parent", parent, (snapshot.crops, None))
    require_shape("candidate", candidate, (snapshot.crops, None))
    require_shape("held_out", held_out, (None,))
    if len(held_out) and not 0 <= held_out.min() <= held_out.max() < snapshot.tracklets:
        raise DataError(
            f"held_out has rows {held_out.min()} to {held_out.max()}, the snapshot has {snapshot.tracklets} tracklets"
        )
    if not np.isfinite(parent).all():
        raise DataError("parent holds NaN or infinity, expected the deployed model's embeddings")
    groups = groups_of(snapshot)
    scene = Scene.of(snapshot, held_out, groups=groups)
    broken = _broken(candidate, guard)
    hindrance = broken or _too_little(snapshot, scene)
    figures: list[Figure] = []
    pictures: list[Picture] = []
    if hindrance is None:
        ends = Ends.of(snapshot, scene)
        pairs = known_pairs(snapshot, scene, long=ends.long, seed=seed)
        in_time = pairs_in_time(scene, seed=seed)
        before, after = (
            look(snapshot, raw, scene=scene, ends=ends, pairs=pairs, in_time=in_time, groups=groups)
            for raw in (parent, candidate)
        )
        weights = draw_groups(int(scene.groups.max()) + 1, seed=seed)
        links = link_figures(before, after, pairs=pairs, weights=weights)
        figures = [
            *links,
            *crossing_figures(before, after, scene=scene, in_time=in_time, weights=weights, linked=links[0]),
            *pair_figures(before, after, pairs=pairs, weights=weights),
            rank_figure(before, after),
        ]
        pictures = site_pictures(before, after)
    if guard is not None and broken is None:
        plain, normalized = (
            tuple(guard_search(guard[0], raw, normalize=normalize) for raw in guard[1:]) for normalize in (False, True)
        )
        figures.append(guard_figure(GUARD_PLAIN, *plain, people=guard[0].people, seed=seed))
        figures.append(guard_figure(GUARD, *normalized, people=guard[0].people, seed=seed))
        pictures.append(guard_picture(guard[0].name, *normalized))
    passed, reasons = decide(figures, hindrance=hindrance)
    return Verdict(
        passed=passed,
        reasons=reasons,
        figures=figures,
        tracklets=len(scene),
        groups=len(np.unique(scene.groups)),
        cameras=[str(snapshot.cameras[row]) for row in np.unique(scene.cameras)],
        seed=seed,
        pictures=pictures,
    )


def _broken(candidate: Float32Array, guard: Guard | None) -> str | None:
    """Why the candidate's embeddings cannot be compared at all."""
    for name, raw in (("crops", candidate), *([] if guard is None else [("crops of the guard set", guard[2])])):
        finite = np.isfinite(raw).all(axis=1)
        if not finite.all():
            return f"The adapted model gives {int((~finite).sum())} of {len(raw)} {name} no numbers."
        nothing = int((~raw.any(axis=1)).sum())
        if nothing:
            return f"The adapted model gives {nothing} of {len(raw)} {name} nothing but zeros."
    return None


def _too_little(snapshot: Snapshot, scene: Scene) -> str | None:
    """Why nothing can be told from what was held out."""
    if len(scene) < FEWEST_TRACKLETS:
        return f"Cannot tell: {len(scene)} tracklets were held out, {FEWEST_TRACKLETS} are needed."
    counts = np.bincount(scene.cameras, minlength=len(snapshot.cameras))
    if (counts >= FEWEST_IN_A_CAMERA).sum() < 2:
        return (
            f"Cannot tell: {FEWEST_IN_A_CAMERA} held-out tracklets are needed in each of two cameras, and "
            f"{int((counts >= FEWEST_IN_A_CAMERA).sum())} of {len(counts)} has them."
        )
    people = len(np.unique(scene.groups))
    if people < FEWEST_GROUPS:
        return f"Cannot tell: the {len(scene)} held-out tracklets are of {people} people, {FEWEST_GROUPS} are needed."
    return None

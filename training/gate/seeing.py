"""What one network makes of the held-out tracklets, as the hub would compare them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passerby.adaptation import Snapshot
from passerby.arrays import Float32Array, Int64Array
from training.gate.crossing import Crossing, cross, similarities_of
from training.gate.known_pairs import Ends, KnownPairs, Scene, pair_similarities
from training.gate.normalizing import statistics_of
from training.gate.purity import clusters_of, own_camera_shares
from training.gate.separation import Pairs
from training.gate.spread import effective_rank


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Similarities of the known pairs, and of those `soon` after one another and `far` in time, one for each; who is
    near whom; of each tracklet (h,) its cluster, and the share of its own camera in it; how many directions are used.
    """

    one: Float32Array
    two: Float32Array
    joined: Float32Array
    parted: Float32Array
    linked: Float32Array
    unlinked: Float32Array
    soon: Float32Array
    far: Float32Array
    crossing: Crossing
    clusters: Int64Array
    own_camera_shares: NDArray[np.float64]
    rank: float


def look(
    snapshot: Snapshot,
    raw: Float32Array,
    *,
    scene: Scene,
    ends: Ends,
    pairs: KnownPairs,
    in_time: tuple[Pairs, Pairs],
    groups: Int64Array,
) -> Seen:
    """With raw embeddings (n, d) of the snapshot's crops. `in_time` are pairs soon after one another, and far in time;
    `groups` (t,) who counts as one person in a camera."""
    cameras, count = snapshot.camera_rows, len(snapshot.cameras)
    of_tracklets = snapshot.tracklet_embeddings(raw)
    filled = np.bincount(snapshot.crop_tracklets, minlength=snapshot.tracklets) > 0
    statistics = statistics_of(of_tracklets[filled], cameras=cameras[filled], people=groups[filled], count=count)
    features = statistics.normalize(of_tracklets[scene.rows], scene.cameras)
    early, late = (
        statistics.normalize(_means(raw, of_end, size=len(scene)), scene.cameras) for of_end in (ends.early, ends.late)
    )
    clusters = clusters_of(features, scene)
    return Seen(
        one=pair_similarities(early, late, pairs.one.rows),
        two=pair_similarities(early, late, pairs.two.rows),
        joined=pair_similarities(early, late, pairs.joined.rows),
        parted=pair_similarities(early, late, pairs.parted.rows),
        linked=similarities_of(features, pairs.linked),
        unlinked=similarities_of(features, pairs.unlinked),
        soon=similarities_of(features, in_time[0]),
        far=similarities_of(features, in_time[1]),
        crossing=cross(features, scene),
        clusters=clusters,
        own_camera_shares=own_camera_shares(clusters, scene),
        rank=effective_rank(features),
    )


def _means(raw: Float32Array, rows: Int64Array, *, size: int) -> Float32Array:
    """(size, d): the mean of the crops that belong to each row; those of row -1 to none."""
    known = np.flatnonzero(rows >= 0)
    sums = np.zeros((size, raw.shape[1]))
    np.add.at(sums, rows[known], raw[known])
    found: Float32Array = (sums / np.maximum(np.bincount(rows[known], minlength=size), 1)[:, None]).astype(np.float32)
    return found

"""Camera-aware Jaccard distances (CA-Jaccard, Chen et al. 2024), in exact sparse form."""

import numpy as np

from passerby.arrays import Float32Array
from passerby.errors import DataError
from passerby.features.camera_neighbours import CameraNeighbours
from passerby.features.jaccard import overlap_graph, require_bound
from passerby.features.reciprocal import reciprocal_sets
from passerby.features.sparse_rows import Graph


def camera_jaccard_graph(
    features: Float32Array,
    neighbours: CameraNeighbours,
    *,
    k2_own: int = 2,
    k2_other: int = 4,
    bound: float = 1.0,
) -> Graph:
    """Distances d_J in 0-1 between unit rows `features` (n, d), where they are at most `bound` and below 1.

    As `jaccard_graph`, but a set are those who have each other among their nearest of the own camera, oneself included,
    and those who have each other among their nearest of other cameras. Nothing is expanded. Weights are averaged over
    the `k2_own` nearest of the own camera, oneself included, and the `k2_other` nearest of other cameras.

    The authors' code searches one neighbour more than the paper's numbers say, k1_intra = 5 and k1_inter = 20: for
    these, `neighbours` are 6 of the own camera, oneself included, and 21 of others. Where a camera has fewer rows, the
    sets are smaller; they are not filled up with rows of other cameras.

    Raises DataError for too few neighbours, k2_own below 1 and k2_other below 0, and a bound out of (0, 1].
    """
    require_bound(bound)
    own, other = neighbours.own, neighbours.other
    if not 1 <= k2_own <= own.shape[1] or not 0 <= k2_other <= other.shape[1]:
        raise DataError(
            f"k2_own is {k2_own} and k2_other is {k2_other}, expected 1 to {own.shape[1]} and 0 to {other.shape[1]}, "
            "the numbers of neighbours"
        )
    if len(own) != len(features):
        raise DataError(f"neighbours are of {len(own)} rows, expected {len(features)}")
    # The largest first, so that what fills up comes last; the order of a set does not matter.
    sets = -np.sort(-np.concatenate([reciprocal_sets(own), reciprocal_sets(other)], axis=1), axis=1)
    none = np.empty((len(sets), 0), np.int32)
    near = np.concatenate([own[:, :k2_own], other[:, :k2_other]], axis=1)
    return overlap_graph(features, sets, none, near, bound=bound)

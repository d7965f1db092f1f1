"""Whether people are found across cameras: of one's cluster, how much is of one's own camera."""

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, Int64Array
from passerby.features.clustering import ClusterSettings, cluster
from training.gate.known_pairs import Scene


def clusters_of(features: Float32Array, scene: Scene) -> Int64Array:
    """(h,): the cluster of each tracklet of the scene by its feature (h, d), as an adaptation clusters; -1: none."""
    # A tracklet is one row here, not as many as it has crops, and two make a cluster.
    settings = ClusterSettings(min_images=2)
    return cluster(features, cameras=scene.cameras, tracklets=np.arange(len(scene)), settings=settings).labels


def own_camera_shares(clusters: Int64Array, scene: Scene) -> NDArray[np.float64]:
    """(h,): of the others in each one's cluster, the share that its own camera saw; NaN for who is alone."""
    shares = np.full(len(clusters), np.nan)
    known = np.flatnonzero(clusters >= 0)
    if len(known) == 0:
        return shares
    table = np.zeros((int(clusters.max()) + 1, int(scene.cameras.max()) + 1))
    np.add.at(table, (clusters[known], scene.cameras[known]), 1.0)
    others = table.sum(axis=1)[clusters[known]] - 1.0
    same = table[clusters[known], scene.cameras[known]] - 1.0
    shares[known] = np.divide(same, others, out=np.full(len(known), np.nan), where=others > 0)
    return shares

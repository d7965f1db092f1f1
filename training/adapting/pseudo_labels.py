"""Guessing who is on each crop: from embeddings to clusters that something can be learned from."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from passerby.arrays import Float32Array, Int64Array, l2_normalize
from passerby.features.normalization import zscore_by_camera
from training.adapting.recipe import Grouping
from training.unlabelled import UnlabelledCrops

Cluster = Callable[[Float32Array, Int64Array, Int64Array | None, Grouping], Int64Array]


@dataclass(frozen=True, slots=True)
class PseudoLabels:
    """`people` (n,) int64: the cluster of each crop, numbered from 0; -1 where nobody could be guessed."""

    people: Int64Array

    @property
    def clusters(self) -> int:
        """How many."""
        return int(self.people.max(initial=-1)) + 1

    @property
    def outliers(self) -> int:
        """Crops of nobody."""
        return int((self.people < 0).sum())


def guess(embeddings: Float32Array, crops: UnlabelledCrops, grouping: Grouping, *, cluster: Cluster) -> PseudoLabels:
    """Cluster raw `embeddings` (n, d) of `crops`; clusters of too few images are let go."""
    features = embeddings
    if grouping.normalize == "camera":
        features = zscore_by_camera(features, crops.cameras.tolist())
    tracklets = crops.tracklets if grouping.tracklets else None
    found = cluster(l2_normalize(features), crops.cameras, tracklets, grouping)
    _, people, counts = np.unique(found, return_inverse=True, return_counts=True)
    kept = (found >= 0) & (counts[people] >= grouping.min_images)
    result = np.full(len(found), -1, np.int64)
    result[kept] = np.unique(found[kept], return_inverse=True)[1]
    return PseudoLabels(result)

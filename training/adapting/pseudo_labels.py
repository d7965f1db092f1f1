"""Guessing who is on each crop: from embeddings to clusters that something can be learned from."""

from dataclasses import dataclass

from passerby.arrays import Float32Array, Int64Array
from passerby.features.clustering import cluster
from passerby.features.normalization import zscore_by_camera
from training.adapting.recipe import Grouping
from training.unlabelled import UnlabelledCrops


@dataclass(frozen=True, slots=True)
class PseudoLabels:
    """`people` (n,) int64: the cluster of each crop, numbered from 0; -1 where nobody could be guessed."""

    people: Int64Array
    cut: float
    """The Jaccard distance up to which crops were joined."""

    @property
    def clusters(self) -> int:
        """How many."""
        return int(self.people.max(initial=-1)) + 1

    @property
    def outliers(self) -> int:
        """Crops of nobody."""
        return int((self.people < 0).sum())


def guess(embeddings: Float32Array, crops: UnlabelledCrops, grouping: Grouping) -> PseudoLabels:
    """Cluster raw `embeddings` (n, d) of `crops`; clusters of too few images are let go."""
    features = embeddings
    if grouping.normalize == "camera":
        features = zscore_by_camera(features, crops.cameras.tolist())
    found = cluster(
        features,
        cameras=crops.cameras,
        tracklets=crops.tracklets if grouping.tracklets else None,
        settings=grouping.clusters,
    )
    return PseudoLabels(found.labels, found.cut.value)

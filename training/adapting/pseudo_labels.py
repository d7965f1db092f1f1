"""Guessing who is on each crop: from embeddings to clusters that something can be learned from."""

from dataclasses import dataclass

from passerby.arrays import Float32Array, Int64Array
from passerby.features.clustering import cluster, regrouped
from passerby.features.clustering.constraints import NO_PAIRS
from passerby.features.normalization import zscore_by_camera
from training.adapting.centres import k_means
from training.adapting.recipe import Grouping
from training.adapting.reliability import believed, least_independence
from training.unlabelled import UnlabelledCrops

_STEP = 0.02
"""By how much the cut is moved to see which clusters stay."""


@dataclass(frozen=True, slots=True)
class PseudoLabels:
    """`people` (n,) int64: the cluster of each crop, numbered from 0; -1 where nobody could be guessed."""

    people: Int64Array
    cut: float
    """The Jaccard distance up to which crops were joined."""
    independence: float | None = None
    """How independent clusters had to be, 0-1; None where that is not asked for."""

    @property
    def clusters(self) -> int:
        """How many."""
        return int(self.people.max(initial=-1)) + 1

    @property
    def outliers(self) -> int:
        """Crops of nobody."""
        return int((self.people < 0).sum())


def guess(
    embeddings: Float32Array, crops: UnlabelledCrops, grouping: Grouping, *, independence: float | None = None
) -> PseudoLabels:
    """Cluster raw `embeddings` (n, d) of `crops`; clusters of too few images are let go.

    Where the recipe knows of tracklets, those that are known to be one person stay together, and with average linkage
    those that are known to be two stay apart; DBSCAN cannot promise that. Raises DataError for pairs that contradict
    each other.

    `independence` is what the first round asked of clusters; None: this is the first.
    """
    features = embeddings
    if grouping.normalize == "camera":
        features = zscore_by_camera(features, crops.cameras.tolist())
        # The only picture of a camera, or a frozen camera's, has no direction left: it keeps the one it had.
        nothing = ~features.any(axis=1)
        features[nothing] = embeddings[nothing]
    found = cluster(
        features,
        cameras=crops.cameras,
        tracklets=crops.tracklets if grouping.tracklets else None,
        must_link=crops.together if grouping.tracklets else NO_PAIRS,
        cannot_link=crops.apart if grouping.tracklets and grouping.clusters.method == "average" else NO_PAIRS,
        settings=grouping.clusters,
    )
    people = found.labels
    if grouping.take_apart:
        grouped_at = regrouped(found, settings=grouping.clusters, tracklets=grouping.tracklets)
        tighter, looser = (grouped_at(min(max(found.cut.value + by, 0.0), 1.0)) for by in (-_STEP, _STEP))
        if independence is None:
            independence = least_independence(people, looser, share=grouping.take_apart)
        people = believed(people, tighter=tighter, looser=looser, least=independence)
    if grouping.k_means:
        people = k_means(features, people, iterations=grouping.k_means)
    return PseudoLabels(people, found.cut.value, independence)

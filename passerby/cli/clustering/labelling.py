"""From a file of features to labels, step by step."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from passerby.arrays import Float32Array, Int64Array, l2_normalize
from passerby.cli.clustering.features_file import FeatureFile
from passerby.errors import DataError
from passerby.features.clustering import ClusterSettings, cluster
from passerby.features.neighbours import Search
from passerby.features.normalization import zscore_by_camera

_OWN, _OTHER = 6, 21
"""Neighbours of CA-Jaccard in its authors' code, k1_intra = 5 and k1_inter = 20."""


@dataclass(frozen=True, slots=True)
class Choice:
    """How to cluster. `eps` is the Jaccard distance up to which rows are joined, None to find one."""

    distance: Literal["jaccard", "camera-jaccard"]
    normalize: Literal["camera", "none"]
    method: Literal["dbscan", "average"]
    k1: int
    k2: int
    eps: float | None
    min_samples: int
    search: Search


@dataclass(frozen=True, slots=True)
class Labelling:
    """`labels` (n,) int64, -1 for outliers; the `eps` they were made with; the share of true neighbours found (0-1)."""

    labels: Int64Array
    eps: float
    recall: float

    @property
    def clusters(self) -> int:
        """How many there are."""
        return int(self.labels.max(initial=-1)) + 1

    @property
    def outliers(self) -> int:
        """How many rows are in none."""
        return int((self.labels < 0).sum())


def label(file: FeatureFile, choice: Choice, *, say: Callable[[str], None]) -> Labelling:
    """Cluster what a file holds; `say` is told what is done next. Rows of one tracklet are one node, and stay together.

    Raises DataError where a row has no direction after normalization.
    """
    # An eps for DBSCAN goes with the numbers of neighbours that it was found for.
    by_camera = choice.distance == "camera-jaccard" and choice.method == "dbscan" and choice.eps is not None
    over_all = choice.distance == "jaccard" or by_camera
    settings = ClusterSettings(
        distance=choice.distance,
        method=choice.method,
        neighbours=choice.search,
        k1=choice.k1 if over_all else None,
        k2=choice.k2 if over_all else None,
        k1_intra=_OWN if by_camera else None,
        k1_inter=_OTHER if by_camera else None,
        eps="auto" if choice.eps is None else choice.eps,
        min_samples=choice.min_samples,
        min_images=choice.min_samples if choice.method == "average" else 1,
    )
    rows = normalized(file, choice.normalize)
    found = cluster(rows, cameras=file.cameras, tracklets=file.tracklets, settings=settings, say=say)
    return Labelling(found.labels, found.cut.value, found.recall)


def normalized(file: FeatureFile, how: Literal["camera", "none"]) -> Float32Array:
    """Unit rows (n, d). Raises DataError for a row that is its camera's mean."""
    rows = l2_normalize(zscore_by_camera(file.features, file.cameras.tolist()) if how == "camera" else file.features)
    directed = rows.any(axis=1)
    if not directed.all():
        row = int(np.argmin(directed))
        raise DataError(
            f"row {row} of features is the mean of camera {file.cameras[row]}, which has too few different rows to be "
            "normalized; leave the camera out, or use --normalize none"
        )
    return rows

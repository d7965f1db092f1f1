"""From a file of features to labels, step by step."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from passerby.arrays import Float32Array, Int64Array, l2_normalize
from passerby.cli.clustering.features_file import FeatureFile
from passerby.errors import DataError
from passerby.features.camera_jaccard import camera_jaccard_graph
from passerby.features.camera_neighbours import camera_neighbours
from passerby.features.clustering.average import drop_small, linkage
from passerby.features.clustering.constraints import Nodes, nodes_of
from passerby.features.clustering.dbscan import dbscan
from passerby.features.jaccard import jaccard_graph
from passerby.features.neighbours import Search, nearest_neighbours
from passerby.features.normalization import zscore_by_camera
from passerby.features.sparse_rows import Graph

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
    rows = normalized(file, choice.normalize)
    nodes = nodes_of(np.arange(len(rows)) if file.tracklets is None else file.tracklets)
    features = rows if file.tracklets is None else nodes.features(rows)
    bound = choice.eps if choice.eps is not None and choice.method == "dbscan" else 1.0
    graph, recall = _graph(features, nodes.of_nodes(file.cameras), choice, bound=bound, say=say)
    say(f"clustering {len(nodes):,} nodes by {graph.nnz:,} distances")
    labels, eps = _grouped(graph, nodes, choice)
    return Labelling(nodes.to_crops(labels), eps, recall)


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


def _graph(
    features: Float32Array, cameras: Int64Array, choice: Choice, *, bound: float, say: Callable[[str], None]
) -> tuple[Graph, float]:
    """Distances (n, n) up to a bound, and the recall of the neighbours they come from."""
    say(f"searching neighbours of {len(features):,} rows")
    if choice.distance == "camera-jaccard":
        by_camera = camera_neighbours(features, cameras, own=_OWN, other=_OTHER, search=choice.search)
        say("comparing neighbourhoods")
        return camera_jaccard_graph(features, by_camera, bound=bound), by_camera.recall
    near = nearest_neighbours(features, choice.k1, search=choice.search)
    say("comparing neighbourhoods")
    return jaccard_graph(features, near, k1=choice.k1, k2=choice.k2, bound=bound), near.recall


def _grouped(graph: Graph, nodes: Nodes, choice: Choice) -> tuple[Int64Array, float]:
    """Labels (m,) of nodes, and the eps they were made with."""
    if choice.eps is None:
        raise DataError("eps cannot be found from the features yet: give one, as --eps 0.6")
    if choice.method == "dbscan":
        return dbscan(graph, eps=choice.eps, min_samples=choice.min_samples), choice.eps
    people = linkage(graph, weights=nodes.weights).cut(choice.eps)
    return drop_small(people, min_images=choice.min_samples, weights=nodes.weights), choice.eps

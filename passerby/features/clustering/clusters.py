"""From features to people: neighbours, Jaccard distances, groups, and where to cut."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from passerby.arrays import Float32Array, Int64Array, require_shape
from passerby.errors import DataError
from passerby.features.camera_jaccard import camera_jaccard_graph
from passerby.features.camera_neighbours import CameraNeighbours, camera_neighbours
from passerby.features.clustering.average import drop_small, linkage
from passerby.features.clustering.constraints import NO_PAIRS, Nodes, nodes_of
from passerby.features.clustering.cut import Cut, GroupedAt, choose_cut
from passerby.features.clustering.dbscan import dbscan
from passerby.features.clustering.scale import (
    CameraNeighbourhood,
    Neighbourhood,
    camera_neighbourhoods,
    neighbourhoods,
)
from passerby.features.clustering.settings import ClusterSettings
from passerby.features.jaccard import jaccard_graph
from passerby.features.neighbours import nearest_neighbours
from passerby.features.sparse_rows import Graph

_HEIGHTS = tuple(np.round(np.arange(0.16, 0.995, 0.02), 2).tolist())
_EPS = tuple(np.round(np.arange(0.10, 0.87, 0.02), 2).tolist())
"""Jaccard distances that are tried for average linkage, and for DBSCAN."""

_STEP = 0.02
"""A cut that is set is compared with those so far below and above."""

_MANY, _FARTHEST = 20_000, 0.98
"""From so many nodes on average linkage takes pairs farther than this for strangers at distance 1: nearly all pairs are
such, each would move a mean by a fiftieth of its share at most, and 100,000 nodes would need several GB for them."""


@dataclass(frozen=True, slots=True)
class Clustering:
    """Who is who.

    `labels` (n,) int64 is each crop's person, from 0 on, or -1 for nobody's. `cut` is the Jaccard distance up to which
    they were joined, and what speaks for it; `neighbourhood` the numbers of neighbours. `nodes` are what was clustered,
    tracklets mostly, and `graph` (m, m) their distances, without those that are too far to matter.
    """

    labels: Int64Array
    cut: Cut
    neighbourhood: Neighbourhood | CameraNeighbourhood
    nodes: Nodes
    graph: Graph
    recall: float
    """The share of the true neighbours that were found, 0-1."""

    @property
    def clusters(self) -> int:
        """How many people."""
        return int(self.labels.max(initial=-1)) + 1

    @property
    def outliers(self) -> int:
        """How many crops are nobody's."""
        return int((self.labels < 0).sum())


def cluster(
    features: Float32Array,
    *,
    cameras: Int64Array,
    tracklets: Int64Array | None = None,
    must_link: Int64Array = NO_PAIRS,
    cannot_link: Int64Array = NO_PAIRS,
    settings: ClusterSettings | None = None,
    say: Callable[[str], None] | None = None,
) -> Clustering:
    """Group crops into people.

    `features` (n, d) float32, of any length; normalize them by camera first, as nothing else does so here. `cameras`
    (n,) and `tracklets` (n,) are whole numbers; crops of one tracklet stay together. Without tracklets each crop stands
    alone, and is its own tracklet by its row. `must_link` and `cannot_link` (k, 2) are pairs of tracklets.

    Where numbers of neighbours are left open, the proposals for a set of this size are all tried, and the likeliest
    grouping stays; likewise with the cut. `say` is told what is done next. Deterministic.

    No distance is kept that no cut looks at: with DBSCAN those beyond the greatest eps that is tried, with average
    linkage those over .98 of 20,000 nodes or more. So memory grows with the number of nodes.

    Raises DataError for arrays of other shapes, features that are not finite or zero, a tracklet of two cameras, pairs
    that contradict each other, and pairs that must not be linked with DBSCAN, which cannot keep them apart.
    """
    settings = settings or ClusterSettings()
    require_shape("features", features, (None, None))
    require_shape("cameras", cameras, (len(features),))
    if len(features) == 0:
        raise DataError("there are no features to cluster: give at least one crop")
    if len(cannot_link) and settings.method == "dbscan":
        raise DataError(f"{len(cannot_link)} pairs must not be linked, which DBSCAN cannot promise: use method average")
    if tracklets is not None:
        require_shape("tracklets", tracklets, (len(features),))
        _require_one_camera(tracklets, cameras)
    alone = np.arange(len(features))
    nodes = nodes_of(alone if tracklets is None else tracklets, must_link=must_link, cannot_link=cannot_link)
    proposals = _proposals(
        nodes,
        nodes.features(features),
        nodes.of_nodes(cameras),
        settings=settings,
        tracklets=tracklets is not None,
        say=say or _nothing,
    )
    return max(proposals, key=lambda proposal: proposal.cut.likelihood)


def regrouped(found: Clustering, *, settings: ClusterSettings, tracklets: bool) -> GroupedAt:
    """The same crops at another cut: gives their labels (n,), small clusters as well. `tracklets` as in clustering."""
    grouped_at, _ = _grouping(found.graph, found.nodes, settings=settings, tracklets=tracklets)
    return lambda value: found.nodes.to_crops(grouped_at(value))


def _proposals(
    nodes: Nodes,
    rows: Float32Array,
    cameras: Int64Array,
    *,
    settings: ClusterSettings,
    tracklets: bool,
    say: Callable[[str], None],
) -> Iterator[Clustering]:
    """One for each neighbourhood; `rows` (m, d) and `cameras` (m,) are those of the nodes."""
    for neighbourhood, graph, recall in _graphs(rows, cameras, settings=settings, tracklets=tracklets, say=say):
        say(f"clustering by {graph.nnz:,} distances" + (", at many cuts" if settings.eps == "auto" else ""))
        grouped_at, tried = _grouping(graph, nodes, settings=settings, tracklets=tracklets)
        if settings.eps != "auto":
            tried = (max(settings.eps - _STEP, 0.0), settings.eps, min(settings.eps + _STEP, 1.0))
        cut = choose_cut(tried, grouped_at, rows=rows, cameras=cameras, tracklets=tracklets)
        people = drop_small(grouped_at(cut.value), min_images=settings.min_images, weights=nodes.weights)
        yield Clustering(nodes.to_crops(people), cut, neighbourhood, nodes, graph, recall)


def _graphs(
    rows: Float32Array,
    cameras: Int64Array,
    *,
    settings: ClusterSettings,
    tracklets: bool,
    say: Callable[[str], None],
) -> Iterator[tuple[Neighbourhood | CameraNeighbourhood, Graph, float]]:
    """The graph of each proposal, and the recall of its neighbours; these are searched once."""
    bound = _bound(settings, nodes=len(rows))
    say(f"searching neighbours of {len(rows):,} nodes")
    if settings.distance == "camera-jaccard" and len(np.unique(cameras)) > 1:
        by_camera = camera_neighbourhoods(settings, rows=len(rows), tracklets=tracklets)
        found = camera_neighbours(
            rows,
            cameras,
            own=max(each.k1_intra for each in by_camera),
            other=max(each.k1_inter for each in by_camera),
            search=settings.neighbours,
        )
        for size in by_camera:
            own = np.ascontiguousarray(found.own[:, : size.k1_intra])
            other = np.ascontiguousarray(found.other[:, : size.k1_inter])
            near = CameraNeighbours(own, other, found.recall)
            say("comparing neighbourhoods")
            graph = camera_jaccard_graph(rows, near, k2_own=size.k2_intra, k2_other=size.k2_inter, bound=bound)
            yield size, graph, found.recall
    else:
        over_all = neighbourhoods(settings, rows=len(rows), tracklets=tracklets)
        nearest = nearest_neighbours(rows, max(each.k1 for each in over_all), search=settings.neighbours)
        for each in over_all:
            say("comparing neighbourhoods")
            yield each, jaccard_graph(rows, nearest, k1=each.k1, k2=each.k2, bound=bound), nearest.recall


def _bound(settings: ClusterSettings, *, nodes: int) -> float:
    """The greatest distance that matters, also at a cut one step looser than the one that is chosen."""
    if settings.method == "average":
        return _FARTHEST if nodes >= _MANY else 1.0
    return _EPS[-1] if settings.eps == "auto" else min(settings.eps + _STEP, 1.0)


def _grouping(
    graph: Graph, nodes: Nodes, *, settings: ClusterSettings, tracklets: bool
) -> tuple[GroupedAt, tuple[float, ...]]:
    """Labels of nodes at any distance, and the distances to try."""
    if settings.method == "average":
        return linkage(graph, weights=nodes.weights, cannot_link=nodes.cannot_link).cut, _HEIGHTS
    min_samples = settings.min_samples or (2 if tracklets else 4)
    return lambda eps: dbscan(graph, eps=eps, min_samples=min_samples), _EPS


def _nothing(what: str) -> None:
    """Nobody is told."""


def _require_one_camera(tracklets: Int64Array, cameras: Int64Array) -> None:
    _, first, of = np.unique(tracklets, return_index=True, return_inverse=True)
    other = cameras != cameras[first][of]
    if other.any():
        row = int(other.argmax())
        raise DataError(
            f"tracklet {tracklets[row]} has crops of cameras {cameras[first][of][row]} and {cameras[row]}, expected one"
        )

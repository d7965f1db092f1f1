"""Crops grouped into people without labels: DBSCAN or average linkage on a sparse graph of distances."""

from passerby.features.clustering.clusters import Clustering, cluster, regrouped
from passerby.features.clustering.constraints import Nodes, seen_at_once
from passerby.features.clustering.cut import Cut
from passerby.features.clustering.settings import ClusterSettings

__all__ = ["ClusterSettings", "Clustering", "Cut", "Nodes", "cluster", "regrouped", "seen_at_once"]

"""Tracklets grouped into people without labels: DBSCAN or average linkage on a sparse graph of distances."""

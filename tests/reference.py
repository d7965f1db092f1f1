"""Naive twins: dense, slow, and as the papers and their authors' code define it."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def dense_neighbours(features: NDArray[np.floating], k: int, *, among: NDArray[np.bool_] | None = None) -> list[Ints]:
    """For each row the k most similar by inner product, itself first, ties by index; only those `among` (n, n)."""
    rows = np.asarray(features, np.float64)
    found = []
    for row in range(len(rows)):
        # One product a row: blocks of a matrix product would round equal rows differently.
        similarities = np.array([float((rows[row] * other).sum()) for other in rows])
        similarities[row] = np.inf
        order = np.argsort(-similarities, kind="stable")
        found.append(order[among[row, order]][:k] if among is not None else order[:k])
    return found


def dense_jaccard(features: NDArray[np.floating], *, k1: int = 30, k2: int = 6) -> Floats:
    """Jaccard distances (n, n) of k-reciprocal sets (Zhong et al. 2017), in the form of SpCL and Cluster-Contrast."""
    nearest = dense_neighbours(features, k1)
    sets = _mutual(nearest)
    halves = _mutual([near[: round(k1 / 2) + 1] for near in nearest])
    expanded = []
    for own in sets:
        grown = set(own)
        for member in own:
            if len(halves[member] & own) > 2 / 3 * len(halves[member]):
                grown |= halves[member]
        expanded.append(grown)
    weights = _weights(features, expanded)
    return _distances(np.array([weights[near[:k2]].mean(axis=0) for near in nearest]).reshape(weights.shape))


def dense_camera_jaccard(
    features: NDArray[np.floating], cameras: Ints, *, own: int = 6, other: int = 21, k2_own: int = 2, k2_other: int = 4
) -> Floats:
    """Camera-aware Jaccard distances (n, n), Chen et al. 2024; `own` and `other` neighbours, oneself included."""
    same = cameras[:, None] == cameras[None, :]
    inside = dense_neighbours(features, own, among=same)
    outside = dense_neighbours(features, other, among=~same)
    weights = _weights(features, [a | b for a, b in zip(_mutual(inside), _mutual(outside), strict=True)])
    near = [np.concatenate([a[:k2_own], b[:k2_other]]) for a, b in zip(inside, outside, strict=True)]
    return _distances(np.array([weights[rows].mean(axis=0) for rows in near]).reshape(weights.shape))


def dense_dbscan(distances: Floats, *, eps: float, min_samples: int) -> Ints:
    """DBSCAN's labels (n,) from distances (n, n), -1 for outliers (Ester et al. 1996), as scikit-learn numbers them.

    Clusters are the connected core points, numbered by their first; a border point belongs to the first cluster of
    which a core point is near.
    """
    near = distances <= eps
    core = near.sum(axis=1) >= min_samples
    labels = np.full(len(distances), -1)
    clusters = 0
    for point in range(len(distances)):
        if not core[point] or labels[point] >= 0:
            continue
        members = np.zeros(len(distances), bool)
        members[point] = True
        while True:
            more = members | (near[members].any(axis=0) & core)
            if (more == members).all():
                break
            members = more
        members |= near[members].any(axis=0)
        labels[members & (labels < 0)] = clusters
        clusters += 1
    return labels


def _mutual(neighbours: list[Ints]) -> list[set[int]]:
    lists = [set(near.tolist()) for near in neighbours]
    return [{other for other in own if row in lists[other]} for row, own in enumerate(lists)]


def _weights(features: NDArray[np.floating], sets: list[set[int]]) -> Floats:
    rows = np.asarray(features, np.float64)
    weights = np.zeros((len(rows), len(rows)))
    for row, members in enumerate(sets):
        chosen = sorted(members)
        exponentials = np.exp(-(2 - 2 * rows[chosen] @ rows[row]))
        weights[row, chosen] = exponentials / exponentials.sum()
    return weights


def _distances(weights: Floats) -> Floats:
    shared = np.array([np.minimum(row, weights).sum(axis=1) for row in weights]).reshape(weights.shape)
    distances = np.clip(1 - shared / (2 - shared), 0, None)
    np.fill_diagonal(distances, 0)
    return distances

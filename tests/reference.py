"""Naive twins: dense, slow, and as the papers and their authors' code define it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]


def dense_neighbours(features: NDArray[np.floating], k: int, *, among: NDArray[np.bool_] | None = None) -> list[Ints]:
    """For each row the k most similar by inner product, itself first, ties by index; only those `among` (n, n)."""
    rows = np.asarray(features, np.float64)
    found = []
    for row in range(len(rows)):
        # Row by row: a matrix product may round equal rows differently.
        similarities = np.array([float((rows[row] * other).sum()) for other in rows])
        similarities[row] = np.inf
        order = np.argsort(-similarities, kind="stable")
        found.append(order[among[row, order]][:k] if among is not None else order[:k])
    return found


def dense_jaccard(
    features: NDArray[np.floating],
    *,
    k1: int = 30,
    k2: int = 6,
    neighbours: Sequence[Ints] | None = None,
    dtype: type[np.floating] = np.float64,
) -> Floats:
    """Jaccard distances (n, n) of k-reciprocal sets (Zhong et al. 2017), by the steps of SpCL and Cluster-Contrast.

    So it costs what theirs costs on a CPU. `neighbours` are the k1 nearest of each row, if they are known; `dtype` is
    that of all three matrices (n, n).
    """
    nearest = dense_neighbours(features, k1) if neighbours is None else neighbours
    sets = _mutual(nearest)
    halves = _mutual([near[: round(k1 / 2) + 1] for near in nearest])
    expanded = []
    for own in sets:
        grown = own
        for member in own:
            if len(np.intersect1d(halves[member], own)) > 2 / 3 * len(halves[member]):
                grown = np.append(grown, halves[member])
        expanded.append(np.unique(grown))
    weights = _weights(features, expanded, dtype)
    return _distances(_averaged(weights, [near[:k2] for near in nearest]))


def dense_camera_jaccard(
    features: NDArray[np.floating], cameras: Ints, *, own: int = 6, other: int = 21, k2_own: int = 2, k2_other: int = 4
) -> Floats:
    """Camera-aware Jaccard distances (n, n), Chen et al. 2024; `own` and `other` neighbours, oneself included."""
    same = cameras[:, None] == cameras[None, :]
    inside = dense_neighbours(features, own, among=same)
    outside = dense_neighbours(features, other, among=~same)
    weights = _weights(
        features, [np.union1d(a, b) for a, b in zip(_mutual(inside), _mutual(outside), strict=True)], np.float64
    )
    near = [np.concatenate([a[:k2_own], b[:k2_other]]) for a, b in zip(inside, outside, strict=True)]
    return _distances(_averaged(weights, near))


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


def _mutual(neighbours: Sequence[Ints]) -> list[Ints]:
    return [near[np.array([row in neighbours[other] for other in near], bool)] for row, near in enumerate(neighbours)]


def _weights(features: NDArray[np.floating], sets: Sequence[Ints], dtype: type[np.floating]) -> Floats:
    rows = np.asarray(features, dtype)
    weights = np.zeros((len(rows), len(rows)), dtype)
    for row, members in enumerate(sets):
        exponentials = np.exp(-(2 - 2 * rows[members] @ rows[row]))
        weights[row, members] = exponentials / exponentials.sum()
    return weights


def _averaged(weights: Floats, near: Sequence[Ints]) -> Floats:
    averaged = np.zeros_like(weights)
    for row, others in enumerate(near):
        averaged[row] = weights[others].mean(axis=0)
    return averaged


def _distances(weights: Floats) -> Floats:
    holders = [np.flatnonzero(weights[:, column]) for column in range(len(weights))]
    distances = np.zeros_like(weights)
    for row, own in enumerate(weights):
        shared = np.zeros_like(own)
        for column in np.flatnonzero(own):
            shared[holders[column]] += np.minimum(own[column], weights[holders[column], column])
        distances[row] = 1 - shared / (2 - shared)
    np.fill_diagonal(distances, 0)
    return np.clip(distances, 0, None, out=distances)

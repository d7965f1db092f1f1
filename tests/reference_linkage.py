"""Naive twins of passerby.features.clustering: dense matrices, Python loops, nothing clever."""

import numpy as np
from scipy.sparse import csr_array


def sparse_distances(dense):
    """The graph of a dense symmetric matrix: what is below 1, and the diagonal."""
    rows, columns = np.nonzero((dense < 1.0) | np.eye(len(dense), dtype=bool))
    return csr_array((dense[rows, columns].astype(np.float32), (rows, columns)), shape=dense.shape)


def average_linkage(dense, *, weights=None, cannot_link=()):
    """Merges (first member, first member, height, nodes) by looking at every pair of clusters each time."""
    clusters = {node: [node] for node in range(len(dense))}
    weights = np.ones(len(dense)) if weights is None else np.asarray(weights, float)
    forbidden = {frozenset(pair) for pair in np.asarray(cannot_link, int).reshape(-1, 2).tolist()}
    merges = []
    while True:
        best = None
        for first, some in clusters.items():
            for second, others in clusters.items():
                if first >= second or _meet(some, others, forbidden):
                    continue
                height = _mean(dense, some, others, weights)
                if height < 1.0 - 1e-12 and (best is None or height < best[2] - 1e-12):
                    best = (first, second, height)
        if best is None:
            return merges
        first, second, height = best
        clusters[first] = clusters[first] + clusters.pop(second)
        merges.append((first, second, height, len(clusters[first])))


def cut(nodes, merges, height):
    """Labels of a list of merges, numbered by first member."""
    label = list(range(nodes))
    for first, second, at, _ in merges:
        if at <= height:
            gone, kept = label[second], label[first]
            label = [kept if one == gone else one for one in label]
    numbers = {}
    return [numbers.setdefault(one, len(numbers)) for one in label]


def _meet(some, others, forbidden):
    return any(frozenset((one, other)) in forbidden for one in some for other in others)


def _mean(dense, some, others, weights):
    total = sum(float(dense[one, other]) * weights[one] * weights[other] for one in some for other in others)
    return total / (weights[some].sum() * weights[others].sum())


def groups(tracklets, must_link):
    """The group of each crop, numbered by first crop; two tracklets that are linked are one."""
    label = {tracklet: tracklet for tracklet in tracklets}
    for one, other in must_link:
        gone, kept = label[one], label[other]
        label = {tracklet: kept if at == gone else at for tracklet, at in label.items()}
    numbers = {}
    return [numbers.setdefault(label[tracklet], len(numbers)) for tracklet in tracklets]

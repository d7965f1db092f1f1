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


def nested_likelihood(rows, levels):
    """log N(rows; 0, covariance written out) per row and axis without log 2 pi; variances from moments, with loops."""
    n, axes = rows.shape
    used, components = [], []
    nodes = [[row] for row in range(n)]
    means, errors = [rows[row] for row in range(n)], [0.0] * n
    for level in levels:
        parents = [level[node[0]] for node in nodes]
        groups = [[at for at, parent in enumerate(parents) if parent == group] for group in sorted(set(parents))]
        if len(groups) == len(nodes):
            continue
        spread = free = known = 0.0
        for group in groups:
            centre = sum(means[at] for at in group) / len(group)
            spread += sum(((means[at] - centre) ** 2).sum() for at in group) / axes
            free += len(group) - 1
            known += sum(errors[at] * (1 - 1 / len(group)) for at in group)
        least = 0.0 if used else max(1e-6 * (rows**2).mean(), np.finfo(np.float32).tiny)
        between = max((spread - known) / free, least)
        used.append(level)
        components.append(between)
        news = []
        for group in groups:
            inverse = sum(1 / (between + errors[at]) for at in group)
            news.append((sum(means[at] / (between + errors[at]) for at in group) / inverse, 1 / inverse))
        means, errors = [mean for mean, _ in news], [error for _, error in news]
        nodes = [[row for at in group for row in nodes[at]] for group in groups]
    if not used:
        return -np.inf
    person = np.mean([(mean**2).mean() - error for mean, error in zip(means, errors, strict=True)])
    # The first variance is within the first level, the next between groups of the first within the second, ...
    components.append(max(person, 1e-4 * components[0]))
    covariance = components[0] * np.eye(n)
    for level, variance in zip(used, components[1:], strict=True):
        covariance += variance * (level[:, None] == level[None, :])
    _, logarithm = np.linalg.slogdet(covariance)
    squares = (rows * np.linalg.solve(covariance, rows)).sum() / axes
    return -0.5 * (logarithm + squares) / n


def adjusted_rand_index(some, others):
    """From the four counts of pairs that are together or apart in the one and the other."""
    both = only_some = only_others = neither = 0
    for one in range(len(some)):
        for other in range(one):
            here, there = some[one] == some[other], others[one] == others[other]
            both += here and there
            only_some += here and not there
            only_others += there and not here
            neither += not here and not there
    below = (both + only_some) * (only_some + neither) + (both + only_others) * (only_others + neither)
    return 1.0 if below == 0 else 2.0 * (both * neither - only_some * only_others) / below

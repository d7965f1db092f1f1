"""The compiled half of average linkage: a nearest-neighbour chain over sparse sums of similarity.

Sums are whole numbers, so that every order of adding gives the same one and a tie is a tie from both sides. The row of
a cluster is a linked list of entries: merging two clusters puts one row behind the other, and entries that have come to
mean the same cluster are added up when the row is next looked through.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Int64Array
from passerby.features.compiled import compiled

FORBIDDEN = -1
"""Stands where two clusters must not meet, in place of their sum."""

_END = -1


class _Rows(NamedTuple):
    """First and last entry of each cluster's row (n,), and for each entry the next one, its node and its sum."""

    firsts: Int64Array
    lasts: Int64Array
    following: Int64Array
    others: NDArray[np.int32]
    sums: Int64Array


class _Scratch(NamedTuple):
    """For each cluster (n,) in which look through a row it was last met, and at which entry."""

    met_in: Int64Array
    met_at: Int64Array


@compiled
def agglomerate(
    rows: NDArray[np.int32], columns: NDArray[np.int32], sums: Int64Array, weights: NDArray[np.float64], least: float
) -> tuple[Int64Array, NDArray[np.float64], Int64Array]:
    """Pairs (m, 2) of clusters in the order found, each named by its first member; their mean sums and sizes (m,).

    `rows`, `columns` (e,) are the pairs of nodes, each once; `sums` (e,) the products of both `weights` (n,) and the
    similarity, or FORBIDDEN. Ends where no two clusters have a mean of `least` or more.

    Murtagh 1983: follow nearest neighbours until two are each other's, and merge these. A merged cluster is never
    nearer to another than the nearer of its halves was, so these are the greedy algorithm's merges; that holds for
    pairs that must not meet too, which are infinitely far from each other.
    """
    n = len(weights)
    graph = _linked(n, rows, columns, sums)
    scratch = _Scratch(np.full(n, -1, np.int64), np.empty(n, np.int64))
    weights = weights.copy()
    parents = np.arange(n)
    sizes = np.ones(n, np.int64)
    lowest = np.full(n, np.inf)
    pairs = np.empty((max(n - 1, 0), 2), np.int64)
    means = np.empty(max(n - 1, 0), np.float64)
    members = np.empty(max(n - 1, 0), np.int64)
    chain = np.empty(n, np.int64)
    place = np.full(n, -1, np.int64)
    merges, looks = 0, 0
    for start in range(n):
        if parents[start] != start:
            continue
        # Nodes before this one are in clusters that have no neighbour left, so it is the first of its cluster.
        chain[0], place[start], length = start, 0, 1
        while length:
            top = chain[length - 1]
            previous = chain[length - 2] if length > 1 else -1
            _tidy(top, graph, parents, scratch, looks)
            looks += 1
            nearest, mean = _nearest(top, previous, graph, weights, least)
            if nearest == -1:
                length -= 1
                place[top] = -1
            elif nearest == previous:
                place[top] = place[previous] = -1
                first, second = min(top, previous), max(top, previous)
                _append(first, second, graph)
                parents[second] = first
                weights[first] += weights[second]
                sizes[first] += sizes[second]
                # Rounding may find a merge nearer than those that it is made of, by a hair.
                lowest[first] = min(mean, lowest[first], lowest[second])
                pairs[merges, 0], pairs[merges, 1] = first, second
                means[merges], members[merges] = lowest[first], sizes[first]
                merges += 1
                length -= 2
                if length == 0:
                    chain[0], place[first], length = first, 0, 1
            elif place[nearest] != -1:
                # Only rounding leads back into the chain; what was found since then is out of date.
                while length - 1 > place[nearest]:
                    length -= 1
                    place[chain[length]] = -1
            else:
                chain[length], place[nearest] = nearest, length
                length += 1
    return pairs[:merges], means[:merges], members[:merges]


@compiled
def _linked(n: int, rows: NDArray[np.int32], columns: NDArray[np.int32], sums: Int64Array) -> _Rows:
    """Both directions of every pair, sorted into the rows by counting."""
    begins = np.zeros(n + 1, np.int64)
    for pair in range(len(rows)):
        begins[rows[pair] + 1] += 1
        begins[columns[pair] + 1] += 1
    begins = np.cumsum(begins)
    filled = begins[:-1].copy()
    following = np.arange(1, 2 * len(rows) + 1)
    others = np.empty(2 * len(rows), np.int32)
    values = np.empty(2 * len(rows), np.int64)
    for pair in range(len(rows)):
        here, there = filled[rows[pair]], filled[columns[pair]]
        others[here], others[there] = columns[pair], rows[pair]
        values[here] = values[there] = sums[pair]
        filled[rows[pair]] += 1
        filled[columns[pair]] += 1
    firsts = np.full(n, _END)
    lasts = np.full(n, _END)
    for node in range(n):
        if begins[node] < begins[node + 1]:
            firsts[node], lasts[node] = begins[node], begins[node + 1] - 1
            following[lasts[node]] = _END
    return _Rows(firsts, lasts, following, others, values)


@compiled
def _first_member(node: int, parents: Int64Array) -> int:
    """Of the node's cluster; halves the way there for those who ask next."""
    while parents[node] != node:
        parents[node] = parents[parents[node]]
        node = parents[node]
    return node


@compiled
def _tidy(cluster: int, graph: _Rows, parents: Int64Array, scratch: _Scratch, look: int) -> None:
    """Leave one entry for each cluster in the row, with the sum of all that mean it, and none for itself."""
    entry, kept = graph.firsts[cluster], _END
    while entry != _END:
        other = _first_member(graph.others[entry], parents)
        after = graph.following[entry]
        if other != cluster and scratch.met_in[other] != look:
            scratch.met_in[other], scratch.met_at[other] = look, entry
            graph.others[entry] = other
            kept = entry
        else:
            if other != cluster:
                same = scratch.met_at[other]
                forbidden = graph.sums[same] == FORBIDDEN or graph.sums[entry] == FORBIDDEN
                graph.sums[same] = FORBIDDEN if forbidden else graph.sums[same] + graph.sums[entry]
            if kept == _END:
                graph.firsts[cluster] = after
            else:
                graph.following[kept] = after
        entry = after
    graph.lasts[cluster] = kept


@compiled
def _nearest(
    cluster: int, previous: int, graph: _Rows, weights: NDArray[np.float64], least: float
) -> tuple[int, float]:
    """The neighbour with the greatest mean sum, and that; -1 where none reaches `least`.

    Of equals the one before in the chain, or the chain might go round for ever; then the one with the first member.
    """
    nearest, best = -1, least
    entry = graph.firsts[cluster]
    while entry != _END:
        if graph.sums[entry] != FORBIDDEN:
            other = int(graph.others[entry])
            mean = graph.sums[entry] / (weights[cluster] * weights[other])
            preferred = other == previous or (nearest != previous and other < nearest) or nearest == -1
            if mean > best or (mean == best and preferred):
                nearest, best = other, mean
        entry = graph.following[entry]
    return nearest, best


@compiled
def _append(first: int, second: int, graph: _Rows) -> None:
    """Put the row of the second cluster behind that of the first."""
    if graph.firsts[second] == _END:
        return
    if graph.firsts[first] == _END:
        graph.firsts[first] = graph.firsts[second]
    else:
        graph.following[graph.lasts[first]] = graph.firsts[second]
    graph.lasts[first] = graph.lasts[second]

"""From proposals to the answer: exact similarities, and a proof that nothing better was left out.

A fast search rounds, and how it rounds depends on where a row lies and on what is searched beside it. So it only
proposes; what counts is computed one row at a time in float64, and more is proposed until the error of the proposals
cannot have hidden anything. The answer is then a function of query and rows alone. So it is where candidates are chosen
by integers alone, `choose`.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hub.identity_store.protocol import Neighbours
from hub.identity_store.rows import FrozenRows
from passerby.arrays import Float32Array, Int64Array

Proposals: TypeAlias = tuple[Int64Array, Float32Array]
"""Slots (n, k) and similarities (n, k), best first; where there are fewer, slots of -1."""

Propose: TypeAlias = Callable[[Float32Array, int], Proposals]
"""Queries (n, d) and k to proposals."""

Find: TypeAlias = Callable[[Float32Array, int], list[Int64Array]]
"""Queries (n, d) and a number to slots of each, at most so many, which are a function of query and rows alone."""

_FOUND_EACH, _FOUND = 2, 64
"""Candidates for each of the k nearest, and beyond: what short codes say of them is about right. Of 400,000 prototypes
of 257 axes these have all of the 64 nearest that are in the cells that were looked into."""

_SLACK = 16
_WIDER = 4


def rank(rows: FrozenRows, propose: Propose, *, queries: Float32Array, k: int, error: float) -> Neighbours:
    """The k nearest of what `propose` searches, for queries (n, d).

    `error` bounds how far a proposed similarity may be from the exact one. Empty rows or queries give empty answers.
    """
    found = Neighbours(np.full((len(queries), k), -1, np.int64), np.full((len(queries), k), -np.inf, np.float32))
    open_queries = np.arange(len(queries) if len(rows) and k else 0)
    width = k + _SLACK
    while len(open_queries):
        slots, proposed = propose(queries[open_queries], min(width, len(rows)))
        unfinished = []
        for position, query in enumerate(open_queries.tolist()):
            chosen = slots[position][slots[position] >= 0]
            ids, similarities = _ranked(rows.ids_at(chosen), rows.vectors_at(chosen), queries[query])
            whole = len(chosen) < slots.shape[1] or slots.shape[1] >= len(rows)
            if whole or similarities[k - 1] > proposed[position, -1] + error:
                found.ids[query, : len(ids)] = ids[:k]
                found.similarities[query, : len(ids)] = similarities[:k]
            else:
                unfinished.append(query)
        open_queries = np.array(unfinished, np.int64)
        width *= _WIDER
    return found


def choose(rows: FrozenRows, find: Find, *, queries: Float32Array, k: int) -> Neighbours:
    """The k nearest of those that `find` finds, for queries (n, d), of which it is asked for some times as many.

    Empty rows or queries give empty answers.
    """
    found = Neighbours(np.full((len(queries), k), -1, np.int64), np.full((len(queries), k), -np.inf, np.float32))
    open_queries = np.arange(len(queries) if len(rows) and k else 0)
    width = _FOUND_EACH * k + _FOUND
    while len(open_queries):
        every = find(queries[open_queries], min(width, len(rows)))
        slots = np.concatenate(every)
        vectors = rows.vectors_at(slots)
        bounds = np.cumsum([0, *(len(one) for one in every)]).tolist()
        unfinished = []
        for query, begin, end in zip(open_queries.tolist(), bounds[:-1], bounds[1:], strict=True):
            if end - begin < k and width < len(rows):
                unfinished.append(query)  # so many are as near as each other
                continue
            kept = begin + _most(vectors[begin:end] @ queries[query], k)
            ids, similarities = _ranked(rows.ids_at(slots[kept]), vectors[kept], queries[query])
            found.ids[query, : len(ids)] = ids[:k]
            found.similarities[query, : len(ids)] = similarities[:k]
        open_queries = np.array(unfinished, np.int64)
        width *= _WIDER
    return found


def _most(similarities: Float32Array, k: int) -> Int64Array:
    """Places of the k largest of similarities (n,), and of those that SCAN_ERROR may have kept from being so."""
    if len(similarities) <= k:
        return np.arange(len(similarities))
    least = np.partition(similarities, -k)[-k]
    return np.flatnonzero(similarities >= least - 2 * SCAN_ERROR)


def scan(rows: FrozenRows, queries: Float32Array, k: int) -> Proposals:
    """Propose by comparing with every row: exact but for the rounding of float32, `SCAN_ERROR`."""
    ids = rows.all_ids()
    slots = np.empty((len(queries), k), np.int64)
    proposed = np.empty((len(queries), k), np.float32)
    for number, query in enumerate(queries):
        similarity = np.concatenate([vectors @ query for _, vectors in rows.blocks])
        similarity[ids < 0] = -np.inf
        best = np.argpartition(-similarity, k - 1)[:k]
        slots[number] = best[np.argsort(-similarity[best], kind="stable")]
        proposed[number] = similarity[slots[number]]
    return slots, proposed


SCAN_ERROR = 1e-4
"""A float32 sum of up to 1000 products of unit vectors is nearer than this, in any order."""


def _ranked(ids: Int64Array, vectors: Float32Array, query: Float32Array) -> tuple[Int64Array, NDArray[np.float64]]:
    """These ids (n,) and the exact similarities of their vectors (n, d), best first, of equal ones the smaller id."""
    # A sum over each row on its own: a matrix product may round differently with the rows beside it.
    similarities = (vectors.astype(np.float64) * query.astype(np.float64)).sum(axis=1)
    order = np.lexsort((ids, -similarities))
    return ids[order], similarities[order]

"""Proposals from indexes that can neither delete nor change a row, as FAISS's on a GPU: in shards made anew in turn.

What changed since its shard was made is stale there: left out of what the shard proposes, and compared directly.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from hub.identity_store.ranking import Proposals, scan
from hub.identity_store.rows import BLOCK_ROWS, FREE, FrozenRows
from passerby.arrays import Float32Array, Int64Array

SHARD_SLOTS = 16 * BLOCK_ROWS
"""67 MB at 257 floats: what is copied to the device at once."""

STALE_LIMIT = 512
"""So many changes in a shard, and it is made anew at the next search."""

_MOST_ASKED = 2048
"""A search on a GPU gives no more."""

SHARD_ERROR = 3e-3
"""TF32 products change each factor by less than 2**-11 of itself."""

Place: TypeAlias = Callable[[Any], Any]
"""From a FAISS index in memory to the one that is searched: its copy on the device."""


class Shards:
    """The rows of a store by slot, SHARD_SLOTS consecutive ones in an index. Exact by `rank`; not for two threads."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._indexes: list[Any] = []
        self._slots: list[Int64Array] = []
        self._stale: list[set[int]] = []

    def note(self, slots: Int64Array) -> None:
        """Say that these slots have changed."""
        for slot in slots.tolist():
            while slot // SHARD_SLOTS >= len(self._stale):
                self._indexes.append(None)
                self._slots.append(np.zeros(0, np.int64))
                self._stale.append(set())
            self._stale[slot // SHARD_SLOTS].add(slot)

    def renew(self, rows: FrozenRows, *, stale: int = 0) -> None:
        """Make those shards anew that have more than `stale` changes: what was deleted is not on the device then."""
        for number, changed in enumerate(self._stale):
            if len(changed) > stale:
                self._renew(number, rows)

    def propose(self, rows: FrozenRows, queries: Float32Array, k: int) -> Proposals:
        """The k most similar of all `rows`, each similarity within SHARD_ERROR."""
        self.renew(rows, stale=STALE_LIMIT)
        if k + max(map(len, self._stale)) > _MOST_ASKED:
            return scan(rows, queries, k)
        parts = [self._changed(rows, queries)]
        parts += [self._of_shard(number, queries, k) for number in range(len(self._indexes))]
        slots = np.concatenate([part[0] for part in parts], axis=1)
        proposed = np.concatenate([part[1] for part in parts], axis=1)
        order = np.argsort(-proposed, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(slots, order, axis=1), np.take_along_axis(proposed, order, axis=1)

    def _renew(self, number: int, rows: FrozenRows) -> None:
        import faiss

        first = number * SHARD_SLOTS
        blocks = rows.blocks[first // BLOCK_ROWS : (first + SHARD_SLOTS) // BLOCK_ROWS]
        self._slots[number] = first + np.flatnonzero(np.concatenate([ids for ids, _ in blocks]) != FREE)
        self._indexes[number] = None  # the old one's memory first
        if len(self._slots[number]):
            index = faiss.IndexFlatIP(rows.dimension)
            for ids, vectors in blocks:
                index.add(vectors[ids != FREE])
            self._indexes[number] = self._place(index)
        self._stale[number].clear()

    def _of_shard(self, number: int, queries: Float32Array, k: int) -> Proposals:
        index, held, stale = self._indexes[number], self._slots[number], self._stale[number]
        if index is None:
            return np.zeros((len(queries), 0), np.int64), np.zeros((len(queries), 0), np.float32)
        proposed, positions = index.search(np.ascontiguousarray(queries), min(k + len(stale), len(held)))
        slots = held[positions]
        gone = np.isin(slots, np.fromiter(stale, np.int64, len(stale)))
        return np.where(gone, -1, slots), np.where(gone, np.float32(-np.inf), proposed)

    def _changed(self, rows: FrozenRows, queries: Float32Array) -> Proposals:
        stale = np.array(sorted(set().union(*self._stale)), np.int64)
        present = stale[rows.ids_at(stale) != FREE]
        similarities: Float32Array = queries @ rows.vectors_at(present).T
        return np.broadcast_to(present, similarities.shape), similarities

"""Vectors under ids, in blocks that a snapshot shares until they change."""

from dataclasses import dataclass

import numpy as np

from passerby.arrays import Float32Array, Int64Array

BLOCK_ROWS = 4096
"""Rows of a block: 4 MB at 257 floats. What a change after a snapshot copies, about a millisecond's work."""

FREE = -1
"""In place of an id: nobody is in this slot."""


@dataclass(slots=True)
class _Block:
    """`ids` (BLOCK_ROWS,) int64 and `vectors` (BLOCK_ROWS, d) float32 of consecutive slots; free ones are zero."""

    ids: Int64Array
    vectors: Float32Array
    shared: bool = False


@dataclass(frozen=True, slots=True)
class FrozenRows:
    """Rows as they were when they were frozen; slot s is row s % BLOCK_ROWS of block s // BLOCK_ROWS."""

    dimension: int
    count: int
    blocks: tuple[tuple[Int64Array, Float32Array], ...]

    def __len__(self) -> int:
        return self.count

    def ids_at(self, slots: Int64Array) -> Int64Array:
        """The ids (n,) in these slots, FREE where there is nobody."""
        if len(self.blocks) == 1:
            return self.blocks[0][0][slots]
        out = np.empty(len(slots), np.int64)
        for position, slot in enumerate(slots.tolist()):
            out[position] = self.blocks[slot // BLOCK_ROWS][0][slot % BLOCK_ROWS]
        return out

    def vectors_at(self, slots: Int64Array) -> Float32Array:
        """The vectors (n, d) in these slots, a new array."""
        if len(self.blocks) == 1:
            return self.blocks[0][1][slots]
        out = np.empty((len(slots), self.dimension), np.float32)
        if len(slots) > 16 * len(self.blocks):
            blocks = slots // BLOCK_ROWS
            for block in np.unique(blocks).tolist():
                there = np.flatnonzero(blocks == block)
                out[there] = self.blocks[block][1][slots[there] % BLOCK_ROWS]
            return out
        for position, slot in enumerate(slots.tolist()):
            out[position] = self.blocks[slot // BLOCK_ROWS][1][slot % BLOCK_ROWS]
        return out

    def all_ids(self) -> Int64Array:
        """The ids of all slots, FREE where there is nobody."""
        return np.concatenate([ids for ids, _ in self.blocks]) if self.blocks else np.zeros(0, np.int64)


class VectorRows:
    """Vectors (d,) float32 by id. A row keeps its slot for life; slots that become free are used again.

    A vector that goes or changes is overwritten at once. Memory follows the largest number there has been.
    """

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self._slots: dict[int, int] = {}
        self._free: list[int] = []
        self._blocks: list[_Block] = []
        self._frozen: FrozenRows | None = None

    def __len__(self) -> int:
        return len(self._slots)

    def __contains__(self, row_id: int) -> bool:
        return row_id in self._slots

    def slots(self, ids: Int64Array) -> Int64Array:
        """The slots (m,) of those of the ids (n,) that are here, each once, in the order of the ids."""
        found = dict.fromkeys(slot for one in ids.tolist() if (slot := self._slots.get(one)) is not None)
        return np.fromiter(found, np.int64, len(found))

    def put(self, ids: Int64Array, vectors: Float32Array) -> Int64Array:
        """Add or replace the vectors (n, d) of distinct ids (n,); returns their slots (n,)."""
        slots = np.fromiter((self._slots.get(one, FREE) for one in ids.tolist()), np.int64, len(ids))
        for position in np.flatnonzero(slots == FREE).tolist():
            slot = self._slots[int(ids[position])] = self._free.pop() if self._free else len(self._slots)
            if slot == len(self._blocks) * BLOCK_ROWS:
                self._blocks.append(_empty_block(self.dimension))
            slots[position] = slot
        self._write(slots, ids, vectors)
        return slots

    def remove(self, ids: Int64Array) -> Int64Array:
        """Forget these ids and overwrite their vectors; returns the slots (m,) that have become free."""
        slots = self.slots(ids)
        for one in ids.tolist():
            self._slots.pop(one, None)
        nobody = np.full(len(slots), FREE, np.int64)
        self._write(slots, nobody, np.zeros((len(slots), self.dimension), np.float32))
        self._free += slots.tolist()
        return slots

    def view(self) -> FrozenRows:
        """The rows for reading now: good until the next change."""
        if self._frozen is None:
            self._frozen = FrozenRows(self.dimension, len(self), tuple((b.ids, b.vectors) for b in self._blocks))
        return self._frozen

    def freeze(self) -> FrozenRows:
        """The rows of this moment, for good: what changes from now on is copied first."""
        frozen = self.view()
        for block in self._blocks:
            block.shared = True
        return frozen

    def _write(self, slots: Int64Array, ids: Int64Array, vectors: Float32Array) -> None:
        if not len(slots):
            return
        self._frozen = None
        order = np.argsort(slots, kind="stable")
        blocks = slots[order] // BLOCK_ROWS
        touched, starts = np.unique(blocks, return_index=True)
        for number, part in zip(touched.tolist(), np.split(order, starts[1:]), strict=True):
            block = self._blocks[number]
            if block.shared:
                block = self._blocks[number] = _Block(block.ids.copy(), block.vectors.copy())
            rows = slots[part] % BLOCK_ROWS
            block.ids[rows] = ids[part]
            block.vectors[rows] = vectors[part]


def _empty_block(dimension: int) -> _Block:
    return _Block(np.full(BLOCK_ROWS, FREE, np.int64), np.zeros((BLOCK_ROWS, dimension), np.float32))

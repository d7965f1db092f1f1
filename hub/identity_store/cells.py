"""Candidates from FAISS: short codes of the rows in the cells of a partition (IVF), really deleted.

A code says about where a row lies, in an eighth of the bytes that it takes to compare it, and so a search among many
is bound by neither memory nor arithmetic. What a search looks at is then compared exactly.

Which candidates there are is a function of query, rows and partition alone: codes are added up as integers, and of
those that come to as much as the last one that fits none is taken, as which of them did is chance.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hub.identity_store.codes import Codes, encoded, levels
from hub.identity_store.flat import NOWHERE, grown, one_thread, padded
from hub.identity_store.partition import Partition
from passerby.arrays import Float32Array, Int64Array


class Cells:
    """Rows by slot, in cells. Not for two threads at once."""

    def __init__(self, dimension: int, partition: Partition) -> None:
        import faiss

        one_thread()
        self.dimension = dimension
        self.partition = partition
        self._padded = -(-dimension // 2) * 2
        self._quantizer: Any = faiss.IndexFlatIP(self._padded)
        self._quantizer.add(padded(partition.centroids, self._padded))
        self._index: Any = faiss.IndexIVFPQFastScan(
            self._quantizer, self._padded, len(partition), self._padded, 4, faiss.METRIC_INNER_PRODUCT
        )
        self._index.by_residual = False  # whole vectors, not what the centroid leaves of them
        self._grid = np.ones((2, self._padded), np.float32)
        self._grid[:, :dimension] = partition.grid
        faiss.copy_array_to_vector(levels(self._grid).ravel(), self._index.pq.centroids)
        self._index.is_trained = True
        self._index.nprobe = partition.probes
        any_lists: Any = self._index.invlists
        lists: Any = faiss.downcast_InvertedLists(any_lists)
        self._lists, self._packer = lists, lists.packer
        self._cell: NDArray[np.int32] = np.full(0, NOWHERE, np.int32)
        self._offset: NDArray[np.int32] = np.full(0, NOWHERE, np.int32)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def put(self, slots: Int64Array, vectors: Float32Array) -> None:
        """Add rows (n, d) in distinct slots (n,), in place of what was there."""
        self.remove(slots)
        if not len(slots):
            return
        self._add(slots, *self._coded(vectors))

    def fill(self, parts: Iterable[tuple[Int64Array, Float32Array]]) -> None:
        """Add rows as `put` does, part by part, in slots that are all free: many times as fast."""
        coded = [(slots, *self._coded(vectors)) for slots, vectors in parts if len(slots)]
        if coded:
            slots, cells, codes = (np.concatenate(column) for column in zip(*coded, strict=True))
            self._add(slots, cells, codes)

    def remove(self, slots: Int64Array) -> None:
        """Delete the rows of these slots and overwrite them; slots that are not there are no error."""
        import faiss

        nothing = np.zeros(self._packer.code_size, np.uint8)
        code = np.empty_like(nothing)
        for slot in slots[slots < len(self._cell)].tolist():
            cell, offset = int(self._cell[slot]), int(self._offset[slot])
            if cell == NOWHERE:
                continue
            last = self._lists.list_size(cell) - 1
            labels, blocks = faiss.rev_swig_ptr(self._lists.get_ids(cell), last + 1), self._lists.get_codes(cell)
            self._offset[labels[last]] = offset
            labels[offset] = labels[last]
            self._packer.unpack_1_c(blocks, last, faiss.swig_ptr(code))
            self._packer.pack_1_c(faiss.swig_ptr(code), offset, blocks)
            self._packer.pack_1_c(faiss.swig_ptr(nothing), last, blocks)
            self._lists.resize(cell, last)
            self._cell[slot] = NOWHERE
            self._index.ntotal -= 1

    def candidates(self, queries: Float32Array, count: int) -> list[Int64Array]:
        """For each query (n, d) slots, at most `count`, of those whose codes are nearest in the cells that a search
        looks into; fewer where codes are as near as each other, all where there are no more."""
        rows = padded(queries, self._padded)
        probes = self._index.nprobe
        cells = np.empty((len(rows), probes), np.int64)
        similarities = np.empty((len(rows), probes), np.float32)
        for number in range(len(rows)):  # one at a time: FAISS rounds differently when there are twenty or more
            nearest = self._quantizer.search(rows[number : number + 1], probes)
            similarities[number], cells[number] = nearest[0][0], nearest[1][0]
        near, slots = self._index.search_preassigned(rows, count, cells, similarities)
        whole = (slots[:, -1:] < 0) | (count >= len(self))
        kept = (slots >= 0) & (whole | (near > near[:, -1:]))
        return [row[taken] for row, taken in zip(slots, kept, strict=True)]

    def _coded(self, vectors: Float32Array) -> tuple[Int64Array, Codes]:
        return self.partition.assign(vectors), encoded(padded(vectors, self._padded), self._grid)

    def _add(self, slots: Int64Array, cells: Int64Array, codes: Codes) -> None:
        self._cell, self._offset = (grown(some, int(slots.max()) + 1) for some in (self._cell, self._offset))
        order = np.argsort(cells, kind="stable")
        touched, starts, counts = np.unique(cells[order], return_index=True, return_counts=True)
        for cell, start, count in zip(touched.tolist(), starts.tolist(), counts.tolist(), strict=True):
            rows = order[start : start + count]
            size = self._lists.list_size(cell)
            self._append(cell, slots[rows], codes[rows])
            self._cell[slots[rows]], self._offset[slots[rows]] = cell, size + np.arange(count)
        self._index.ntotal += len(slots)

    def _append(self, cell: int, slots: Int64Array, codes: Codes) -> None:
        """Add codes (n, b) of these slots (n,) to a cell, in blocks as FAISS adds them up."""
        import faiss

        begin = self._lists.list_size(cell)
        end = begin + len(slots)
        self._lists.resize(cell, end)
        faiss.rev_swig_ptr(self._lists.get_ids(cell), end)[begin:] = slots
        each, size = self._packer.nvec, self._packer.block_size
        pointer = self._lists.get_codes(cell)
        blocks = faiss.rev_swig_ptr(pointer, -(-end // each) * size)
        place = begin
        while place < end:
            code = faiss.swig_ptr(codes[place - begin :])
            if place % each == 0 and place + each <= end:
                self._packer.pack_all(code, faiss.swig_ptr(blocks[place // each * size :]))
                place += each
            else:
                self._packer.pack_1_c(code, place, pointer)
                place += 1

"""Proposals from FAISS: half-precision copies of the rows in the cells of a partition (IVF), really deleted.

Deletion moves the last row of the cell into the gap and overwrites what it left, at the cost of a row: FAISS's own
`remove_ids` scans everything, keeps the bytes, and FAISS would hold a row twice when told to.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hub.identity_store.partition import Partition
from hub.identity_store.ranking import Proposals
from passerby.arrays import Float32Array, Int64Array

_NOWHERE = -1

PROPOSAL_ERROR = 6e-4
"""Half precision changes each factor by less than 2**-11 of itself, so a similarity by less than that, and rounding."""


class Cells:
    """Rows by slot, in cells; without a partition all in one, which makes it exact. Not for two threads at once."""

    def __init__(self, dimension: int, partition: Partition | None) -> None:
        import faiss

        # One thread: beside busy engines a search among a hundred prototypes took 23 ms with OpenMP's threads, which
        # wait for each other's cores, and 0.1 ms without. The setting is the calling thread's own.
        faiss.omp_set_num_threads(1)
        self.dimension = dimension
        self.partition = partition
        self._padded = -(-dimension // 16) * 16  # FAISS is four times as fast where SIMD registers are full
        self._quantizer: Any = faiss.IndexFlatIP(self._padded)
        centroids = np.zeros((1, dimension), np.float32) if partition is None else partition.centroids
        self._quantizer.add(self._pad(centroids))
        self._index: Any = faiss.IndexIVFScalarQuantizer(
            self._quantizer,
            self._padded,
            len(centroids),
            faiss.ScalarQuantizer.QT_fp16,
            faiss.METRIC_INNER_PRODUCT,
            False,  # whole vectors, not what the centroid leaves of them
        )
        self._index.is_trained = True
        self._index.nprobe = 1 if partition is None else partition.probes
        lists: Any = self._index.invlists
        self._lists: Any = faiss.downcast_InvertedLists(lists)
        self._cell: NDArray[np.int32] = np.full(0, _NOWHERE, np.int32)
        self._offset: NDArray[np.int32] = np.zeros(0, np.int32)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def put(self, slots: Int64Array, vectors: Float32Array) -> None:
        """Add rows (n, d) in distinct slots (n,), in place of what was there."""
        import faiss

        self.remove(slots)
        if not len(slots):
            return
        self._grow(int(slots.max()) + 1)
        cells = np.zeros(len(slots), np.int64) if self.partition is None else self.partition.assign(vectors)
        order = np.argsort(cells, kind="stable")
        touched, starts, counts = np.unique(cells[order], return_index=True, return_counts=True)
        sizes = np.array([self._lists.list_size(cell) for cell in touched.tolist()], np.int64)
        self._offset[slots[order]] = np.repeat(sizes - starts, counts) + np.arange(len(slots))
        self._cell[slots] = cells
        rows, labels = self._pad(vectors), np.ascontiguousarray(slots)
        self._index.add_core(len(rows), faiss.swig_ptr(rows), faiss.swig_ptr(labels), faiss.swig_ptr(cells))

    def remove(self, slots: Int64Array) -> None:
        """Delete the rows of these slots and overwrite them; slots that are not there are no error."""
        import faiss

        code_size = self._index.code_size
        for slot in slots[slots < len(self._cell)].tolist():
            cell, offset = int(self._cell[slot]), int(self._offset[slot])
            if cell == _NOWHERE:
                continue
            last = self._lists.list_size(cell) - 1
            labels = faiss.rev_swig_ptr(self._lists.get_ids(cell), last + 1)
            codes = faiss.rev_swig_ptr(self._lists.get_codes(cell), (last + 1) * code_size).reshape(-1, code_size)
            self._offset[labels[last]] = offset
            labels[offset], codes[offset] = labels[last], codes[last]
            codes[last] = 0
            self._lists.resize(cell, last)
            self._cell[slot] = _NOWHERE
            self._index.ntotal -= 1

    def propose(self, queries: Float32Array, k: int) -> Proposals:
        """The k most similar slots in the cells that a search looks into, each similarity within PROPOSAL_ERROR."""
        rows = self._pad(queries)
        probes = self._index.nprobe
        cells = np.zeros((len(rows), probes), np.int64)
        similarities = np.zeros((len(rows), probes), np.float32)
        if self.partition is not None:
            for number in range(len(rows)):  # one at a time: FAISS rounds differently when there are twenty or more
                nearest = self._quantizer.search(rows[number : number + 1], probes)
                similarities[number], cells[number] = nearest[0][0], nearest[1][0]
        proposed, slots = self._index.search_preassigned(rows, k, cells, similarities)
        return slots, proposed

    def _pad(self, vectors: Float32Array) -> Float32Array:
        out = np.zeros((len(vectors), self._padded), np.float32)
        out[:, : self.dimension] = vectors
        return out

    def _grow(self, capacity: int) -> None:
        missing = capacity - len(self._cell)
        if missing > 0:
            missing = max(missing, len(self._cell) // 2)
            self._cell = np.concatenate([self._cell, np.full(missing, _NOWHERE, np.int32)])
            self._offset = np.concatenate([self._offset, np.zeros(missing, np.int32)])

"""Proposals from FAISS by comparing with everything: half-precision copies of the rows, really deleted.

Deletion moves the last row into the gap and overwrites what it left, at the cost of a row: FAISS's own `remove_ids`
scans everything, keeps the bytes, and FAISS would hold a row twice when told to.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hub.identity_store.ranking import Proposals
from passerby.arrays import Float32Array, Int64Array

NOWHERE = -1
"""The place of a slot that is not there."""

PROPOSAL_ERROR = 6e-4
"""Half precision changes each factor by less than 2**-11 of itself, so a similarity by less than that, and rounding."""


class Flat:
    """Rows by slot. Not for two threads at once."""

    def __init__(self, dimension: int) -> None:
        import faiss

        one_thread()
        self.dimension = dimension
        self._padded = -(-dimension // 16) * 16  # FAISS is four times as fast where SIMD registers are full
        self._quantizer: Any = faiss.IndexFlatIP(self._padded)
        self._quantizer.add(np.zeros((1, self._padded), np.float32))
        self._index: Any = faiss.IndexIVFScalarQuantizer(
            self._quantizer,
            self._padded,
            1,
            faiss.ScalarQuantizer.QT_fp16,
            faiss.METRIC_INNER_PRODUCT,
            False,  # whole vectors, not what a centroid leaves of them
        )
        self._index.is_trained = True
        lists: Any = self._index.invlists
        self._lists: Any = faiss.downcast_InvertedLists(lists)
        self._place: NDArray[np.int32] = np.full(0, NOWHERE, np.int32)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def put(self, slots: Int64Array, vectors: Float32Array) -> None:
        """Add rows (n, d) in distinct slots (n,), in place of what was there."""
        import faiss

        self.remove(slots)
        if not len(slots):
            return
        self._place = grown(self._place, int(slots.max()) + 1)
        self._place[slots] = len(self) + np.arange(len(slots))
        rows, labels, lists = padded(vectors, self._padded), np.ascontiguousarray(slots), np.zeros(len(slots), np.int64)
        self._index.add_core(len(rows), faiss.swig_ptr(rows), faiss.swig_ptr(labels), faiss.swig_ptr(lists))

    def fill(self, parts: Iterable[tuple[Int64Array, Float32Array]]) -> None:
        """Add rows as `put` does, part by part."""
        for slots, vectors in parts:
            self.put(slots, vectors)

    def remove(self, slots: Int64Array) -> None:
        """Delete the rows of these slots and overwrite them; slots that are not there are no error."""
        import faiss

        for slot in slots[slots < len(self._place)].tolist():
            place = int(self._place[slot])
            if place == NOWHERE:
                continue
            last = len(self) - 1
            labels = faiss.rev_swig_ptr(self._lists.get_ids(0), last + 1)
            size = self._index.code_size
            codes = faiss.rev_swig_ptr(self._lists.get_codes(0), (last + 1) * size).reshape(-1, size)
            self._place[labels[last]] = place
            labels[place], codes[place] = labels[last], codes[last]
            codes[last] = 0
            self._lists.resize(0, last)
            self._place[slot] = NOWHERE
            self._index.ntotal -= 1

    def propose(self, queries: Float32Array, k: int) -> Proposals:
        """The k most similar slots, each similarity within PROPOSAL_ERROR."""
        rows = padded(queries, self._padded)
        everything = np.zeros((len(rows), 1), np.int64)
        proposed, slots = self._index.search_preassigned(rows, k, everything, np.zeros((len(rows), 1), np.float32))
        return slots, proposed


def one_thread() -> None:
    """Let FAISS work in the calling thread alone.

    Beside busy engines a search among a hundred prototypes took 23 ms with OpenMP's threads, which wait for each
    other's cores, and 0.1 ms without. The setting is the calling thread's own.
    """
    import faiss

    faiss.omp_set_num_threads(1)


def padded(vectors: Float32Array, dimension: int) -> Float32Array:
    """Vectors (n, d) with zeros behind them, (n, dimension): a new array."""
    out = np.zeros((len(vectors), dimension), np.float32)
    out[:, : vectors.shape[1]] = vectors
    return out


def grown(places: NDArray[np.int32], capacity: int) -> NDArray[np.int32]:
    """Places by slot (n,) with room for at least `capacity` slots, the new ones NOWHERE."""
    missing = capacity - len(places)
    if missing <= 0:
        return places
    return np.concatenate([places, np.full(max(missing, len(places) // 2), NOWHERE, np.int32)])

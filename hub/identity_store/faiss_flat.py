"""The store in FAISS: a flat inner-product index under explicit ids.

Flat, because it is exact and can delete: HNSW cannot. IndexIDMap2 would keep two rows under one id when told to, and
removes by scanning all, so this class knows its ids and deletes and adds in batches.
"""

import importlib.util
from typing import Any

import numpy as np

from hub.identity_store.protocol import Neighbours, UnitVectors, last_of_each, require_same_space
from passerby.arrays import Int64Array
from passerby.errors import StoreError
from passerby.ids import ModelId


def faiss_available() -> bool:
    """Whether one of the two builds of FAISS is installed."""
    return importlib.util.find_spec("faiss") is not None


class FaissStore:
    """IndexIDMap2 over IndexFlatIP. Raises StoreError where FAISS is not installed."""

    def __init__(self, model_id: ModelId, dimension: int) -> None:
        try:
            import faiss
        except ImportError as error:
            raise StoreError(
                "FAISS is not installed: pip install 'passerby[faiss-cpu]' (or 'passerby[faiss-gpu]'), one of the two"
            ) from error
        # One thread: beside busy engines a search among a hundred prototypes took 23 ms with OpenMP's threads, which
        # wait for each other's cores, and 0.1 ms without.
        faiss.omp_set_num_threads(1)
        self._model_id = model_id
        self._dimension = dimension
        self._ids: set[int] = set()
        self._index: Any = faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))

    @property
    def model_id(self) -> ModelId:
        return self._model_id

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def __contains__(self, prototype_id: int) -> bool:
        return prototype_id in self._ids

    def put(self, ids: Int64Array, vectors: UnitVectors) -> None:
        require_same_space(vectors, model_id=self._model_id, dimension=self._dimension)
        kept = last_of_each(ids)
        if not len(kept):
            return
        unique = np.ascontiguousarray(ids[kept])
        self.remove(unique)
        self._index.add_with_ids(np.ascontiguousarray(vectors.rows[kept]), unique)
        self._ids.update(unique.tolist())

    def remove(self, ids: Int64Array) -> None:
        present = sorted(self._ids.intersection(ids.tolist()))
        if present:
            self._index.remove_ids(np.array(present, np.int64))
            self._ids.difference_update(present)

    def search(self, queries: UnitVectors, *, k: int) -> Neighbours:
        require_same_space(queries, model_id=self._model_id, dimension=self._dimension)
        if not len(queries):
            return Neighbours(np.zeros((0, k), np.int64), np.zeros((0, k), np.float32))
        similarities, ids = self._index.search(np.ascontiguousarray(queries.rows), k)
        similarities[ids < 0] = -np.inf
        return Neighbours(ids, similarities)

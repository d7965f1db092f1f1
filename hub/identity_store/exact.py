"""The store in plain NumPy: exact, no extra library, fast enough for the prototypes of a small site."""

import numpy as np

from hub.identity_store.protocol import Neighbours, UnitVectors, last_of_each, require_same_space
from passerby.arrays import Float32Array, Int64Array
from passerby.ids import ModelId


class ExactStore:
    """Compares each query with every prototype. Memory: 4 d bytes a prototype."""

    def __init__(self, model_id: ModelId, dimension: int) -> None:
        self._model_id = model_id
        self._dimension = dimension
        self._vectors: dict[int, Float32Array] = {}

    @property
    def model_id(self) -> ModelId:
        return self._model_id

    def __len__(self) -> int:
        return len(self._vectors)

    def __contains__(self, prototype_id: int) -> bool:
        return prototype_id in self._vectors

    def put(self, ids: Int64Array, vectors: UnitVectors) -> None:
        require_same_space(vectors, model_id=self._model_id, dimension=self._dimension)
        for position in last_of_each(ids):
            self._vectors[int(ids[position])] = vectors.rows[position].copy()

    def remove(self, ids: Int64Array) -> None:
        for prototype_id in ids:
            self._vectors.pop(int(prototype_id), None)

    def search(self, queries: UnitVectors, *, k: int) -> Neighbours:
        require_same_space(queries, model_id=self._model_id, dimension=self._dimension)
        found = Neighbours(np.full((len(queries), k), -1, np.int64), np.full((len(queries), k), -np.inf, np.float32))
        if not self._vectors or not len(queries):
            return found
        ids = np.fromiter(self._vectors, np.int64, len(self._vectors))
        similarity = queries.rows @ np.stack(list(self._vectors.values())).T
        order = np.lexsort((np.broadcast_to(ids, similarity.shape), -similarity), axis=1)[:, :k]
        found.ids[:, : order.shape[1]] = ids[order]
        found.similarities[:, : order.shape[1]] = np.take_along_axis(similarity, order, axis=1)
        return found

"""The store in plain NumPy: compares with everything, needs no extra library, fast enough for a small site."""

from functools import partial

from hub.identity_store.protocol import Neighbours, UnitVectors, last_of_each, require_same_space
from hub.identity_store.ranking import SCAN_ERROR, rank, scan
from hub.identity_store.rows import VectorRows
from hub.identity_store.snapshot import Snapshot
from passerby.arrays import Int64Array
from passerby.errors import StoreError
from passerby.ids import ModelId


class ExactStore:
    """Compares each query with every prototype. Memory: 4 d bytes a prototype and about 120 more."""

    structure = b""

    def __init__(self, model_id: ModelId, dimension: int) -> None:
        self._model_id = model_id
        self._rows = VectorRows(dimension)

    @property
    def model_id(self) -> ModelId:
        return self._model_id

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, prototype_id: int) -> bool:
        return prototype_id in self._rows

    def put(self, ids: Int64Array, vectors: UnitVectors) -> None:
        require_same_space(vectors, model_id=self._model_id, dimension=self._rows.dimension)
        kept = last_of_each(ids, vectors)
        self._rows.put(ids[kept], vectors.rows[kept])

    def remove(self, ids: Int64Array) -> None:
        self._rows.remove(ids)

    def erase(self, ids: Int64Array) -> None:
        self.remove(ids)

    def search(self, queries: UnitVectors, *, k: int) -> Neighbours:
        require_same_space(queries, model_id=self._model_id, dimension=self._rows.dimension)
        rows = self._rows.view()
        return rank(rows, partial(scan, rows), queries=queries.rows, k=k, error=SCAN_ERROR)

    def snapshot(self) -> Snapshot:
        return Snapshot(self._model_id, self._rows.freeze())

    def restore_structure(self, structure: bytes) -> None:  # noqa: ARG002  (any will do: none is needed)
        if len(self):
            raise StoreError(f"the structure of {self._model_id} came after {len(self)} prototypes; restore it first")

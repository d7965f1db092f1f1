"""The store in FAISS: compares with everything while that is fast, then at short codes in the likeliest cells (IVF).

Not HNSW: it cannot delete, what it answers depends on the order of its history, and building it anew after a restart
takes 20 times as long. Cells delete, and answer by their contents, and by centroids and grid, which `structure` keeps.

How the store reorganizes itself depends on nothing but structure and contents at a search: at twice the prototypes
that the present cells were made for the next centroids are made (an array small enough to do it at once), the rows go
into the next cells in the background, and 5% more prototypes later those are searched, waited for if need be. So
neither threads nor a restart can change an answer.
"""

import importlib.util

from hub.identity_store.cells import Cells
from hub.identity_store.flat import PROPOSAL_ERROR, Flat
from hub.identity_store.growing import Growth, fill
from hub.identity_store.partition import FLAT_ROWS, Partition, train
from hub.identity_store.protocol import Neighbours, UnitVectors, last_of_each, require_same_space
from hub.identity_store.ranking import choose, rank
from hub.identity_store.rows import BLOCK_ROWS, VectorRows
from hub.identity_store.snapshot import Snapshot
from hub.identity_store.structure import Structure, pack, unpack
from passerby.arrays import Int64Array
from passerby.errors import StoreError
from passerby.ids import ModelId


def faiss_available() -> bool:
    """Whether one of the two builds of FAISS is installed."""
    return importlib.util.find_spec("faiss") is not None


def require_faiss() -> None:
    """Raise StoreError where FAISS is not installed."""
    if not faiss_available():
        raise StoreError(
            "FAISS is not installed: pip install 'passerby[faiss-cpu]' (or 'passerby[faiss-gpu]'), one of the two"
        )


class FaissStore:
    """Exact below 32,768 prototypes, then 96% of the 64 nearest or more. Raises StoreError where there is no FAISS.

    Memory: 4 d bytes a prototype, d / 2 in the cells (2 d while it is exact), and about 150 more; an eighth more while
    it reorganizes.
    """

    def __init__(self, model_id: ModelId, dimension: int) -> None:
        require_faiss()
        self._model_id = model_id
        self._rows = VectorRows(dimension)
        self._cells: Flat | Cells = Flat(dimension)
        self._growth: Growth | None = None
        self._arranged = Structure()
        self._packed = b""

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
        rows = vectors.rows if len(kept) == len(ids) else vectors.rows[kept]
        slots = self._rows.put(ids[kept], rows)
        if len(kept) > max(BLOCK_ROWS, len(self._rows) // 2):
            # All anew, as when camera statistics have moved: filling is 20 times as fast as replacing.
            self._cells = self._empty()
            fill(self._cells, self._rows.view())
        else:
            self._cells.put(slots, rows)
        if self._growth is not None:
            self._growth.note(slots, self._rows.view())

    def remove(self, ids: Int64Array) -> None:
        slots = self._rows.remove(ids)
        self._cells.remove(slots)
        if self._growth is not None:
            self._growth.note(slots, self._rows.view())

    def erase(self, ids: Int64Array) -> None:
        if self._growth is not None:
            self._growth.stop()
            self._growth = None  # begins again with the next search
        self.remove(ids)

    def search(self, queries: UnitVectors, *, k: int) -> Neighbours:
        require_same_space(queries, model_id=self._model_id, dimension=self._rows.dimension)
        self._arrange()
        rows, cells = self._rows.view(), self._cells
        if isinstance(cells, Flat):
            return rank(rows, cells.propose, queries=queries.rows, k=k, error=PROPOSAL_ERROR)
        return choose(rows, cells.candidates, queries=queries.rows, k=k)

    def snapshot(self) -> Snapshot:
        return Snapshot(self._model_id, self._rows.freeze())

    @property
    def structure(self) -> bytes:
        return self._packed

    def restore_structure(self, structure: bytes) -> None:
        if len(self):
            raise StoreError(f"the structure of {self._model_id} came after {len(self)} prototypes; restore it first")
        self._take(unpack(structure, self._rows.dimension))
        self._cells = self._empty()

    def _empty(self) -> Flat | Cells:
        current = self._arranged.current
        return Flat(self._rows.dimension) if current is None else Cells(self._rows.dimension, current)

    def _take(self, structure: Structure) -> None:
        self._arranged = structure
        self._packed = pack(structure, self._rows.dimension)

    def _arrange(self) -> None:
        count, current = len(self), self._arranged.current
        made_for = FLAT_ROWS // 2 if current is None else current.trained_at
        if self._arranged.following is None and count >= 2 * made_for:
            following = train(self._rows.view())
            if count < 4 * made_for:
                self._take(Structure(current, following))
            else:  # so many came at once: nobody can want to search them as they lie
                self._take(Structure(following))
                self._cells = Cells(self._rows.dimension, following)
                fill(self._cells, self._rows.view())
        self._go_on(self._arranged.following)

    def _go_on(self, following: Partition | None) -> None:
        if following is None:
            return
        growth = self._growth or Growth(following, self._rows.freeze())
        if len(self) < following.trained_at * 21 // 20:
            self._growth = growth
            return
        self._growth = None  # should it fail, the next search begins again
        self._cells = growth.finish(self._rows.view())
        self._take(Structure(following))

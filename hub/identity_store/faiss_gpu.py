"""The store in FAISS on an NVIDIA GPU: compares with everything, as a million rows are a millisecond's work there."""

import importlib
from functools import partial
from typing import Any

from hub.identity_store.faiss_store import faiss_available, require_faiss
from hub.identity_store.protocol import Neighbours, UnitVectors, last_of_each, require_same_space
from hub.identity_store.ranking import rank
from hub.identity_store.rows import VectorRows
from hub.identity_store.shards import SHARD_ERROR, Place, Shards
from hub.identity_store.snapshot import Snapshot
from passerby.arrays import Int64Array
from passerby.errors import StoreError
from passerby.ids import ModelId

_TEMPORARY_BYTES = 64 * 2**20
"""FAISS would take 1.5 GB of a GPU that engines share."""


def gpu_available() -> bool:
    """Whether the build of FAISS that is installed knows GPUs, and there is one."""
    if not faiss_available():
        return False
    faiss: Any = importlib.import_module("faiss")
    return hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus() > 0


def on_gpu() -> Place:
    """Places indexes on the first GPU. Raises StoreError where there is none that FAISS can use."""
    require_faiss()
    if not gpu_available():
        raise StoreError(
            "FAISS finds no GPU: pip install 'passerby[faiss-gpu]' in place of faiss-cpu, or use FaissStore"
        )
    faiss: Any = importlib.import_module("faiss")
    resources = faiss.StandardGpuResources()
    resources.setTempMemory(_TEMPORARY_BYTES)
    return partial(faiss.index_cpu_to_gpu, resources, 0)


class FaissGpuStore:
    """Exact at any size that fits: 4 d bytes a prototype on the GPU, and in memory as ExactStore.

    What is removed stays on the GPU, where nothing finds it, for at most 512 more changes of the 65,536 prototypes
    around it; `erase` makes those anew at once. `place` is for other devices than the first GPU.
    """

    structure = b""

    def __init__(self, model_id: ModelId, dimension: int, *, place: Place | None = None) -> None:
        self._model_id = model_id
        self._rows = VectorRows(dimension)
        self._shards = Shards(place or on_gpu())

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
        self._shards.note(self._rows.put(ids[kept], vectors.rows[kept]))

    def remove(self, ids: Int64Array) -> None:
        self._shards.note(self._rows.remove(ids))

    def erase(self, ids: Int64Array) -> None:
        self.remove(ids)
        self._shards.renew(self._rows.view())

    def search(self, queries: UnitVectors, *, k: int) -> Neighbours:
        require_same_space(queries, model_id=self._model_id, dimension=self._rows.dimension)
        rows = self._rows.view()
        return rank(rows, partial(self._shards.propose, rows), queries=queries.rows, k=k, error=SHARD_ERROR)

    def snapshot(self) -> Snapshot:
        return Snapshot(self._model_id, self._rows.freeze())

    def restore_structure(self, structure: bytes) -> None:  # noqa: ARG002  (any will do: none is needed)
        if len(self):
            raise StoreError(f"the structure of {self._model_id} came after {len(self)} prototypes; restore it first")

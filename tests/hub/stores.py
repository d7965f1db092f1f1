"""The stores that all answer alike: those in memory, and that on a GPU where there is one."""

from typing import Any

import pytest

from hub.identity_store import ExactStore, FaissGpuStore, FaissStore, StoreFactory, gpu_available
from hub.identity_store.faiss_gpu import on_gpu
from passerby.ids import ModelId

ON_A_GPU = gpu_available()


def in_memory(index: Any) -> Any:
    """Where an index of the store for GPUs lies when it is on none."""
    return index


def sharded(model_id: ModelId, dimension: int) -> FaissGpuStore:
    """The store for GPUs, with indexes that stay in memory: all of it but the device."""
    return FaissGpuStore(model_id, dimension, place=in_memory)


STORES: tuple[StoreFactory, ...] = (ExactStore, FaissStore, sharded, *([FaissGpuStore] if ON_A_GPU else []))

STORE_PARAMS = [pytest.param(one, marks=pytest.mark.gpu if one is FaissGpuStore else ()) for one in STORES]

PLACES = [
    pytest.param(lambda: in_memory, id="memory"),
    *([pytest.param(on_gpu, id="gpu", marks=pytest.mark.gpu)] if ON_A_GPU else []),
]
"""What gives the places where indexes of the store for GPUs can lie."""

"""The stores that all answer alike: those in memory, and that on a GPU where there is one."""

import pytest

from hub.identity_store import ExactStore, FaissGpuStore, FaissStore, StoreFactory, gpu_available
from passerby.ids import ModelId


def sharded(model_id: ModelId, dimension: int) -> FaissGpuStore:
    """The store for GPUs, with indexes that stay in memory: all of it but the device."""
    return FaissGpuStore(model_id, dimension, place=lambda index: index)


STORES: tuple[StoreFactory, ...] = (
    ExactStore,
    FaissStore,
    sharded,
    *([FaissGpuStore] if gpu_available() else []),
)

STORE_PARAMS = [pytest.param(one, marks=pytest.mark.gpu if one is FaissGpuStore else ()) for one in STORES]

"""Which store this machine runs best."""

from collections.abc import Callable
from typing import TypeAlias

from hub.identity_store.exact import ExactStore
from hub.identity_store.faiss_gpu import FaissGpuStore, gpu_available
from hub.identity_store.faiss_store import FaissStore, faiss_available
from hub.identity_store.protocol import IdentityStore
from passerby.ids import ModelId

StoreFactory: TypeAlias = Callable[[ModelId, int], IdentityStore]
"""From a model and the length of its vectors to an empty store."""


def best_store() -> StoreFactory:
    """FAISS on a GPU, else FAISS, else NumPy: the same answers below 32,768 prototypes, and slower ones."""
    if gpu_available():
        return FaissGpuStore
    return FaissStore if faiss_available() else ExactStore

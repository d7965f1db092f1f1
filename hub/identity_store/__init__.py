"""Where prototypes are searched: one protocol, FAISS, and an exact NumPy twin with the same answers."""

from hub.identity_store.choosing import StoreFactory, best_store
from hub.identity_store.exact import ExactStore
from hub.identity_store.faiss_gpu import FaissGpuStore, gpu_available
from hub.identity_store.faiss_store import FaissStore, faiss_available
from hub.identity_store.protocol import IdentityStore, Neighbours, SearchableSnapshot, UnitVectors

__all__ = [
    "ExactStore",
    "FaissGpuStore",
    "FaissStore",
    "IdentityStore",
    "Neighbours",
    "SearchableSnapshot",
    "StoreFactory",
    "UnitVectors",
    "best_store",
    "faiss_available",
    "gpu_available",
]

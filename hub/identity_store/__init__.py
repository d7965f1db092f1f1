"""Where prototypes are searched: one protocol, FAISS, and an exact NumPy twin with the same answers."""

from hub.identity_store.exact import ExactStore
from hub.identity_store.faiss_store import FaissStore, faiss_available
from hub.identity_store.protocol import IdentityStore, Neighbours, SearchableSnapshot, UnitVectors

__all__ = [
    "ExactStore",
    "FaissStore",
    "IdentityStore",
    "Neighbours",
    "SearchableSnapshot",
    "UnitVectors",
    "faiss_available",
]

"""Where prototypes are searched: one protocol, FAISS, and an exact NumPy twin with the same answers."""

from hub.identity_store.exact import ExactStore
from hub.identity_store.faiss_flat import FaissStore, faiss_available
from hub.identity_store.protocol import IdentityStore, Neighbours, UnitVectors

__all__ = ["ExactStore", "FaissStore", "IdentityStore", "Neighbours", "UnitVectors", "faiss_available"]

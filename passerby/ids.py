"""The names of things, as types, so that a checker keeps them apart."""

from typing import NewType

CameraId = NewType("CameraId", str)
"""The key of the camera in the site file."""

EdgeId = NewType("EdgeId", str)
"""The ZAP user id of an edge's CURVE key: proven by the key, never claimed in a message."""

BootId = NewType("BootId", bytes)
"""16 bytes, new each time an edge process starts; sequence numbers count within it."""

TrackletId = NewType("TrackletId", int)
"""Given by the edge, from 1, never used again within a boot. Global name: (boot id, tracklet id)."""

IdentityId = NewType("IdentityId", int)
"""One person over all cameras, given by the hub, from 1, never used again."""

ModelId = NewType("ModelId", str)
"""`name@version`: an embedding space. Embeddings of different model ids are never compared."""

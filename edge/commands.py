"""What the hub asks of a camera: whether it needs a new connection."""

import msgspec

from passerby.config import CameraSettings

REGION_KEYS = frozenset({"zones", "masks", "min_person_height"})
"""Settings that change without closing the camera's tracklets."""


def only_region_changed(before: CameraSettings, after: CameraSettings) -> bool:
    """Whether nothing differs but who counts: tracking goes on."""
    old, new = msgspec.structs.asdict(before), msgspec.structs.asdict(after)
    return all(old[key] == new[key] for key in old if key not in REGION_KEYS)

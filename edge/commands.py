"""What the hub asks of a camera, as new settings."""

from collections.abc import Mapping
from typing import Any

import msgspec

from passerby.config import CameraSettings
from passerby.errors import ConfigError
from passerby.ids import CameraId
from passerby.redaction import redact

REGION_KEYS = frozenset({"zones", "masks", "min_person_height"})
"""Settings that change without closing the camera's tracklets."""


def changed_settings(camera_id: CameraId, current: CameraSettings | None, changes: Mapping[str, Any]) -> CameraSettings:
    """`current` with `changes`, keys of a camera in the site file; without `current` a new camera, which needs `url`.

    Raises ConfigError with the key and what was expected.

    >>> changed_settings(CameraId("hall"), CameraSettings(url="hall.mp4"), {"fps": 2.0}).fps
    2.0
    """
    before = {} if current is None else msgspec.structs.asdict(current)
    try:
        return msgspec.convert({**before, **changes}, CameraSettings)
    except msgspec.ValidationError as error:
        raise ConfigError(f"camera {camera_id}: {redact(str(error))}") from None


def only_region_changed(before: CameraSettings, after: CameraSettings) -> bool:
    """Whether nothing differs but who counts: tracking goes on."""
    old, new = msgspec.structs.asdict(before), msgspec.structs.asdict(after)
    return all(old[key] == new[key] for key in old if key not in REGION_KEYS)

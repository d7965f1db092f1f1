"""A camera's settings with some of them changed."""

from collections.abc import Mapping
from typing import Any

import msgspec

from passerby.config.settings import CameraSettings
from passerby.errors import ConfigError
from passerby.ids import CameraId
from passerby.redaction import redact


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

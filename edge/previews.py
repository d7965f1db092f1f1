"""Live pictures for whoever watches: encoded only then, and only as often as somebody can look."""

import cv2
import numpy as np

from edge.frames import Frame
from edge.tracklets import jpeg
from passerby.ids import CameraId
from passerby.messages import Preview

_MAX_WIDTH = 960
_QUALITY = 75
_INTERVAL_S = 0.4
_LONGEST_S = 3600.0


class Previews:
    """Which cameras are watched, and until when. Times are seconds of a monotonic clock, given by the caller."""

    def __init__(self) -> None:
        self._until: dict[CameraId, float] = {}
        self._last: dict[CameraId, float] = {}

    def ask(self, camera_id: CameraId, seconds: float, *, now: float) -> None:
        """Send previews of the camera for so long, at most an hour; 0 to stop."""
        if seconds > 0:
            self._until[camera_id] = now + min(seconds, _LONGEST_S)
        else:
            self.forget(camera_id)

    def forget(self, camera_id: CameraId) -> None:
        """The camera is gone."""
        self._until.pop(camera_id, None)
        self._last.pop(camera_id, None)

    def preview(self, frame: Frame, *, now: float) -> Preview | None:
        """The frame as a preview, if its camera is watched and the last one is old enough."""
        camera_id = frame.camera_id
        if now >= self._until.get(camera_id, now) or now - self._last.get(camera_id, -_INTERVAL_S) < _INTERVAL_S:
            return None
        self._last[camera_id] = now
        height, width = frame.image.shape[:2]
        image = frame.image
        if width > _MAX_WIDTH:
            size = (_MAX_WIDTH, max(1, round(height * _MAX_WIDTH / width)))
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        return Preview(camera_id=camera_id, captured_at_ns=frame.captured_at_ns, jpeg=jpeg(image, quality=_QUALITY))

"""Live pictures for whoever watches, with who is in them: encoded only then, and only as often as somebody can look."""

from collections.abc import Iterable

import cv2
import numpy as np

from edge.frames import Frame
from edge.tracklets import jpeg
from passerby.arrays import Float32Array
from passerby.ids import CameraId, TrackletId
from passerby.messages import Marked, Preview

TRAILS_NS = 300_000_000
"""Whom the detector misses for so long is still marked, where they were seen last."""

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

    def preview(self, frame: Frame, people: Iterable[tuple[TrackletId, Float32Array]], *, now: float) -> Preview | None:
        """The frame as a preview, if its camera is watched and the last one is old enough.

        `people` are in it: boxes (4,) float32 xyxy in its pixels.
        """
        camera_id = frame.camera_id
        if now >= self._until.get(camera_id, now) or now - self._last.get(camera_id, -_INTERVAL_S) < _INTERVAL_S:
            return None
        self._last[camera_id] = now
        height, width = frame.image.shape[:2]
        image, scale = frame.image, min(1.0, _MAX_WIDTH / width)
        if scale < 1.0:
            size = (_MAX_WIDTH, max(1, round(height * scale)))
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        return Preview(
            camera_id=camera_id,
            captured_at_ns=frame.captured_at_ns,
            jpeg=jpeg(image, quality=_QUALITY),
            people=[_marked(tracklet_id, box * scale) for tracklet_id, box in people],
        )


def _marked(tracklet_id: TrackletId, box_xyxy: Float32Array) -> Marked:
    left, top, right, bottom = np.maximum(box_xyxy, 0.0).round(1).tolist()
    return Marked(tracklet_id=tracklet_id, box_xyxy=(left, top, right, bottom))

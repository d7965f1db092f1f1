"""Live pictures for whoever watches, with who is in them: encoded only then, and only as often as somebody can look."""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from edge.frames import Frame
from edge.tracklets import jpeg
from passerby.arrays import Float32Array, Image
from passerby.codec import MAX_PART_BYTES
from passerby.ids import CameraId, TrackletId
from passerby.messages import Marked, Preview

TRAILS_NS = 300_000_000
"""Whom the detector misses for so long is still marked, where they were seen last."""

_LONGEST_S = 3600.0


@dataclass(frozen=True, slots=True)
class _Kind:
    max_width: int
    quality: int
    interval_s: float


_SMALL = _Kind(max_width=960, quality=75, interval_s=0.4)
_FULL = _Kind(max_width=3840, quality=90, interval_s=0.8)
"""For who cuts somebody out of it. A picture of 1920x1080 is five times as many bytes as a small one."""


class Previews:
    """Which cameras are watched, and until when. Times are seconds of a monotonic clock, given by the caller."""

    def __init__(self) -> None:
        self._until: dict[CameraId, tuple[float, _Kind]] = {}
        self._last: dict[CameraId, float] = {}

    def ask(self, camera_id: CameraId, seconds: float, *, now: float, full: bool = False) -> None:
        """Send previews of the camera for so long, at most an hour, `full` ones in the camera's size; 0 to stop."""
        if seconds > 0:
            self._until[camera_id] = now + min(seconds, _LONGEST_S), _FULL if full else _SMALL
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
        until, kind = self._until.get(camera_id, (now, _SMALL))
        if now >= until or now - self._last.get(camera_id, float("-inf")) < kind.interval_s:
            return None
        self._last[camera_id] = now
        encoded, scale = _encoded(frame.image, kind)
        if len(encoded) > MAX_PART_BYTES:
            encoded, scale = _encoded(frame.image, _SMALL)
        return Preview(
            camera_id=camera_id,
            captured_at_ns=frame.captured_at_ns,
            jpeg=encoded,
            people=[_marked(tracklet_id, box * scale) for tracklet_id, box in people],
        )


def _encoded(image: Image, kind: _Kind) -> tuple[bytes, float]:
    """As JPEG, and by how much it was made smaller."""
    height, width = image.shape[:2]
    scale = min(1.0, kind.max_width / width)
    if scale < 1.0:
        size = (kind.max_width, max(1, round(height * scale)))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return jpeg(image, quality=kind.quality), scale


def _marked(tracklet_id: TrackletId, box_xyxy: Float32Array) -> Marked:
    left, top, right, bottom = np.maximum(box_xyxy, 0.0).round(1).tolist()
    return Marked(tracklet_id=tracklet_id, box_xyxy=(left, top, right, bottom))

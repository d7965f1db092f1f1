"""One picture of one camera."""

from dataclasses import dataclass

from passerby.arrays import Image
from passerby.ids import CameraId
from passerby.messages import Clock


@dataclass(frozen=True, slots=True)
class Frame:
    """A decoded picture that is to be looked at.

    `frame_number` is the source's own count from 1: pictures that the frame-rate limit passed over are counted too.
    `captured_at_ns` (Unix nanoseconds, UTC) grows strictly from frame to frame of one camera, unless a clock was set
    back by more than `edge.sources.clocks.SET_BACK_NS`; `clock` says where it comes from and how far it may be trusted.
    `image` is (height, width, 3) uint8 BGR, not to be written to.
    """

    camera_id: CameraId
    frame_number: int
    captured_at_ns: int
    clock: Clock
    image: Image

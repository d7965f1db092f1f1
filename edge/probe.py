"""What a camera's stream is, and whether people in it are large enough to be recognized."""

import statistics
import time
from dataclasses import dataclass, field

import numpy as np

from edge.sources import open_source
from edge.sources.opening import is_live
from edge.sources.source import StreamInfo
from passerby.arrays import Detections, Float32Array, Image
from passerby.config import CameraSettings
from passerby.ids import CameraId
from passerby.inference import DetectionEngine
from passerby.messages import Clock

MIN_PERSON_HEIGHT = 64
"""Pixels; below it re-ID networks, which see 256 x 128, tell people apart hardly better than by chance."""

GOOD_PERSON_HEIGHT = 128

_CAMERA = CameraId("probe")
_LOOKS = 12
_SURE = 0.5
_MIN_FPS = 2.0
_LONG_GOP_S = 4.0


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """What was found. 0 or None where it could not be."""

    stream: StreamInfo
    first_picture_s: float
    """Seconds from the first connection attempt to the first picture."""
    keyframe_interval_s: float | None
    bits_per_second: int
    """As measured; the stream's own statement is in `stream`."""
    clock: Clock | None
    frames_looked_at: int
    people_seen: int
    median_person_height: int | None
    """Pixels."""
    usable: bool
    verdict: str
    picture: Image | None = field(default=None, compare=False, repr=False)
    """Of those looked at, the one with the most people."""
    seen: tuple[Float32Array, ...] = field(default=(), compare=False, repr=False)
    """Of each picture that was looked at the people (n, 4), boxes xyxy as fractions of the picture."""


def probe(settings: CameraSettings, detector: DetectionEngine, *, seconds: float) -> ProbeReport:
    """Connect and look at some pictures, for `seconds` at most.

    Raises the SourceErrors of `edge.sources.open_source`, and those of a stream that breaks off.
    """
    began = time.monotonic()
    frames = 0
    clock: Clock | None = None
    heights: list[float] = []
    seen: list[Float32Array] = []
    picture, most = None, -1
    first_picture_s = 0.0
    with open_source(_CAMERA, settings, realtime=False) as source:
        for frame in source:
            first_picture_s = first_picture_s or time.monotonic() - began
            frames, clock = frames + 1, frame.clock
            boxes = _sure_boxes(detector.detect([frame.image])[0])
            heights += (boxes[:, 3] - boxes[:, 1]).tolist()
            rows, columns = frame.image.shape[:2]
            seen.append((boxes / (columns, rows, columns, rows)).astype(np.float32))
            if len(boxes) > most:
                picture, most = frame.image, len(boxes)
            if frames == _LOOKS or time.monotonic() - began > seconds:
                break
        info, traffic = source.info, source.traffic
    median = round(statistics.median(heights)) if heights else None
    live = is_live(settings.url)
    usable, verdict = judge(
        median_height=median,
        frames=frames,
        fps=info.fps,
        keyframe_interval_s=traffic.keyframe_interval_s if live else None,
    )
    return ProbeReport(
        stream=info,
        first_picture_s=first_picture_s,
        keyframe_interval_s=traffic.keyframe_interval_s,
        bits_per_second=traffic.bits_per_second,
        clock=clock,
        frames_looked_at=frames,
        people_seen=len(heights),
        median_person_height=median,
        usable=usable,
        verdict=verdict,
        picture=picture,
        seen=tuple(seen),
    )


def judge(*, median_height: int | None, frames: int, fps: float, keyframe_interval_s: float | None) -> tuple[bool, str]:
    """(usable for re-ID, why, in words).

    >>> judge(median_height=41, frames=12, fps=25.0, keyframe_interval_s=None)[1]
    'too small for re-ID: the median person is 41 px tall; at least 64 needed; use the main stream, or a closer view'
    """
    if not frames:
        return False, "no picture came; try --seconds, or a stream with more keyframes"
    if fps < _MIN_FPS:
        return False, f"too slow to track people: {fps:.1f} frames a second; at least {_MIN_FPS:.0f} needed"
    if median_height is None:
        verdict, usable = "the stream works; nobody was in the picture, so try again when somebody is", True
    elif median_height < MIN_PERSON_HEIGHT:
        return False, (
            f"too small for re-ID: the median person is {median_height} px tall; at least {MIN_PERSON_HEIGHT} needed; "
            "use the main stream, or a closer view"
        )
    elif median_height < GOOD_PERSON_HEIGHT:
        verdict = f"usable: the median person is {median_height} px tall; from {GOOD_PERSON_HEIGHT} on it is good"
        usable = True
    else:
        verdict, usable = f"good for re-ID: the median person is {median_height} px tall", True
    if keyframe_interval_s is not None and keyframe_interval_s > _LONG_GOP_S:
        verdict += f"; a keyframe comes only every {keyframe_interval_s:.0f} s, so a reconnection shows nothing so long"
    return usable, verdict


def _sure_boxes(people: Detections) -> Float32Array:
    return people.where(people.confidence >= _SURE).boxes_xyxy

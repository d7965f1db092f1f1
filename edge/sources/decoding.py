"""From packets to the frames that are looked at, with as little decoding as the stream allows."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import av.error
import numpy as np
from av.video.reformatter import VideoReformatter

from edge.sources.sampling import SECOND_NS, FrameLimit
from passerby.arrays import Image

_FALLBACK_FPS = 25.0
_MAX_REMEMBERED = 256
"""Slots and time stamps kept for comparison; far more than any codec reorders (16 frames)."""

_DENSE_KEYFRAMES = 3
"""So many keyframes in a row close enough to each other: from then on only keyframes are decoded."""

_BROKEN = (av.error.InvalidDataError, av.error.PatchWelcomeError)
"""What a packet raises that is damaged. Damaged bits may well ask for what no stream uses and FFmpeg never wrote."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame to be looked at: its number from 1 in display order, its time since the stream's first packet."""

    frame_number: int
    time_ns: int
    image: Image


class Decoder:
    """Feeds one video stream's packets to its decoder, and hands on the frames within the frame-rate limit.

    Work is left out in three ways: a packet whose slot already has an earlier frame is decoded only if others
    refer to it; in a stream whose keyframes come often enough, only keyframes are decoded; and only frames that are
    looked at are turned into BGR. Passed-over pictures are numbered all the same, by the rank of their time stamp.

    A stream without time stamps (a raw .264 or .hevc file) gets them from its own frame rate, and is decoded whole.
    """

    def __init__(self, stream: Any, *, fps: float) -> None:
        self._stream = stream
        self._context = stream.codec_context
        # One thread a camera: several cameras share the machine, and frame threads would hold pictures back.
        self._context.thread_count = 1
        self._frame_ns = int(SECOND_NS / stream_fps(stream))
        self._slot_ns = int(SECOND_NS / fps)
        self._limit = FrameLimit(fps, source_fps=SECOND_NS / self._frame_ns, origin_ns=0)
        self._to_bgr = VideoReformatter()
        self._first_pts: int | None = None
        self._shown = 0
        self._unshown_pts: list[int] = []
        self._earliest_in_slot: dict[int, int] = {}
        self._keyframe_ns: int | None = None
        self._dense_keyframes = 0
        self._keyframes_only = False
        self.broken_packets = 0
        self.damaged_pictures = 0
        """Decoded all the same, with parts that are guessed."""

    def decode(self, packet: Any) -> Iterator[Picture]:
        """The pictures that this packet completes; an empty packet flushes the last ones.

        A broken packet gives none and is counted. What else FFmpeg raises is raised: the decoder itself has failed.
        """
        if packet.size and packet.pts is not None and not self._admit(packet):
            return
        try:
            frames = packet.decode()
        except _BROKEN:
            self.broken_packets += 1  # joined between keyframes, or damaged on the way: the next keyframe mends it
            return
        for frame in frames:
            self.damaged_pictures += frame.is_corrupt
            time_ns = self._count(frame.pts)
            if self._limit.take(time_ns):
                yield Picture(self._shown, time_ns, self._bgr(frame))

    @property
    def shown(self) -> int:
        """Pictures so far, with those that were passed over; 0: none could be decoded yet."""
        return self._shown

    def begin(self, packet: Any) -> None:
        """Take the time stamp of the stream's first packet as its beginning; later packets change nothing."""
        if self._first_pts is None:
            self._first_pts = packet.pts

    def time_ns(self, pts: int) -> int:
        """Nanoseconds from the first packet of the stream to this time stamp."""
        base = self._stream.time_base
        return int((pts - (self._first_pts or 0)) * base.numerator * SECOND_NS // base.denominator)

    def _admit(self, packet: Any) -> bool:
        """Whether the packet must be decoded; tells the decoder whether others' reference to it is the only reason."""
        time_ns = self.time_ns(packet.pts)
        _push_bounded(self._unshown_pts, packet.pts)
        if packet.is_keyframe:
            self._note_keyframe(time_ns)
        elif self._keyframes_only:
            return False
        wanted = self._is_first_in_slot(time_ns)
        self._context.skip_frame = "DEFAULT" if wanted else "NONREF"
        return wanted or not self._keyframes_only

    def _is_first_in_slot(self, time_ns: int) -> bool:
        slot = self._limit.slot(time_ns)
        earliest = self._earliest_in_slot.get(slot)
        if earliest is not None and earliest <= time_ns:
            return False
        self._earliest_in_slot[slot] = time_ns
        if len(self._earliest_in_slot) > _MAX_REMEMBERED:
            del self._earliest_in_slot[next(iter(self._earliest_in_slot))]
        return True

    def _note_keyframe(self, time_ns: int) -> None:
        """Keyframes at most 1/fps apart make everything between them needless, until one comes late."""
        if self._keyframe_ns is not None:
            dense = 0 <= time_ns - self._keyframe_ns <= self._slot_ns
            self._dense_keyframes = self._dense_keyframes + 1 if dense else 0
        self._keyframe_ns = time_ns
        self._keyframes_only = self._dense_keyframes >= _DENSE_KEYFRAMES

    def _count(self, pts: int | None) -> int:
        """Count this frame and those passed over before it; returns its time."""
        if pts is None:
            self._shown += 1
            return (self._shown - 1) * self._frame_ns
        passed = 0
        while self._unshown_pts and self._unshown_pts[0] <= pts:
            heapq.heappop(self._unshown_pts)
            passed += 1
        self._shown += max(1, passed)
        return self.time_ns(pts)

    def _bgr(self, frame: Any) -> Image:
        # One thread: swscale's own pool costs more than it gives (measured: 0.8 ms for 1920x1080).
        converted = self._to_bgr.reformat(frame, format="bgr24", threads=1)
        return np.ascontiguousarray(converted.to_ndarray())


def stream_fps(stream: Any) -> float:
    """Frames per second of a stream; 25 where nothing states it.

    A raw .264 or .hevc file has no container that knows. Its sequence header does, if it has timing; FFmpeg's
    average rate of such a file is only the demuxer's default of 25.
    """
    raw = stream.duration is None and stream.start_time is None and stream.frames == 0
    own = stream.codec_context.framerate if raw else None
    for rate in (own, stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0.1 <= float(rate) <= 240:
            return float(rate)
    return _FALLBACK_FPS


def _push_bounded(heap: list[int], pts: int) -> None:
    """Time stamps that no frame ever came for (the camera's counter jumped back) must not pile up."""
    heapq.heappush(heap, pts)
    if len(heap) > _MAX_REMEMBERED:
        heapq.heappop(heap)

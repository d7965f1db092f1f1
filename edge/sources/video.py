"""Video files and live streams, by PyAV."""

import struct
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, TypeVar

import av

from edge.frames import Frame
from edge.sources.clocks import Backlog, FileClock, LiveClock, may_follow
from edge.sources.damage import Damage, Patience
from edge.sources.decoding import Decoder, Picture, stream_fps
from edge.sources.failures import decoding_error, source_error, stream_end
from edge.sources.source import StreamInfo, Traffic
from edge.sources.traffic import TrafficMeter
from passerby.config import CameraSettings
from passerby.errors import SourceError, SourceTimeoutError
from passerby.ids import CameraId
from passerby.redaction import redact

_T = TypeVar("_T")

LIVE_SCHEMES = ("rtsp://", "rtsps://", "http://", "https://")

_PRODUCER_TIME = struct.Struct("<qi")
"""FFmpeg's AVProducerReferenceTime: microseconds since the Unix epoch, flags."""

_ANALYZE_US = "1000000"
"""How much of a live stream FFmpeg reads to learn what it is; its own 5 s only make the first picture late."""

_MIN_STEP_NS = 1_000_000
"""Capture times grow at least by this, whatever a camera's clock does."""


class _Video:
    """What files and streams share: a container, its video stream, a decoder."""

    def __init__(self, camera_id: CameraId, settings: CameraSettings, options: dict[str, str]) -> None:
        self._camera_id = camera_id
        self._url = settings.url
        self._read_timeout_s = settings.read_timeout_s
        self._container = _open(settings, options)
        videos = self._container.streams.video
        if not videos:
            self._container.close()
            raise SourceError(f"{redact(self._url)}: there is no video in it")
        self._stream = videos[0]
        if self._stream.codec_context is None:
            self._container.close()
            raise SourceError(f"{redact(self._url)}: FFmpeg has no decoder for its video")
        self.info = _info(self._container, self._stream)
        self._decoder = Decoder(self._stream, fps=settings.fps)
        self._meter = TrafficMeter()
        self.trouble = ""

    def __enter__(self) -> Any:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the socket or file."""
        self._container.close()

    @property
    def traffic(self) -> Traffic:
        """What has come so far."""
        return self._meter.traffic()

    def _packets(self) -> Iterator[Any]:
        """The stream's packets, the last one empty; FFmpeg's errors as ours."""

        def failed(error: BaseException, waited_s: float) -> SourceError:
            return source_error(self._url, error, waited_s=waited_s, timeout_s=self._read_timeout_s, connected=True)

        for packet in _each(self._container.demux(self._stream), failed):
            if packet.size:
                self._decoder.begin(packet)
                time_ns = None if packet.dts is None else self._decoder.time_ns(packet.dts)
                self._meter.add(packet.size, time_ns=time_ns, keyframe=packet.is_keyframe)
            yield packet

    def _pictures(self, packet: Any) -> Iterator[Picture]:
        """The pictures to be looked at that a packet completes; FFmpeg's errors as ours."""
        return _each(self._decoder.decode(packet), lambda error, _: decoding_error(self._url, error))


class VideoFile(_Video):
    """A recording: as fast as it is iterated over, or paced by its own time with `realtime`."""

    def __init__(self, camera_id: CameraId, settings: CameraSettings, *, realtime: bool, start_at_ns: int) -> None:
        super().__init__(camera_id, settings, {})
        self._realtime = realtime
        self._start_at_ns = start_at_ns

    def __iter__(self) -> Iterator[Frame]:
        clock = FileClock(self._start_at_ns)
        began = time.monotonic_ns()
        last_ns = self._start_at_ns - _MIN_STEP_NS
        for packet in self._packets():
            for picture in self._pictures(packet):
                if self._realtime:
                    time.sleep(max(0, began + picture.time_ns - time.monotonic_ns()) / 1e9)
                captured_at_ns, source = clock.capture_time(picture.time_ns)
                # Two frames with one time stamp, or out of order, are a fault of the file; time grows all the same.
                last_ns = max(captured_at_ns, last_ns + _MIN_STEP_NS)
                yield Frame(self._camera_id, picture.frame_number, last_ns, source, picture.image)
        if self.traffic.packets and not self._decoder.shown:
            raise SourceError(
                f"{redact(self._url)}: no picture could be decoded from its {self.traffic.packets} packets; "
                "the file is damaged, or of a kind that FFmpeg cannot read"
            )


class LiveVideo(_Video):
    """A camera's stream over RTSP or HTTP. It never ends by itself: its end is a SourceEndedError."""

    def __init__(self, camera_id: CameraId, settings: CameraSettings) -> None:
        super().__init__(camera_id, settings, _live_options(settings))
        self._clock = LiveClock()
        self._damage = Damage()
        self._last_ns = 0
        self._patience = Patience(
            longest_s=settings.stall_after_s, picture_interval_s=1 / min(settings.fps, self.info.fps)
        )
        self._backlog = Backlog(frame_ns=int(1e9 / self.info.fps))

    def __iter__(self) -> Iterator[Frame]:
        heard = seen = time.monotonic()
        waited_s = 0.0
        for packet in self._packets():
            old = self._receive(packet, time.time_ns())
            if packet.size:
                now = time.monotonic()
                heard, waited_s = now, now - heard
                if waited_s >= self._read_timeout_s:
                    break  # a time-out: FFmpeg's parser gives what it had held back, and would then wait once more
                self._judge(now, seen)
            for picture in self._pictures(packet):
                seen = time.monotonic()
                captured_at_ns, clock = self._clock.capture_time(picture.time_ns)
                # A clock that went back a little (the first sender report came) shows the same time again: wait it out.
                if not old and may_follow(captured_at_ns - _MIN_STEP_NS + 1, self._last_ns):
                    self._last_ns = captured_at_ns
                    yield Frame(self._camera_id, picture.frame_number, captured_at_ns, clock, picture.image)
        waited_s = max(waited_s, time.monotonic() - heard)
        raise stream_end(self._url, waited_s=waited_s, timeout_s=self._read_timeout_s)

    def _judge(self, now: float, seen: float) -> None:
        """Say what is wrong with what comes; SourceTimeoutError if it has shown no picture since `seen`, too long."""
        patience_s = self._patience.seconds(self.traffic.keyframe_interval_s if self._decoder.shown else None)
        if now - seen > patience_s:
            raise SourceTimeoutError(
                f"{redact(self._url)}: data but no picture for {patience_s:g} s"
                f" ({self._decoder.broken_packets} packets could not be decoded)"
            )
        self._damage.count(self._decoder.broken_packets + self._decoder.damaged_pictures, now_s=now)
        self.trouble = "; ".join(filter(None, (self._damage.trouble, self._clock.trouble)))

    def _receive(self, packet: Any, received_at_ns: int) -> bool:
        """Set the clock by a packet; returns whether its pictures are too old to be looked at."""
        if packet.pts is None or packet.dts is None:
            return self._backlog.is_draining(None, received_at_ns=received_at_ns)
        self._clock.receive(
            self._decoder.time_ns(packet.pts), received_at_ns=received_at_ns, wallclock_ns=_producer_time_ns(packet)
        )
        return self._backlog.is_draining(self._decoder.time_ns(packet.dts), received_at_ns=received_at_ns)


def _each(items: Iterator[_T], ours: Callable[[BaseException, float], SourceError]) -> Iterator[_T]:
    """All of `items`; FFmpeg's error becomes `ours(error, seconds waited)`, raised outside of its context."""
    while True:
        failure: BaseException
        asked = time.monotonic()
        try:
            item = next(items, None)
        except (av.FFmpegError, OSError) as error:
            failure = error
        else:
            if item is None:
                return
            yield item
            continue
        raise ours(failure, time.monotonic() - asked)


def _open(settings: CameraSettings, options: dict[str, str]) -> Any:
    """An open container. The interrupt callback bounds what FFmpeg's own socket time-outs do not."""
    failure: BaseException
    timeout_s = settings.open_timeout_s
    began = time.monotonic()
    try:
        return av.open(
            settings.url,
            options=options,
            timeout=(timeout_s, settings.read_timeout_s),
            metadata_errors="replace",
        )
    except (av.FFmpegError, OSError) as error:
        failure = error
    raise source_error(settings.url, failure, waited_s=time.monotonic() - began, timeout_s=timeout_s, connected=False)


def _live_options(settings: CameraSettings) -> dict[str, str]:
    """FFmpeg's options by protocol; it ignores those of the other."""
    socket_us = str(int(max(settings.open_timeout_s, settings.read_timeout_s) * 1e6))
    if settings.url.lower().startswith("rtsp"):
        return {
            "rtsp_transport": settings.rtsp_transport,
            "allowed_media_types": "video",
            "timeout": socket_us,
            "analyzeduration": _ANALYZE_US,
        }
    return {"rw_timeout": socket_us, "analyzeduration": _ANALYZE_US}


def _producer_time_ns(packet: Any) -> int | None:
    """When the camera says that the packet's picture was taken: FFmpeg lays RTCP sender reports on each packet."""
    if not packet.has_sidedata("prft"):
        return None
    microseconds, _flags = _PRODUCER_TIME.unpack_from(bytes(packet.get_sidedata("prft")))
    return int(microseconds) * 1000


def _info(container: Any, stream: Any) -> StreamInfo:
    context = stream.codec_context
    return StreamInfo(
        codec=context.name,
        profile=context.profile or "",
        width=context.width,
        height=context.height,
        fps=stream_fps(stream),
        bits_per_second=stream.bit_rate or container.bit_rate or 0,
    )

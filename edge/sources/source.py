"""What every source is: an iterator of frames that can be closed, and what it says about itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

from edge.frames import Frame


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What a stream is, as its container or session description says; 0 or empty where it does not."""

    codec: str
    profile: str
    width: int
    height: int
    fps: float
    bits_per_second: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """What has come so far: packets and bytes of video, the stream time they span, and the keyframes among them."""

    packets: int = 0
    size: int = 0
    span_ns: int = 0
    keyframes: int = 0
    keyframe_span_ns: int = 0
    """From the first keyframe to the last."""

    @property
    def fps(self) -> float:
        """Frames per second; 0 until two packets came."""
        return (self.packets - 1) * 1e9 / self.span_ns if self.span_ns > 0 else 0.0

    @property
    def bits_per_second(self) -> int:
        """Of the video alone."""
        return round(self.size * 8e9 / self.span_ns) if self.span_ns > 0 else 0

    @property
    def keyframe_interval_s(self) -> float | None:
        """Mean seconds between keyframes; None until two came."""
        return self.keyframe_span_ns / 1e9 / (self.keyframes - 1) if self.keyframes > 1 else None


class FrameSource(Protocol):
    """An open source. Iterate over it once; leaving the `with` block closes it.

    Iterating raises SourceEndedError when a live stream breaks off, SourceTimeoutError when nothing comes within
    `read_timeout_s`, SourceError when it cannot be decoded. A file simply ends.
    """

    @property
    def info(self) -> StreamInfo:
        """What the stream is."""

    @property
    def traffic(self) -> Traffic:
        """What has come so far; all zero where nothing is sent (pictures in a folder)."""

    @property
    def trouble(self) -> str:
        """What is wrong with what comes, for a person; empty while nothing is. Any thread may ask."""

    def __iter__(self) -> Iterator[Frame]:
        """The frames to be looked at, in capture order."""

    def __enter__(self) -> "FrameSource":
        """Itself."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""

    def close(self) -> None:
        """Let go of the socket or file. Twice does no harm."""

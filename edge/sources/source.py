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


class FrameSource(Protocol):
    """An open source. Iterate over it once; leaving the `with` block closes it.

    Iterating raises SourceEndedError when a live stream breaks off, SourceTimeoutError when nothing comes within
    `read_timeout_s`, SourceError when it cannot be decoded. A file simply ends.
    """

    @property
    def info(self) -> StreamInfo:
        """What the stream is."""

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

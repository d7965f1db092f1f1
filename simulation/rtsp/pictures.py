"""What a simulated camera shows, and when."""

import time
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol

from passerby.arrays import Image

_SECOND_NS = 1_000_000_000


class PictureSource(Protocol):
    """Anything that can say what a camera sees at each instant of its frame clock."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels, both even: H.264 halves the colours."""

    @property
    def fps(self) -> float:
        """Pictures per second."""

    def picture(self, index: int) -> Image:
        """The picture taken `index` / `fps` seconds after the start: (height, width, 3) uint8 BGR.

        Called in real time with growing indices (some left out) by one thread, which is this source's own: two
        sources that share something are called at the same time.
        """


@dataclass(frozen=True, slots=True)
class FrameClock:
    """Picture number <-> capture time, the same for every camera that starts at `start_at_ns` (Unix nanoseconds).

    It runs with the monotonic clock from its making on: a step of the system's clock moves no picture.

    >>> clock = FrameClock(start_at_ns=1_000)
    >>> clock.captured_at_ns(3, fps=10.0), clock.index_at(300_001_000, fps=10.0), clock.index_at(300_000_999, fps=10.0)
    (300001000, 3, 2)
    """

    start_at_ns: int
    _wall_minus_monotonic_ns: int = field(default_factory=lambda: time.time_ns() - time.monotonic_ns(), repr=False)

    def captured_at_ns(self, index: int, *, fps: float) -> int:
        """Unix nanoseconds at which picture `index` is taken."""
        return self.start_at_ns + int(index * _SECOND_NS / _rate(fps))

    def index_at(self, at_ns: int, *, fps: float) -> int:
        """The last picture taken at or before `at_ns`, below 0 before the start."""
        index = int((at_ns - self.start_at_ns) * _rate(fps) // _SECOND_NS)
        return index + 1 if self.captured_at_ns(index + 1, fps=fps) <= at_ns else index

    def now_ns(self) -> int:
        """Unix nanoseconds now, as this clock counts them."""
        return time.monotonic_ns() + self._wall_minus_monotonic_ns


def _rate(fps: float) -> Fraction:
    """29.97 is 2997/100: exact, so that an hour of pictures does not drift."""
    return Fraction(fps).limit_denominator(1001)

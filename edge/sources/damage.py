"""Streams from which something comes, but not what should: how bad it is, and how long to put up with it."""

from collections import deque
from dataclasses import dataclass

_OFTEN = 3
_WITHIN_S = 5.0
"""So many damages within so long are worth telling. One lost packet in an hour is not, nor is joining a stream."""

_LEAST_PATIENCE_S = 5.0
_INTERVALS = 3
"""Keyframes, or pictures, that must have failed to come before a connection is given up that gave pictures before."""


class Damage:
    """Whether packets and pictures of a stream were damaged again and again just now."""

    def __init__(self) -> None:
        self._counted = 0
        self._latest_s: deque[float] = deque(maxlen=_OFTEN)
        self.trouble = ""
        """What is wrong, for a person; empty while nothing is."""

    def count(self, damaged: int, *, now_s: float) -> None:
        """So many packets and pictures have been damaged by now, since the stream's beginning."""
        self._latest_s.extend([now_s] * min(_OFTEN, damaged - self._counted))
        self._counted = damaged
        often = len(self._latest_s) == _OFTEN and now_s - self._latest_s[0] <= _WITHIN_S
        self.trouble = "pictures are damaged on the way" if often else ""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a live stream may send data that shows no picture.

    One that was just joined may wait for its next keyframe, and nobody knows how far off that is: `longest_s`. One that
    gave pictures cannot be decoded any more (its codec has changed, its parameter sets were damaged), and a new
    connection helps, once three keyframes and three pictures should have come: after 5 s at least.
    """

    longest_s: float
    picture_interval_s: float
    """Between two pictures that are looked at, by the settings and by the stream."""

    def seconds(self, keyframe_interval_s: float | None) -> float:
        """From the latest picture on; None: it is not known, or there was no picture yet.

        >>> patience = Patience(longest_s=20, picture_interval_s=0.2)
        >>> patience.seconds(None), patience.seconds(1.0), patience.seconds(4.0), patience.seconds(60.0)
        (20, 5.0, 12.0, 20)
        """
        longest_s = max(self.longest_s, _INTERVALS * self.picture_interval_s)
        if keyframe_interval_s is None:
            return longest_s
        return min(
            longest_s, _INTERVALS * max(_LEAST_PATIENCE_S / _INTERVALS, keyframe_interval_s, self.picture_interval_s)
        )

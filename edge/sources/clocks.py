"""When a frame was captured, as well as can be known, and how far that may be trusted."""

from dataclasses import dataclass

from passerby.messages import Clock

HOST_ERROR_NS = 500_000_000
"""Encoding, sending and the camera's own buffering, typically; what a host clock at reception cannot see."""

MAX_CAMERA_CLOCK_OFFSET_NS = 5_000_000_000
"""A camera's sender report that disagrees with reception by more is an unset clock, not a slow network."""

RTCP_MARGIN_NS = 50_000_000
"""Between exposure and the RTP time stamp; and of the report's own rounding."""

SET_BACK_NS = 10_000_000_000
"""A capture time that lies back by more is of a clock that was set, and counts from there. Less is waited out: a sender
report that came, or a new connection's clock, moves times by 5 s at most."""

_WINDOW_NS = 60_000_000_000


def may_follow(captured_at_ns: int, last_ns: int) -> bool:
    """Whether a frame of this capture time may come after one of `last_ns`: later, or of a clock that was set back.

    >>> [may_follow(time_s * 10**9, last_ns=100 * 10**9) for time_s in (101, 100, 91, 89)]
    [True, False, False, True]
    """
    return captured_at_ns > last_ns or last_ns - captured_at_ns > SET_BACK_NS


class FileClock:
    """Recorded files: a start time plus the frame's own time in the file."""

    def __init__(self, start_at_ns: int) -> None:
        self._start_at_ns = start_at_ns
        self._clock = Clock(source="file", error_ns=0)

    def capture_time(self, time_ns: int) -> tuple[int, Clock]:
        """(captured_at_ns, clock) of the frame `time_ns` after the first."""
        return self._start_at_ns + time_ns, self._clock


@dataclass(slots=True)
class _Lowest:
    """The lowest value of the last one to two minutes, in two cells: the delay of the fastest packets."""

    current: int
    previous: int
    since_ns: int

    def add(self, value: int, now_ns: int) -> int:
        if now_ns - self.since_ns > _WINDOW_NS:
            self.previous, self.current, self.since_ns = self.current, value, now_ns
        self.current = min(self.current, value)
        return min(self.current, self.previous)


class LiveClock:
    """Live streams: the camera's RTCP sender report where it has one and it is plausible, else this host's clock.

    The host's clock is not read anew for each frame: a frame's own time stamp is laid on the fastest recent
    reception, which takes the network's jitter out of the distances between frames.
    """

    def __init__(self) -> None:
        self._host: _Lowest | None = None
        self._host_offset_ns = 0
        self._camera_offset_ns: int | None = None

    def receive(self, time_ns: int, *, received_at_ns: int, wallclock_ns: int | None) -> None:
        """A packet came: its stream time, this host's clock, and what the camera's report makes of it, if any."""
        offset = received_at_ns - time_ns
        if self._host is None or abs(offset - self._host_offset_ns) > 2 * MAX_CAMERA_CLOCK_OFFSET_NS:
            self._host = _Lowest(offset, offset, received_at_ns)  # the first, or the stream's time has jumped
        self._host_offset_ns = self._host.add(offset, received_at_ns)
        self._camera_offset_ns = None if wallclock_ns is None else wallclock_ns - time_ns

    def capture_time(self, time_ns: int) -> tuple[int, Clock]:
        """(captured_at_ns, clock) of a frame whose packet has been received."""
        camera = self._camera_offset_ns
        if camera is not None and abs(self._host_offset_ns - camera) <= MAX_CAMERA_CLOCK_OFFSET_NS:
            error = abs(self._host_offset_ns - camera) + RTCP_MARGIN_NS
            return time_ns + camera, Clock(source="rtcp", error_ns=error)
        return time_ns + self._host_offset_ns, Clock(source="host", error_ns=HOST_ERROR_NS)

    @property
    def trouble(self) -> str:
        """What is wrong with the camera's own clock; empty if it is believed, or says nothing."""
        ahead_ns = 0 if self._camera_offset_ns is None else self._camera_offset_ns - self._host_offset_ns
        if abs(ahead_ns) <= MAX_CAMERA_CLOCK_OFFSET_NS:
            return ""
        limit = f"{MAX_CAMERA_CLOCK_OFFSET_NS / 1e9:g} s"
        return f"its clock is more than {limit} {'ahead' if ahead_ns > 0 else 'behind'}: this machine's is used"


class Backlog:
    """Whether a stream that was just opened still hands out what piled up while it was being opened.

    Those pictures are old, by an unknown time: FFmpeg reads ahead to learn what the stream is, and some servers
    send everything since the last keyframe at once. A backlog is drained faster than real time: each packet is
    less late than the one before, by nearly a frame interval. The first that is not ends it.
    """

    def __init__(self, *, frame_ns: int) -> None:
        self._tolerance_ns = frame_ns // 4
        self._lateness_ns: int | None = None
        self._behind = True

    def is_draining(self, decoding_time_ns: int | None, *, received_at_ns: int) -> bool:
        """Say for each packet, in order; once False it stays False. None: the packet has no time yet."""
        if self._behind and decoding_time_ns is not None:
            lateness = received_at_ns - decoding_time_ns
            if self._lateness_ns is not None and lateness > self._lateness_ns - self._tolerance_ns:
                self._behind = False
            self._lateness_ns = lateness
        return self._behind

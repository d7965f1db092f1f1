"""How far another machine's clock is from ours, from heartbeats. Pure."""

from collections import deque

_KEPT = 60
"""Heartbeats: a minute, in which at least one crosses a quiet network."""


class OneWayOffset:
    """Their clock minus ours, in nanoseconds, too low by the shortest delay on the way (below 1 ms on a quiet LAN).

    Each heartbeat says their time when it left and ours when it came, so each is too low by its own delay; the largest
    of the last minute is the nearest.
    """

    def __init__(self) -> None:
        self._samples: deque[int] = deque(maxlen=_KEPT)

    def heard(self, sent_at_ns: int, *, received_at_ns: int) -> None:
        """Note a heartbeat."""
        self._samples.append(sent_at_ns - received_at_ns)

    @property
    def offset_ns(self) -> int | None:
        """The estimate; None before the first heartbeat."""
        return max(self._samples, default=None)


class TwoWayOffset:
    """Their clock minus ours, in nanoseconds, from heartbeats that are answered at once (RFC 5905 section 8).

    Of the last minute the exchange with the shortest round trip counts; the error is at most half of that trip.
    """

    def __init__(self) -> None:
        self._samples: deque[tuple[int, int]] = deque(maxlen=_KEPT)

    def answered(self, *, asked_at_ns: int, their_time_ns: int, answered_at_ns: int) -> None:
        """Note an exchange; `asked_at_ns` and `answered_at_ns` are our time."""
        if answered_at_ns >= asked_at_ns:
            round_trip = answered_at_ns - asked_at_ns
            self._samples.append((round_trip, their_time_ns - asked_at_ns - round_trip // 2))

    @property
    def offset_ns(self) -> int | None:
        """The estimate; None before the first answer."""
        return min(self._samples)[1] if self._samples else None

    @property
    def round_trip_ns(self) -> int | None:
        """The shortest round trip of the last minute; None before the first answer."""
        return min(self._samples)[0] if self._samples else None


class Pulse:
    """Matches the heartbeats of one connection with their answers, which come in order.

    Only a heartbeat that was alone under way is timed, so that none is timed by another's answer.
    """

    def __init__(self, clock: TwoWayOffset) -> None:
        self._clock = clock
        self._under_way = 0
        self._asked_at_ns: int | None = None

    def beat(self, now_ns: int) -> None:
        """Note that a heartbeat has left."""
        if not self._under_way:
            self._asked_at_ns = now_ns
        self._under_way += 1

    def answered(self, their_time_ns: int, *, now_ns: int) -> None:
        """Note an answer."""
        self._under_way = max(0, self._under_way - 1)
        if self._asked_at_ns is not None:
            self._clock.answered(asked_at_ns=self._asked_at_ns, their_time_ns=their_time_ns, answered_at_ns=now_ns)
            self._asked_at_ns = None

"""Which regime a camera was in when: by day, under infrared light, after it was moved."""

import bisect
from dataclasses import dataclass

MAX_SWITCHES = 512
"""Switches remembered per camera: more than eight months of a morning and an evening each. Older ones are taken for
the earliest one known."""

_ALWAYS = -(2**63)


@dataclass(frozen=True, slots=True)
class Timeline:
    """Regime `regimes[i]` has been on since `since_ns[i]` (capture time, ascending); the first since ever.

    >>> day = Timeline().switched(since_ns=100, regime=1)
    >>> day.regime_at(99), day.regime_at(100)
    (0, 1)
    """

    since_ns: tuple[int, ...] = (_ALWAYS,)
    regimes: tuple[int, ...] = (0,)

    @property
    def latest(self) -> int:
        """The regime that is on now."""
        return self.regimes[-1]

    def regime_at(self, at_ns: int) -> int:
        """The regime that was on at a time."""
        return self.regimes[max(0, bisect.bisect_right(self.since_ns, at_ns) - 1)]

    def switched(self, *, since_ns: int, regime: int) -> "Timeline":
        """With another regime on from `since_ns`.

        What was noted for later times is dropped: it came of a clock that was ahead, or of less evidence.
        """
        kept = max(1, bisect.bisect_left(self.since_ns, since_ns))
        since = (*self.since_ns[:kept], since_ns)[-MAX_SWITCHES:]
        regimes = (*self.regimes[:kept], regime)[-MAX_SWITCHES:]
        return Timeline((_ALWAYS, *since[1:]), regimes)

"""What a camera's clock says, and how far it may be trusted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Int64Array
from passerby.messages import Clock
from simulation.streams import stream

NS_PER_SECOND = 10**9

START_NS = 946_684_800 * NS_PER_SECOND
"""Tapes begin at 2000-01-01T00:00:00Z, as replays do."""

_RTCP_SHARE = 0.7
_WANDERS_S = 900.0


@dataclass(frozen=True, slots=True)
class CameraClock:
    """Off by `offset_s`, and by `swing_s` to and fro within a quarter of an hour; always within what `stated` says."""

    stated: Clock
    offset_s: float
    swing_s: float
    phase_rad: float

    @classmethod
    def of(cls, seed: int, camera_id: str) -> "CameraClock":
        """A camera's clock: its own reports (good to tens of milliseconds), or when the host got the frame."""
        draw = stream(seed, "clock", camera_id)
        reports = draw.random() < _RTCP_SHARE
        error_s = float(draw.uniform(0.02, 0.08) if reports else draw.uniform(0.15, 0.4))
        # A host's time of arrival is late, never early.
        offset = float(draw.uniform(-0.7, 0.7) if reports else draw.uniform(0.2, 0.7)) * error_s
        stated = Clock(source="rtcp" if reports else "host", error_ns=round(error_s * NS_PER_SECOND))
        return cls(stated, offset, 0.2 * error_s, float(draw.uniform(0, 2 * np.pi)))

    def captured_at_ns(self, times_s: NDArray[np.float64]) -> Int64Array:
        """What the camera says (n,) at true times (n,), seconds since the tape's begin."""
        swing = self.swing_s * np.sin(2 * np.pi * times_s / _WANDERS_S + self.phase_rad)
        return START_NS + np.rint((times_s + self.offset_s + swing) * NS_PER_SECOND).astype(np.int64)

"""Which frames are looked at: at most `fps` a second, evenly spread, chosen by time alone."""

from fractions import Fraction

SECOND_NS = 1_000_000_000


class FrameLimit:
    """Cuts time into slots of 1/fps; the first frame in each slot is looked at.

    Choosing by slot, not by distance from the previous choice, makes the choice independent of the order in which
    times are asked for: packets come in decoding order, frames in display order. Slots begin a quarter of a frame
    interval before the first frame, so that the jitter of real time stamps does not push a frame over a border.
    """

    def __init__(self, fps: float, *, source_fps: float, origin_ns: int) -> None:
        self._fps = Fraction(fps).limit_denominator(1000)
        quarter = SECOND_NS / (4 * source_fps) if source_fps > 0 else 0
        self._origin_ns = origin_ns - int(quarter)
        self._last_slot: int | None = None

    def slot(self, time_ns: int) -> int:
        """The number of the slot that a time falls in; consecutive numbers are 1/fps apart.

        >>> limit = FrameLimit(5, source_fps=10, origin_ns=0)
        >>> [limit.slot(ms * 1_000_000) for ms in (0, 100, 199, 301, 400)]
        [0, 0, 1, 1, 2]
        """
        return int((time_ns - self._origin_ns) * self._fps // SECOND_NS)

    def take(self, time_ns: int) -> bool:
        """Whether the frame of this time, asked in display order, is looked at; if so its slot is used up.

        A jump backwards (the camera's clock was set, its counter wrapped) starts afresh.
        """
        slot = self.slot(time_ns)
        if self._last_slot is not None and self._last_slot - 1 <= slot <= self._last_slot:
            return False
        self._last_slot = slot
        return True

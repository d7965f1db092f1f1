"""How many pictures of a camera come, beside how many should."""

from collections import deque

_WINDOW_S = 4.0
_LOW, _ENOUGH = 0.5, 0.7
_MAX_FPS = 120


class Arrivals:
    """Counts a connection's pictures over the last four seconds. Times are seconds of any steady clock."""

    def __init__(self) -> None:
        self._times_s: deque[float] = deque(maxlen=int(_WINDOW_S * _MAX_FPS))
        self._since_s = float("inf")
        self._few = False

    def begin(self, now_s: float) -> None:
        """A connection begins: nothing can be said for four seconds."""
        self._times_s.clear()
        self._since_s = now_s
        self._few = False

    def add(self, now_s: float) -> None:
        """A picture came."""
        self._times_s.append(now_s)

    def are_few(self, now_s: float, *, expected_fps: float) -> bool:
        """Whether fewer than half of the pictures come; once so, until 70% do, so that it is not told and told again.

        Always False where so few are expected that four seconds say nothing.
        """
        expected = _WINDOW_S * expected_fps
        if now_s - self._since_s < _WINDOW_S or expected < 4:
            return False
        while self._times_s and now_s - self._times_s[0] > _WINDOW_S:
            self._times_s.popleft()
        self._few = len(self._times_s) < expected * (_ENOUGH if self._few else _LOW)
        return self._few

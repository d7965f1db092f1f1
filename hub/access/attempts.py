"""Who tries passwords too often waits."""

import threading
from collections import OrderedDict, deque

MOST_FAILURES = 10
WITHIN_S = 300.0
_MOST_KEYS = 10_000


class Attempts:
    """Failed attempts by key (a user's name, an address). Times are seconds of a monotonic clock.

    Where more keys try than are kept in mind, the one that tried last the longest ago is forgotten.
    """

    def __init__(self, *, most: int = MOST_FAILURES, within_s: float = WITHIN_S) -> None:
        self._most = most
        self._within_s = within_s
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait_s(self, *keys: str, now: float) -> float:
        """How long whoever has these keys has to wait; 0: they may try."""
        with self._lock:
            return max((self._wait(key, now) for key in keys), default=0.0)

    def fail(self, *keys: str, now: float) -> None:
        """An attempt with these keys begins, which counts as failed until it is known to succeed.

        So those that are tried at the same moment count too.
        """
        with self._lock:
            for key in keys:
                self._failures.setdefault(key, deque(maxlen=self._most)).append(now)
                self._failures.move_to_end(key)
            while len(self._failures) > _MOST_KEYS:
                self._failures.popitem(last=False)

    def succeed(self, *keys: str) -> None:
        """One attempt with each of these keys has succeeded."""
        with self._lock:
            for key in keys:
                failures = self._failures.get(key)
                if failures:
                    failures.pop()
                if not failures:
                    self._failures.pop(key, None)

    def forget(self, key: str) -> None:
        """What failed before with this key counts no more."""
        with self._lock:
            self._failures.pop(key, None)

    def _wait(self, key: str, now: float) -> float:
        failures = self._failures.get(key)
        if failures is None or len(failures) < self._most:
            return 0.0
        return max(0.0, failures[0] + self._within_s - now)

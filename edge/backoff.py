"""How long to wait before the next attempt."""

import random

FIRST_S = 0.5
LONGEST_S = 30.0


class Backoff:
    """Waits that double from 0.5 s to 30 s, each shortened by up to a half at random.

    The randomness keeps cameras that fell out together (a switch restarted) from coming back together for ever.
    """

    def __init__(self, jitter: random.Random) -> None:
        self._jitter = jitter
        self._attempts = 0

    def next_s(self) -> float:
        """Seconds to wait now; the next call waits longer."""
        longest = min(LONGEST_S, FIRST_S * 2.0 ** min(self._attempts, 30))
        self._attempts += 1
        return longest * (1 - self._jitter.random() / 2)

    def reset(self) -> None:
        """Pictures came: the next failure starts afresh."""
        self._attempts = 0

"""How long to wait before the next attempt."""

import random

FIRST_S = 0.5
PROMPT_S = 3.0
"""The longest time between two attempts in the first minutes of an outage: a camera that is back is found in time."""

LONGEST_S = 30.0
_OUTAGES_SHARE = 1 / 200
"""From ten minutes on the time between attempts is this share of the outage so far."""

REFUSED_S = 2.5
REFUSED_ATTEMPTS = 3
"""Attempts with a password that was right before and is refused now. Cameras lock an account after five wrong ones or
more, and a camera that has just started may refuse everybody for some seconds."""

REFUSED_FOR_GOOD_S = 300.0
"""A refused password needs somebody. Often would lock the account, and keep it locked."""


class Backoff:
    """Attempts begin 0.5 s apart, then twice as far each time, up to 3 s; when nothing helps for minutes, up to 30 s.

    It is the beginnings that are spaced: an attempt that took its time in vain is followed soon by the next. Waits are
    shortened by up to a half at random, so that cameras that fell out together (a switch restarted) do not come back
    together for ever. Times are seconds of any steady clock.
    """

    def __init__(self, jitter: random.Random) -> None:
        self._jitter = jitter
        self._attempts = 0
        self._refusals = 0
        self._out_since_s: float | None = None
        self._began_s = 0.0

    def begin(self, now_s: float) -> None:
        """An attempt begins."""
        self._began_s = now_s
        if self._out_since_s is None:
            self._out_since_s = now_s

    def next_s(self, now_s: float) -> float:
        """Seconds to wait now that the attempt has failed, 0.25 at least; the next call waits longer."""
        outage_s = 0.0 if self._out_since_s is None else now_s - self._out_since_s
        doubled_s = min(PROMPT_S, FIRST_S * 2.0 ** min(self._attempts, 30))
        apart_s = min(LONGEST_S, max(doubled_s, outage_s * _OUTAGES_SHARE))
        self._attempts += 1
        return max(FIRST_S, apart_s - (now_s - self._began_s)) * (1 - self._jitter.random() / 2)

    def refused_s(self, *, known: bool) -> float | None:
        """Seconds to wait after a refused password; None: quick attempts are over, somebody must do something.

        `known`: it was right before, so that the refusal may pass.
        """
        self._refusals += 1
        return REFUSED_S if known and self._refusals <= REFUSED_ATTEMPTS else None

    def reset(self) -> None:
        """Pictures came: the next failure starts afresh."""
        self._attempts = self._refusals = 0
        self._out_since_s = None

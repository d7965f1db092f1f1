"""The hub's work, going on whatever fails: the database is waited for, a fault stays where it is."""

import functools
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from hub.records import Refused
from hub.site_hub import Hub
from passerby.errors import DataError, StoreError
from passerby.ids import EdgeId
from passerby.messages import Envelope

_T = TypeVar("_T")
_log = logging.getLogger("passerby.hub")

_FIRST_RETRY_S = 0.5
_LONGEST_RETRY_S = 10.0

_FAULTS = (ArithmeticError, DataError, LookupError, RuntimeError, TypeError, ValueError)
"""What a fault of ours may raise, or FAISS (RuntimeError). A hub that ended of it would be where it was after its
restart, and end again."""


class EnduringHub:
    """Takes batches into a hub and lets time decide, through three kinds of failure. Not thread-safe.

    - The database cannot be written (StoreError): tried again, with growing pauses, until `stop` is set.
    - A message cannot be worked on: it is set aside and refused as `unprocessable`; the others are taken.
    - Decisions fail, and not because of a message at hand: they rest and are tried again, with growing pauses.
      Meanwhile messages are kept without decisions, and are decided over afterwards.
    """

    def __init__(self, hub: Hub, *, stop: threading.Event) -> None:
        self._hub = hub
        self._stop = stop
        self._failures = 0
        self._pause_s = _FIRST_RETRY_S
        self._rests_until = 0.0

    def take(self, batch: Sequence[tuple[EdgeId, Envelope]], *, now_ns: int) -> Sequence[Refused] | None:
        """Commit a batch; what of it is refused for good. None, and it may not be acknowledged, if stopped before."""
        if not self._resting():
            try:
                refused = self._patiently(lambda: self._hub.ingest(batch, now_ns=now_ns).refusals)
            except _FAULTS:
                if self._decides_without(now_ns):
                    return self._one_by_one(batch, take=self._ingest, now_ns=now_ns)
            else:
                self._decided()
                return refused
        try:
            return self._patiently(lambda: self._hub.keep(batch, now_ns=now_ns))
        except _FAULTS:
            return self._one_by_one(batch, take=self._keep, now_ns=now_ns)

    def tick(self, now_ns: int) -> None:
        """Take the decisions that time alone brings; see Hub.tick."""
        if self._resting():
            return
        if self._failures:  # there may be nothing due, and yet decisions fail: only a whole round shows that they work
            self._decides_without(now_ns)
            return
        try:
            self._patiently(lambda: self._hub.tick(now_ns))
        except _FAULTS as error:
            self._rest(error)

    def _decides_without(self, now_ns: int) -> bool:
        """Whether decisions work without any message: only then can one be to blame."""
        try:
            self._patiently(lambda: self._hub.ingest((), now_ns=now_ns).events)
        except _FAULTS as error:
            self._rest(error)
            return False
        self._decided()
        return True

    def _one_by_one(
        self,
        batch: Sequence[tuple[EdgeId, Envelope]],
        *,
        take: Callable[[tuple[EdgeId, Envelope], int], Sequence[Refused]],
        now_ns: int,
    ) -> Sequence[Refused] | None:
        """Each message in a transaction of its own; those that cannot be worked on are set aside."""
        refused: list[Refused] = []
        for message in batch:
            result = self._patiently(functools.partial(self._unless_faulty, take, message, now_ns))
            if result is None:
                return None
            refused += result
        return refused

    def _unless_faulty(
        self,
        take: Callable[[tuple[EdgeId, Envelope], int], Sequence[Refused]],
        message: tuple[EdgeId, Envelope],
        now_ns: int,
    ) -> Sequence[Refused]:
        try:
            return take(message, now_ns)
        except _FAULTS:
            edge_id, envelope = message
            _log.exception("message %d of %s cannot be worked on; it is set aside", envelope.seq, edge_id)
            self._hub.dismiss(edge_id, envelope)
            return [Refused(edge_id, envelope.boot_id, envelope.seq, "unprocessable")]

    def _ingest(self, message: tuple[EdgeId, Envelope], now_ns: int) -> Sequence[Refused]:
        return self._hub.ingest([message], now_ns=now_ns).refusals

    def _keep(self, message: tuple[EdgeId, Envelope], now_ns: int) -> Sequence[Refused]:
        return self._hub.keep([message], now_ns=now_ns)

    def _resting(self) -> bool:
        return time.monotonic() < self._rests_until

    def _rest(self, error: BaseException) -> None:
        """Leave decisions alone for a while: each failed attempt also reads the whole state anew."""
        self._failures += 1
        self._pause_s = _FIRST_RETRY_S if self._failures == 1 else min(2 * self._pause_s, _LONGEST_RETRY_S)
        self._rests_until = time.monotonic() + self._pause_s
        _log.error(
            "decisions fail (%s: %s), %d times by now; messages are kept without them; tries again in %.1f s",
            type(error).__name__,
            error,
            self._failures,
            self._pause_s,
            exc_info=error if self._failures == 1 else None,
        )

    def _decided(self) -> None:
        if self._failures:
            _log.warning("decisions work again, after %d failures", self._failures)
        self._failures = 0

    def _patiently(self, work: Callable[[], Sequence[_T]]) -> Sequence[_T] | None:
        """Do it again, with growing pauses, while the database cannot be written (disk full, locked).

        Meanwhile nothing is acknowledged, and the edges wait. None when the hub is to stop.
        """
        pause_s = _FIRST_RETRY_S
        while True:
            try:
                return work()
            except StoreError as error:
                _log.error("%s; tries again in %.1f s", error, pause_s)
                if self._stop.wait(pause_s):
                    return None
                pause_s = min(2 * pause_s, _LONGEST_RETRY_S)

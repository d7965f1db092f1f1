"""Calls of several threads gathered into batches; what a batch does is the caller's."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from passerby.errors import ConfigError, EngineError, PasserbyError

Item = TypeVar("Item")
Result = TypeVar("Result")

_REMEMBERED_S = 1.0
"""A thread that has not called for so long is not waited for."""


@dataclass(slots=True)
class _Call(Generic[Item, Result]):
    items: Sequence[Item]
    results: Sequence[Result] = ()
    error: PasserbyError | None = None
    done: bool = False


class SharedBatches(Generic[Item, Result]):
    """Gathers calls of several threads into runs of at most `max_batch` items.

    There is no thread of its own: whoever finds nobody running takes the oldest calls, its own or others', and runs
    them; calls that arrive meanwhile form the next batch. A batch starts when it is full, when every thread that
    called within the last second is in it, or when its oldest call has waited `latency_s`. So a lone thread never
    waits, and gets the same batches every time. A call is never split: one with more than `max_batch` items runs alone.

    At most one call per thread waits, because `call` blocks; it gives up after `timeout_s`.
    """

    def __init__(
        self,
        run: Callable[[list[Item]], Sequence[Result]],
        *,
        max_batch: int,
        latency_s: float,
        timeout_s: float,
    ) -> None:
        if max_batch < 1 or latency_s < 0 or timeout_s <= 0:
            raise ConfigError(
                f"max_batch is {max_batch}, latency {latency_s} s, time-out {timeout_s} s; "
                "expected at least 1, at least 0, and more than 0"
            )
        self._run = run
        self._max_batch = max_batch
        self._latency_s = latency_s
        self._timeout_s = timeout_s
        self._changed = threading.Condition()
        self._waiting: deque[_Call[Item, Result]] = deque()
        self._callers: dict[int, float] = {}
        self._running = False
        self._closed = False

    @property
    def waiting(self) -> int:
        """Calls that wait for their batch now."""
        with self._changed:
            return len(self._waiting)

    def call(self, items: Sequence[Item]) -> Sequence[Result]:
        """One result per item, in order. Raises what `run` raised for these items; EngineError on time-out or close."""
        mine: _Call[Item, Result] = _Call(items)
        deadline = time.monotonic() + self._timeout_s
        with self._changed:
            if self._closed:
                raise EngineError("the engine has been closed")
            self._callers[threading.get_ident()] = time.monotonic()
            self._waiting.append(mine)
            self._changed.notify_all()
        while not mine.done:
            batch = self._wait_for_turn(mine, deadline)
            if batch:
                self._run_batch(batch)
        if mine.error is not None:
            raise mine.error
        return mine.results

    def close(self) -> None:
        """Refuse further calls, fail the waiting ones, and return when the run under way is over."""
        with self._changed:
            self._closed = True
            for call in self._waiting:
                call.error, call.done = EngineError("the engine was closed while the call waited"), True
            self._waiting.clear()
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: not self._running, timeout=self._timeout_s):
                raise EngineError(f"the network still runs {self._timeout_s:g} s after close")

    def _wait_for_turn(self, mine: _Call[Item, Result], deadline: float) -> list[_Call[Item, Result]]:
        """The batch that this thread has to run; empty when `mine` is done."""
        with self._changed:
            if not self._changed.wait_for(
                lambda: mine.done or not self._running, timeout=max(0.0, deadline - time.monotonic())
            ):
                if mine in self._waiting:
                    self._waiting.remove(mine)
                raise EngineError(f"the network gave no answer within {self._timeout_s:g} s")
            if mine.done:
                return []
            self._running = True  # from here others wait for this thread
            try:
                self._changed.wait_for(self._ready, timeout=self._latency_s)
            except BaseException:  # a signal's: the others must not wait for a thread that is gone
                self._running = False
                self._changed.notify_all()
                raise
            batch = self._take()
            if not batch:  # closed meanwhile
                self._running = False
                self._changed.notify_all()
            return batch

    def _ready(self) -> bool:
        oldest = time.monotonic() - _REMEMBERED_S
        self._callers = {thread: at for thread, at in self._callers.items() if at >= oldest}
        items = sum(len(call.items) for call in self._waiting)
        return self._closed or items >= self._max_batch or len(self._waiting) >= len(self._callers)

    def _take(self) -> list[_Call[Item, Result]]:
        batch: list[_Call[Item, Result]] = []
        room = self._max_batch
        while self._waiting and (not batch or len(self._waiting[0].items) <= room):
            batch.append(self._waiting.popleft())
            room -= len(batch[-1].items)
        return batch

    def _run_batch(self, batch: list[_Call[Item, Result]]) -> None:
        try:
            self._answer(batch)
        except PasserbyError as error:
            if len(batch) == 1:
                batch[0].error = error
            else:  # one call's pictures may be the cause: the others must not suffer
                for call in batch:
                    self._answer_alone(call)
        finally:
            with self._changed:
                for call in batch:
                    if not call.results and call.error is None:
                        call.error = EngineError("the thread that ran this batch was interrupted")
                    call.done = True
                self._running = False
                self._changed.notify_all()

    def _answer(self, batch: list[_Call[Item, Result]]) -> None:
        results = self._run([item for call in batch for item in call.items])
        start = 0
        for call in batch:
            call.results = results[start : start + len(call.items)]
            start += len(call.items)

    def _answer_alone(self, call: _Call[Item, Result]) -> None:
        try:
            self._answer([call])
        except PasserbyError as error:
            call.error = error

"""Carrying the outbox to one webhook, in a thread of its own: who is slow or away keeps nobody else waiting."""

import logging
import time
from collections.abc import Callable

from hub.outgoing.condition import Condition, Conditions
from hub.outgoing.news import Message
from hub.outgoing.outbox import Outbox
from hub.outgoing.posting import Answer
from hub.worker import Worker
from passerby.errors import StoreError

_log = logging.getLogger("passerby.notify")

_AT_ONCE = 50
_LOOK_S = 0.25
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 300.0
_STOP_S = 2.0

Send = Callable[[Message], Answer]


class Teller(Worker):
    """Sends what waits for `name`, in order, each until it is taken or refused for good."""

    def __init__(
        self,
        name: str,
        outbox: Outbox,
        *,
        send: Send,
        conditions: Conditions,
        first_pause_s: float = _FIRST_PAUSE_S,
    ) -> None:
        # A receiver that does not answer may hold it for the time-out, for which nothing waits at the end.
        super().__init__(f"webhook {name}", stop_s=_STOP_S)
        self._name = name
        self._outbox = outbox
        self._send = send
        self._conditions = conditions
        self._first_pause_s = first_pause_s

    def _run(self) -> None:
        pause_s = self._first_pause_s
        while not self._stop.is_set():
            try:
                away = self._tell_all()
            except StoreError as error:
                _log.error("webhook %s: %s", self._name, error)
                away = True
            if away:
                self._stop.wait(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            else:
                pause_s = self._first_pause_s
                self._stop.wait(_LOOK_S)

    def _tell_all(self) -> bool:
        """Send what waits; whether the receiver is away."""
        while not self._stop.is_set():
            waiting = self._outbox.waiting(self._name, limit=_AT_ONCE)
            if not waiting:
                return False
            for message in waiting:
                if self._stop.is_set():
                    return False
                answer = self._send(message)
                self._conditions.put(self._name, _condition(answer))
                if not answer.taken and answer.again:
                    return True
                self._outbox.done(self._name, message.number, taken=answer.taken)
                self._note(message, answer)
        return False

    def _note(self, message: Message, answer: Answer) -> None:
        if answer.taken:
            _log.info("webhook %s: %s (%s) taken, %s", self._name, message.message_id, message.kind, answer.words)
        else:
            _log.warning(
                "webhook %s: %s (%s) refused and not sent again, %s",
                self._name, message.message_id, message.kind, answer.words,
            )  # fmt: skip


def _condition(answer: Answer) -> Condition:
    if answer.taken or not answer.again:
        return Condition(state="ok", since_ns=time.time_ns())
    return Condition(state="away", since_ns=time.time_ns(), reason=answer.words)

"""Keeping an MQTT broker told, in a thread of its own: the site as it is, and the outbox."""

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from hub.outgoing import topics
from hub.outgoing.collecting import Now
from hub.outgoing.condition import Condition, Conditions
from hub.outgoing.connection import Connection, Receipt
from hub.outgoing.discovery import discovery_topics
from hub.outgoing.outbox import Outbox
from hub.worker import Worker
from passerby.config.outgoing import MQTT_NAME, MqttSettings
from passerby.errors import StoreError, TransportError

_log = logging.getLogger("passerby.notify")

_AT_ONCE = 100
_LOOK_S = 0.25
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0
_ACK_S = 5.0
_STUCK_S = 60.0
_STOP_S = 4.0


class Broker(Worker):
    """Connects, and connects again with growing pauses; after each connection it says everything anew.

    `show` sets what is true now. What the broker keeps of cameras that are no more is taken back, also after a restart.
    """

    def __init__(
        self,
        settings: MqttSettings,
        outbox: Outbox,
        *,
        site: str,
        folder: Path,
        conditions: Conditions,
        first_pause_s: float = _FIRST_PAUSE_S,
    ) -> None:
        super().__init__("mqtt", stop_s=_STOP_S)
        self._settings = settings
        self._outbox = outbox
        self._site = site
        self._conditions = conditions
        self._first_pause_s = first_pause_s
        self._available = f"{settings.prefix}/{topics.AVAILABLE}"
        self._connection = Connection(
            settings,
            folder=folder,
            client_id=f"passerby-{settings.prefix.replace('/', '-')}",
            will=(self._available, topics.OFFLINE.encode()),
            heard=self._on_heard,
        )
        self._birth = f"{settings.discovery}/status"
        self._now: tuple[Now, bool] | None = None
        self._said: dict[str, bytes] = {}
        self._kept = frozenset(msgspec.json.decode(outbox.fact("retained") or "[]", type=list[str]))
        self._under_way: deque[tuple[int, list[Receipt]]] = deque()
        self._sent_at = 0.0
        self._again = threading.Event()

    def show(self, now: Now, *, hub: bool) -> None:
        """What is true now; `hub`: whether a hub works, without which nothing else is worth believing."""
        self._now = (now, hub)

    def _run(self) -> None:
        pause_s = self._first_pause_s
        while not self._stop.is_set():
            try:
                self._connection.open()
            except TransportError as error:
                self._conditions.put(MQTT_NAME, Condition(state="away", since_ns=time.time_ns(), reason=str(error)))
                self._stop.wait(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
                continue
            self._conditions.put(MQTT_NAME, Condition(state="ok", since_ns=time.time_ns()))
            opened_at = time.monotonic()
            if self._settings.discovery:
                self._connection.hear(self._birth)
            self._said.clear()
            self._under_way.clear()
            self._serve()
            if not self._stop.is_set():
                broken = Condition(state="away", since_ns=time.time_ns(), reason="the connection broke")
                self._conditions.put(MQTT_NAME, broken)
                # One that lets us in and hangs up at once, as on two who share a prefix, is as good as away.
                lasted = time.monotonic() - opened_at > _LONGEST_PAUSE_S
                pause_s = self._first_pause_s if lasted else pause_s
                self._stop.wait(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        if self._connection.is_up:
            self._take_leave()

    def _serve(self) -> None:
        while self._connection.is_up and not self._is_stuck() and not self._stop.wait(_LOOK_S):
            if self._again.is_set():
                self._again.clear()
                self._said.clear()
            try:
                self._say_state()
                self._say_messages()
            except StoreError as error:
                _log.error("mqtt: %s", error)
                self._stop.wait(_ACK_S)

    def _say_state(self) -> None:
        if self._now is None:
            return
        now, hub = self._now
        wanted = {
            **discovery_topics(
                self._site, now.cameras, prefix=self._settings.prefix, discovery=self._settings.discovery
            ),
            **topics.state_topics(now, prefix=self._settings.prefix),
            self._available: (topics.ONLINE if hub else topics.OFFLINE).encode(),
        }
        self._take_back(wanted)
        for topic, payload in wanted.items():
            if self._said.get(topic) != payload:
                self._connection.say(topic, payload, retain=True)
                self._said[topic] = payload

    def _take_back(self, wanted: Mapping[str, bytes]) -> None:
        """Let the broker forget what it keeps and is true no more."""
        if self._kept == wanted.keys():
            return
        # Noted before it is said, and forgotten after it is taken back: nothing is left behind whenever this ends.
        self._note_kept(self._kept | wanted.keys())
        gone = [self._connection.say(topic, b"", retain=True) for topic in sorted(self._kept - wanted.keys())]
        if _all_there(gone):
            self._note_kept(frozenset(wanted))

    def _note_kept(self, topics_kept: frozenset[str]) -> None:
        self._outbox.put([], facts={"retained": msgspec.json.encode(sorted(topics_kept)).decode()})
        self._kept = topics_kept

    def _say_messages(self) -> None:
        """Send what waits; a message is done once the broker has it, and none is sent twice over one connection."""
        if not self._under_way:
            for message in self._outbox.waiting(MQTT_NAME, limit=_AT_ONCE):
                body = message.body(self._site)
                where = topics.message_topics(message, prefix=self._settings.prefix)
                # The end of the latest adaptation stays true; the others are happenings.
                kept = message.kind == "adaptation"
                receipts = [self._connection.say(topic, body, retain=kept) for topic in where]
                self._under_way.append((message.number, receipts))
            self._sent_at = time.monotonic()
        while self._under_way and all(receipt.has_arrived for receipt in self._under_way[0][1]):
            self._outbox.done(MQTT_NAME, self._under_way.popleft()[0], taken=True)
            self._sent_at = time.monotonic()

    def _is_stuck(self) -> bool:
        """Whether the broker has acknowledged nothing for too long, although it is there."""
        return bool(self._under_way) and time.monotonic() - self._sent_at > _STUCK_S

    def _on_heard(self, topic: str, payload: bytes | bytearray) -> None:
        if topic == self._birth and payload == topics.ONLINE.encode():
            self._again.set()

    def _take_leave(self) -> None:
        _all_there([self._connection.say(self._available, topics.OFFLINE.encode(), retain=True)])
        self._connection.close()


def _all_there(receipts: Iterable[Receipt]) -> bool:
    """Whether the broker has them all, within some seconds."""
    deadline = time.monotonic() + _ACK_S
    return all(receipt.wait(max(0.0, deadline - time.monotonic())) for receipt in receipts)

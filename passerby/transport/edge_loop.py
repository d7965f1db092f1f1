"""The edge link's thread: connect, say Hello, send as credit allows, listen, and begin again when the hub is gone.

One socket serves one connection and is never reconnected by ZeroMQ itself: so a connection begins with Hello and
Welcome, keeps order, and nothing of an older one is left inside it.
"""

import contextlib
import logging
import queue
import threading
import time
from collections import deque
from secrets import SystemRandom

import zmq

from passerby.codec import decode, encode
from passerby.errors import MalformedMessageError, TransportError
from passerby.ids import BootId
from passerby.messages import (
    Ack,
    Backlog,
    CameraCommand,
    Credit,
    EdgeMessage,
    Envelope,
    Heartbeat,
    HubMessage,
    ModelChunk,
    ModelOffer,
    Refusal,
    Welcome,
)
from passerby.transport.clock_offset import Pulse, TwoWayOffset
from passerby.transport.flight import Flight
from passerby.transport.keys import EdgeKeys
from passerby.transport.limits import BACKOFF_S, HEARTBEAT_S, SILENCE_S, WELCOME_TIMEOUT_S
from passerby.transport.link_state import LinkState
from passerby.transport.sockets import Waker, bound_socket, handshake_failure, read_events, watched
from passerby.transport.spool import Spool

_log = logging.getLogger(__name__)
_READ_AHEAD = 16
"""Messages taken from the spool at a time."""
_PROBLEMS = {
    "unknown-key": "the hub does not allow this edge's key; run `passerby keys allow` on the hub's machine",
    "wrong-hub-key": "the key of the hub is not the one in hub.public",
    "not-curve": "what listens there does not speak CURVE",
    "broken-off": "the hub broke the connection off; is hub.public its present key?",
}


class _LostError(Exception):
    """This connection is over; the text says why."""


class EdgeLoop:
    """Runs in the link's thread; `wake` and `stop` are for the others."""

    def __init__(
        self,
        address: str,
        keys: EdgeKeys,
        *,
        boot_id: BootId,
        spool: Spool,
        offered: deque[list[bytes]],
        received: queue.Queue[HubMessage],
        state: LinkState,
    ) -> None:
        self._address = address
        self._keys = keys
        self._boot_id = boot_id
        self._spool = spool
        self._offered = offered
        self._received = received
        self._state = state
        self._waker = Waker()
        self._stopping = threading.Event()
        self._flight = Flight()
        self._clock = TwoWayOffset()
        self._pulse = Pulse(self._clock)
        self._backoff_s = BACKOFF_S[0]
        self._blocked = False
        self._next_sync = 0.0

    def wake(self) -> None:
        """There is something to send."""
        self._waker.wake()

    def stop(self) -> None:
        """End `run` soon."""
        self._stopping.set()
        self._waker.wake()

    def close(self) -> None:
        """Let go of what is left, after `run` has ended."""
        self._waker.close()

    def run(self) -> None:
        """Keep a connection up until `stop`. A spool that cannot be used (disk full) ends the connection alone."""
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        try:
            while not self._stopping.is_set():
                self._one_connection(context)
                self._pause()
        finally:
            self._state.connected = False
            context.term()

    def _one_connection(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        try:
            with context.socket(zmq.DEALER) as link:
                self._serve(link)
        except zmq.ZMQError as error:
            self._lost(f"{self._address}: {error}")
        except (_LostError, TransportError) as error:
            self._lost(str(error))
        finally:
            self._state.connected = False
            self._state.welcomed.clear()
            self._offered.clear()

    def _lost(self, why: str) -> None:
        if why != self._state.problem:
            _log.warning("no connection to the hub: %s", why)
        self._state.problem = why

    def _pause(self) -> None:
        """Wait before the next attempt; the spool is kept safe meanwhile."""
        with contextlib.suppress(TransportError):  # said already: it is why the connection ended
            self._spool.sync()
        self._stopping.wait(self._backoff_s * SystemRandom().uniform(0.5, 1.0))
        self._backoff_s = min(self._backoff_s * 2, BACKOFF_S[1])

    def _connect(self, link: zmq.Socket[bytes]) -> zmq.Socket[bytes]:
        bound_socket(link, self._address)
        link.setsockopt(zmq.RECONNECT_IVL, -1)
        link.setsockopt(zmq.CURVE_PUBLICKEY, self._keys.pair.public)
        link.setsockopt(zmq.CURVE_SECRETKEY, self._keys.pair.secret)
        link.setsockopt(zmq.CURVE_SERVERKEY, self._keys.hub_public)
        monitor = watched(link)
        link.connect(self._address)
        return monitor

    def _serve(self, link: zmq.Socket[bytes]) -> None:
        monitor = self._connect(link)
        self._flight.rewind()
        self._flight.window = 0
        self._pulse = Pulse(self._clock)
        self._blocked = False
        self._send(link, self._state.hello)
        poller = zmq.Poller()
        poller.register(monitor, zmq.POLLIN)
        poller.register(self._waker.fileno(), zmq.POLLIN)
        started = last_heard = time.monotonic()
        next_beat = started + HEARTBEAT_S
        try:
            while not self._stopping.is_set():
                poller.register(link, zmq.POLLIN | (zmq.POLLOUT if self._blocked else 0))
                poller.poll(max(0, int((min(next_beat, self._next_sync) - time.monotonic()) * 1000) + 1))
                self._waker.drain()
                if self._listen(link):
                    last_heard = time.monotonic()
                self._watch(monitor)
                now = time.monotonic()
                if self._state.connected:
                    if now - last_heard > SILENCE_S:
                        raise _LostError(f"{self._address}: the hub has been silent for {SILENCE_S:g} s")
                    self._speak(link)
                elif now - started > WELCOME_TIMEOUT_S:
                    raise _LostError(f"{self._address}: no welcome from the hub within {WELCOME_TIMEOUT_S:g} s")
                if now >= next_beat:
                    next_beat = now + HEARTBEAT_S
                    if self._state.connected:
                        self._beat(link)
                if now >= self._next_sync:
                    self._next_sync = now + 1.0
                    self._spool.sync()
        finally:
            link.disable_monitor()
            monitor.close(0)

    def _watch(self, monitor: zmq.Socket[bytes]) -> None:
        problem = None
        for event in read_events(monitor):
            failure = handshake_failure(event)
            if failure is not None:
                problem = _PROBLEMS.get(failure, f"the hub refused the connection: {failure}")
            elif event.kind == zmq.Event.DISCONNECTED:
                problem = problem or "the hub closed the connection"
            elif event.kind == zmq.Event.CLOSED:
                problem = problem or "nobody listens there, or it cannot be reached"
        if problem is not None:
            raise _LostError(f"{self._address}: {problem}")

    def _listen(self, link: zmq.Socket[bytes]) -> bool:
        heard = False
        while link.poll(0):
            parts = link.recv_multipart(zmq.NOBLOCK)
            heard = True
            try:
                self._handle(decode(parts).message)
            except MalformedMessageError as error:
                self._state.malformed += 1
                if error.reason == "version":
                    raise _LostError(f"{self._address}: the hub speaks another protocol: {error}") from error
        self._state.under_way = len(self._flight)
        return heard

    def _handle(self, message: object) -> None:
        match message:
            case Welcome():
                self._welcome(message)
            case Ack():
                self._flight.settled(message.boot_id, up_to_seq=message.seq)
                self._state.acknowledged += self._spool.forget(message.boot_id, up_to_seq=message.seq)
            case Refusal():
                self._refused(message)
            case Credit():
                self._flight.window = self._state.window = message.window
            case Heartbeat():
                self._pulse.answered(message.sent_at_ns, now_ns=time.time_ns())
                self._state.clock_offset_ns = self._clock.offset_ns
                self._state.round_trip_ns = self._clock.round_trip_ns
            case CameraCommand() | ModelOffer() | ModelChunk():
                try:
                    self._received.put_nowait(message)
                except queue.Full:
                    self._state.inbox_dropped += 1

    def _welcome(self, welcome: Welcome) -> None:
        """A connection's first Welcome opens it; a later one asks for everything unacknowledged again."""
        self._state.acknowledged += self._spool.forget(self._boot_id, up_to_seq=welcome.committed_seq)
        self._flight.rewind()
        self._flight.window = self._state.window = welcome.credit
        if not self._state.connected:
            _log.info("connected to the hub at %s (%s)", self._address, welcome.software)
            self._backoff_s = BACKOFF_S[0]
            self._state.connections += 1
            self._state.problem = ""
            self._state.connected = True
            self._state.welcomed.set()

    def _refused(self, refusal: Refusal) -> None:
        if refusal.seq == 0:
            _log.error("the hub refuses this edge's Hello: %s", refusal.reason)
            if refusal.reason in {"revoked", "version"}:
                raise _LostError(f"{self._address}: the hub refuses this edge: {refusal.reason}")
            return
        _log.error("the hub refused message %d: %s", refusal.seq, refusal.reason)
        self._flight.settled(refusal.boot_id, up_to_seq=refusal.seq)
        forgotten = self._spool.forget(refusal.boot_id, up_to_seq=refusal.seq)
        if forgotten:
            self._state.refused += 1
            self._state.acknowledged += forgotten - 1

    def _speak(self, link: zmq.Socket[bytes]) -> None:
        """Send what credit and the socket allow: first what must arrive, then what may be lost."""
        self._blocked = False
        if self._state.hello_changed:
            self._state.hello_changed = False
            self._send(link, self._state.hello)
        while (room := self._flight.room()) and not self._blocked:
            waiting = self._spool.after(self._flight.next_after, max_messages=min(room, _READ_AHEAD))
            if not waiting:
                break
            for message in waiting:
                if not self._flight.room() or not self._send_parts(link, message.parts):
                    break
                self._flight.sent(message)
        while self._offered and not self._blocked:
            if self._send_parts(link, self._offered[0]):
                self._offered.popleft()
        self._state.resent = self._flight.resent
        self._state.under_way = len(self._flight)

    def _beat(self, link: zmq.Socket[bytes]) -> None:
        now_ns = time.time_ns()
        if self._send(link, Heartbeat(sent_at_ns=now_ns, backlog=self._backlog(now_ns))):
            self._pulse.beat(now_ns)

    def _backlog(self, now_ns: int) -> Backlog:
        oldest_ns = self._spool.oldest_ns()
        return Backlog(
            messages=self._spool.message_count,
            size=self._spool.byte_count,
            waited_ns=None if oldest_ns is None else max(0, now_ns - oldest_ns),
            refused=self._state.refused,
        )

    def _send(self, link: zmq.Socket[bytes], message: EdgeMessage) -> bool:
        return self._send_parts(link, encode(Envelope(self._boot_id, 0, message)))

    def _send_parts(self, link: zmq.Socket[bytes], parts: list[bytes]) -> bool:
        with contextlib.suppress(zmq.Again):
            link.send_multipart(parts, zmq.NOBLOCK)
            return True
        self._blocked = True
        return False

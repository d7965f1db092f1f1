"""The hub port's thread: one ROUTER socket, its authentication, its monitor, and everything that is said over it."""

import contextlib
import errno
import logging
import secrets
import threading
import time
from collections import deque
from contextlib import ExitStack
from pathlib import Path

import zmq

from passerby import __version__
from passerby.codec import HeaderView, decode, encode, read_header
from passerby.errors import ConfigError, MalformedMessageError, PasserbyError, TransportError
from passerby.ids import BootId, CameraId, EdgeId
from passerby.messages import (
    Ack,
    Envelope,
    Heartbeat,
    Hello,
    HubMessage,
    Message,
    Preview,
    Refusal,
    Status,
    TrackletUpdate,
    Welcome,
)
from passerby.transport.allow_list import AllowedEdge, AllowList
from passerby.transport.hub_book import Delivery, HubBook, Session
from passerby.transport.keys import HubKeys
from passerby.transport.limits import OUTBOX_BYTES, SILENCE_S
from passerby.transport.sockets import Waker, bound_socket, handshake_failure, read_events, watched
from passerby.transport.zap import DOMAIN, KEY_PROPERTY, ZapHandler

_log = logging.getLogger(__name__)
_TICK_S = 0.5
_FAREWELL_MS = 300
"""For the last Acks to leave."""
_MESSAGES_A_TURN = 256
_EDGE_KINDS = frozenset({"hello", "tracklet", "status", "heartbeat", "preview", "model-request"})
_NO_BOOT = BootId(bytes(16))


class HubLoop:
    """Runs in the port's thread; `post`, `wake` and `stop` are for the others."""

    def __init__(self, listen: str, keys: HubKeys, *, book: HubBook) -> None:
        self.address = listen
        self.started = threading.Event()
        self.failure: PasserbyError | None = None
        self._keys = keys
        self._book = book
        self._boot_id = BootId(secrets.token_bytes(16))
        self._waker = Waker()
        self._stopping = threading.Event()
        self._outbox: deque[tuple[EdgeId, list[bytes]]] = deque()
        self._outbox_bytes = 0
        self._allowed = AllowList({})
        self._allowed_stamp: tuple[int, ...] = ()
        self._silent_handshakes = 0  # proven keys that have not said Hello; -1 while Hello is ahead of its event
        self._failure_counted = False
        self._router: zmq.Socket[bytes]

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

    def post(self, edge_id: EdgeId, message: HubMessage) -> bool:
        """Queue a message to an edge; see HubPort.send."""
        parts = self._pack(message)
        size = sum(map(len, parts))
        with self._book.lock:
            known = any(session.edge_id == edge_id for session in self._book.sessions.values())
            if not known or self._outbox_bytes + size > OUTBOX_BYTES:
                return False
            self._outbox.append((edge_id, parts))
            self._outbox_bytes += size
        return True

    def run(self) -> None:
        """Bind and serve until `stop`."""
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        try:
            self._serve(context)
        except PasserbyError as error:
            self.failure = error
        except zmq.ZMQError as error:
            self.failure = TransportError(f"the hub's socket at {self.address} failed: {error}")
        finally:
            self.started.set()
            context.term()
            self._book.wake_receivers()

    def _serve(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        self._read_allow_list()
        with ExitStack() as sockets:
            zap = sockets.enter_context(contextlib.closing(ZapHandler(context)))
            self._router = sockets.enter_context(context.socket(zmq.ROUTER))
            monitor = sockets.enter_context(watched(self._router))
            self._bind()
            self.started.set()
            self._turn(zap, monitor)
            self._pay()
            self._router.setsockopt(zmq.LINGER, _FAREWELL_MS)

    def _bind(self) -> None:
        router = self._router
        bound_socket(router, self.address)
        router.setsockopt(zmq.ROUTER_MANDATORY, 1)
        router.setsockopt(zmq.CURVE_SERVER, 1)
        router.setsockopt(zmq.CURVE_SECRETKEY, self._keys.pair.secret)
        router.setsockopt(zmq.ZAP_DOMAIN, DOMAIN)
        try:
            router.bind(self.address)
        except zmq.ZMQError as error:
            raise TransportError(f"the hub cannot listen at {self.address}: {error}") from error
        self.address = router.getsockopt_string(zmq.LAST_ENDPOINT)

    def _turn(self, zap: ZapHandler, monitor: zmq.Socket[bytes]) -> None:
        poller = zmq.Poller()
        for readable in (zap.socket, self._router, monitor):
            poller.register(readable, zmq.POLLIN)
        poller.register(self._waker.fileno(), zmq.POLLIN)
        next_tick = time.monotonic() + _TICK_S
        while not self._stopping.is_set():
            poller.poll(max(0, int((next_tick - time.monotonic()) * 1000) + 1))
            self._waker.drain()
            zap.answer(self._find)
            self._receive()
            self._watch(monitor)
            self._pay()
            self._post_out()
            if time.monotonic() >= next_tick:
                next_tick = time.monotonic() + _TICK_S
                self._tick()

    # What comes in

    def _receive(self) -> None:
        for _ in range(_MESSAGES_A_TURN):
            if not self._router.poll(0):
                return
            frames = self._router.recv_multipart(zmq.NOBLOCK, copy=False)
            route, body = frames[0].bytes, frames[1:]
            if not body:
                continue
            edge = self._edge_of(body[0])
            with self._book.lock:
                if edge is None:
                    self._book.tally["unauthorized"] += 1
                    self._dismiss(route)
                    continue
                self._take(route, edge, frame=body[0], parts=[frame.bytes for frame in body])

    def _edge_of(self, frame: zmq.Frame) -> AllowedEdge | None:
        """Who has proven to be the sender; None when that key is no longer allowed under that name."""
        edge = self._allowed.by_key(bytes.fromhex(str(frame.get(KEY_PROPERTY))))
        return edge if edge is not None and edge.name == frame.get("User-Id") else None

    def _take(self, route: bytes, edge: AllowedEdge, *, frame: zmq.Frame, parts: list[bytes]) -> None:
        session = self._book.sessions.get(route)
        try:
            header = read_header(parts)
        except MalformedMessageError as error:
            self._count_malformed(error, edge)
            if session is None and error.reason == "version":
                self._say(route, Refusal(boot_id=_NO_BOOT, seq=0, reason="version"))
            return
        if session is not None:
            session.last_heard = time.monotonic()
            session.last_heard_ns = time.time_ns()
        elif header.kind != "hello":
            self._book.count_refused("no-hello")
            return
        if header.seq > 0 and session is not None:
            size = sum(map(len, parts))
            if not self._book.judge(header.boot_id, header.seq, session=session, route=route, size=size):
                return
        message = self._read(route, edge, header=header, parts=parts)
        if message is None:
            return
        if isinstance(message, Hello):
            session = self._welcome(route, edge, hello=message, boot_id=header.boot_id, frame=frame)
        foreign = [camera for camera in _cameras_of(message) if not edge.may_speak_for(camera)]
        if foreign:
            _log.warning("edge %s may not speak for %s: message refused", edge.name, ", ".join(foreign[:5]))
            self._refuse(route, header, reason="camera-not-allowed")
        elif isinstance(message, Heartbeat):
            if session is not None:
                session.clock.heard(message.sent_at_ns, received_at_ns=session.last_heard_ns)
            self._say(route, Heartbeat(sent_at_ns=time.time_ns()))
        else:
            envelope = Envelope(header.boot_id, header.seq, message)
            self._book.deliver(Delivery(edge.name, envelope, parts, time.time_ns()))

    def _read(self, route: bytes, edge: AllowedEdge, *, header: HeaderView, parts: list[bytes]) -> Message | None:
        """The message; None, and it is counted and refused, when it is none or not an edge's to send."""
        try:
            message = decode(parts).message
            if header.kind not in _EDGE_KINDS:
                raise MalformedMessageError("direction", f"an edge does not send {header.kind}")
        except MalformedMessageError as error:
            self._count_malformed(error, edge)
            if header.seq > 0:
                self._refuse(route, header, reason=f"malformed-{error.reason}")
            return None
        return message

    def _refuse(self, route: bytes, header: HeaderView, *, reason: str) -> None:
        self._book.count_refused(reason)
        if header.seq > 0:
            self._book.settle(header.boot_id, header.seq, refused=reason)
        elif header.kind == "hello":
            self._say(route, Refusal(boot_id=header.boot_id, seq=0, reason=reason))

    def _welcome(self, route: bytes, edge: AllowedEdge, *, hello: Hello, boot_id: BootId, frame: zmq.Frame) -> Session:
        """Open the session of this connection, or take the news of a further Hello within it."""
        session = self._book.sessions.get(route)
        if session is not None:
            session.hello = hello
            return session
        for other_route, other in list(self._book.sessions.items()):
            if other.boot_id == boot_id and other.edge_id == edge.name:
                del self._book.sessions[other_route]  # the same process has connected anew
        session = Session(
            edge_id=edge.name,
            public_key=edge.public_key,
            boot_id=boot_id,
            address=str(frame.get("Peer-Address")),
            descriptor=int(frame.get(zmq.SRCFD)),
            hello=hello,
            connected_at_ns=time.time_ns(),
            last_heard_ns=time.time_ns(),
            last_heard=time.monotonic(),
        )
        self._book.sessions[route] = session
        self._book.tally["connections"] += 1
        self._silent_handshakes -= 1
        _log.info("edge %s connected from %s (%s)", edge.name, session.address, hello.software)
        self._grant(route, session)
        return session

    def _count_malformed(self, error: MalformedMessageError, edge: AllowedEdge) -> None:
        self._book.malformed[error.reason] += 1
        if self._book.malformed[error.reason] == 1:
            _log.warning("edge %s sent a malformed message (counted by reason from here on): %s", edge.name, error)

    # What goes out

    def _grant(self, route: bytes, session: Session) -> None:
        self._say(
            route,
            Welcome(
                software=f"passerby {__version__}",
                credit=self._book.window,
                committed_seq=self._book.committed(session.boot_id),
            ),
        )

    def _pay(self) -> None:
        """Send the Acks and Refusals that are owed; what cannot be sent stays owed."""
        with self._book.lock:
            for boot_id, boot in self._book.dues():
                if boot.route not in self._book.sessions:
                    continue
                while boot.refusals_due:
                    seq, reason = boot.refusals_due[0]
                    if not self._say(boot.route, Refusal(boot_id=boot_id, seq=seq, reason=reason)):
                        break
                    boot.refusals_due.pop(0)
                if boot.ack_due and not boot.refusals_due:
                    boot.ack_due = not self._say(boot.route, Ack(boot_id=boot_id, seq=boot.stream.committed))

    def _post_out(self) -> None:
        with self._book.lock:
            while self._outbox:
                edge_id, parts = self._outbox.popleft()
                self._outbox_bytes -= sum(map(len, parts))
                routes = [route for route, session in self._book.sessions.items() if session.edge_id == edge_id]
                sent = [self._send(route, parts) for route in routes]
                if not all(sent) or not sent:
                    self._book.tally["unsent"] += 1

    def _say(self, route: bytes, message: HubMessage) -> bool:
        return self._send(route, self._pack(message))

    def _pack(self, message: HubMessage) -> list[bytes]:
        return encode(Envelope(self._boot_id, 0, message))

    def _send(self, route: bytes, parts: list[bytes]) -> bool:
        """Whether ZeroMQ took it: it does not when the edge is gone, or has not read for long."""
        try:
            self._router.send_multipart([route, *parts], zmq.NOBLOCK)
        except zmq.ZMQError as error:
            if error.errno not in (errno.EAGAIN, errno.EHOSTUNREACH):
                raise
            return False
        return True

    # What changes by itself

    def _watch(self, monitor: zmq.Socket[bytes]) -> None:
        """Count what was turned away before it proved a key, and end the sessions of closed connections.

        Bytes that are not ZMTP at all make libzmq close the connection without a word; they are the connections that
        end with neither a failed handshake nor a session.
        """
        for event in read_events(monitor):
            failure = handshake_failure(event)
            with self._book.lock:
                if failure is not None:
                    self._book.handshake_failures[failure] += 1
                    self._failure_counted = True
                elif event.kind == zmq.Event.HANDSHAKE_SUCCEEDED:
                    self._silent_handshakes += 1
                elif event.kind == zmq.Event.DISCONNECTED:
                    self._disconnected(event.value)

    def _disconnected(self, descriptor: int) -> None:
        counted, self._failure_counted = self._failure_counted, False
        for route, session in list(self._book.sessions.items()):
            if session.descriptor == descriptor:
                del self._book.sessions[route]
                _log.info("edge %s disconnected", session.edge_id)
                return
        if counted:
            return
        if self._silent_handshakes > 0:
            self._silent_handshakes -= 1
        else:
            self._book.handshake_failures["not-zeromq"] += 1

    def _tick(self) -> None:
        self._read_allow_list()
        now = time.monotonic()
        with self._book.lock:
            for route, session in list(self._book.sessions.items()):
                edge = self._allowed.by_key(session.public_key)
                if edge is None or edge.name != session.edge_id:
                    self._dismiss(route)
                elif now - session.last_heard > SILENCE_S:
                    del self._book.sessions[route]
                    _log.warning("edge %s has been silent for %g s", session.edge_id, SILENCE_S)
                elif session.rewind_due:
                    session.rewind_due = False
                    self._book.tally["rewinds"] += 1
                    self._grant(route, session)

    def _dismiss(self, route: bytes) -> None:
        """End the session of a key that is no longer allowed."""
        session = self._book.sessions.pop(route, None)
        if session is not None:
            _log.warning("edge %s is no longer allowed: its session is over", session.edge_id)
            self._say(route, Refusal(boot_id=session.boot_id, seq=0, reason="revoked"))

    def _find(self, public_key: bytes) -> AllowedEdge | None:
        """The edge of a key; an unknown one is looked for in the file once more, for it may be new."""
        if self._allowed.by_key(public_key) is None:
            self._read_allow_list()
        return self._allowed.by_key(public_key)

    def _read_allow_list(self) -> None:
        """Take the allow-list as it is now; a broken file is reported, and the former list stays."""
        stamp = _stamp(self._keys.allow_list)
        if stamp == self._allowed_stamp:
            return
        try:
            self._allowed = AllowList.read(self._keys.allow_list)
        except ConfigError as error:
            if not self.started.is_set():
                raise
            _log.error("the former allow-list stays in force: %s", error)
        self._allowed_stamp = stamp


def _cameras_of(message: Message) -> list[CameraId]:
    match message:
        case TrackletUpdate() | Preview():
            return [message.camera_id]
        case Status():
            return [camera.camera_id for camera in message.cameras]
        case Hello():
            return list(message.cameras)
        case _:
            return []


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except OSError:
        return ()
    return (status.st_mtime_ns, status.st_size, status.st_ino)

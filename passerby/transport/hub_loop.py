"""The hub port's thread: one ROUTER socket, its authentication, its monitor, and everything that is said over it."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

import zmq

from passerby import __version__
from passerby.codec import HeaderView, decode, read_header
from passerby.errors import MalformedMessageError, PasserbyError, TransportError
from passerby.ids import BootId, CameraId
from passerby.messages import (
    Envelope,
    Heartbeat,
    Hello,
    Message,
    Preview,
    Refusal,
    Status,
    TrackletUpdate,
    Welcome,
)
from passerby.transport.allow_list import AllowedEdge
from passerby.transport.hub_book import Delivery, HubBook, Session
from passerby.transport.hub_door import HubDoor
from passerby.transport.hub_sender import HubSender
from passerby.transport.keys import HubKeys
from passerby.transport.limits import SILENCE_S
from passerby.transport.sockets import Waker, bound_socket
from passerby.transport.zap import DOMAIN

_log = logging.getLogger(__name__)
_TICK_S = 0.5
_FAREWELL_MS = 300
"""For the last Acks to leave."""
_MESSAGES_A_TURN = 256
_EDGE_KINDS = frozenset({"hello", "tracklet", "status", "heartbeat", "preview", "model-request"})
_NO_BOOT = BootId(bytes(16))


class HubLoop:
    """Runs in the port's thread; `wake` and `stop` are for the others."""

    def __init__(self, listen: str, keys: HubKeys, *, book: HubBook, sender: HubSender) -> None:
        self.address = listen
        self.started = threading.Event()
        self.failure: PasserbyError | None = None
        self.take_preview: Callable[[Preview, BootId], None] | None = None
        self._keys = keys
        self._book = book
        self._sender = sender
        self._waker = Waker()
        self._stopping = threading.Event()
        self._door: HubDoor
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
        with ExitStack() as sockets:
            self._router = sockets.enter_context(context.socket(zmq.ROUTER))
            self._sender.router = self._router
            door = HubDoor(context, self._router, path=self._keys.allow_list)
            self._door = sockets.enter_context(contextlib.closing(door))
            self._bind()
            self.started.set()
            self._turn()
            self._sender.pay()
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

    def _turn(self) -> None:
        poller = zmq.Poller()
        for readable in (self._router, *self._door.sockets()):
            poller.register(readable, zmq.POLLIN)
        poller.register(self._waker.fileno(), zmq.POLLIN)
        next_tick = time.monotonic() + _TICK_S
        while not self._stopping.is_set():
            poller.poll(max(0, int((next_tick - time.monotonic()) * 1000) + 1))
            self._waker.drain()
            self._door.answer()
            events, routes = self._door.events(), frozenset(self._book.sessions)
            self._receive()
            self._door.note(events, self._book, routes=routes)
            self._sender.pay()
            self._sender.send_queued()
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
            edge = self._door.sender_of(body[0])
            with self._book.lock:
                if edge is None:
                    self._book.tally["unauthorized"] += 1
                    self._dismiss(route)
                    continue
                self._take(route, edge, frame=body[0], parts=[frame.bytes for frame in body])

    def _take(self, route: bytes, edge: AllowedEdge, *, frame: zmq.Frame, parts: list[bytes]) -> None:
        session = self._book.sessions.get(route)
        try:
            header = read_header(parts)
        except MalformedMessageError as error:
            self._count_malformed(error, edge)
            if session is None and error.reason == "version":
                self._sender.say(route, Refusal(boot_id=_NO_BOOT, seq=0, reason="version"))
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
                session.note_backlog(message)
            self._sender.say(route, Heartbeat(sent_at_ns=time.time_ns()))
        else:
            self._deliver(edge, Envelope(header.boot_id, header.seq, message), parts=parts, session=session)

    def _deliver(self, edge: AllowedEdge, envelope: Envelope, *, parts: list[bytes], session: Session | None) -> None:
        if isinstance(envelope.message, Status) and session is not None:
            session.note_backlog(envelope.message)
        if isinstance(envelope.message, Preview) and self.take_preview is not None:
            self.take_preview(envelope.message, envelope.boot_id)
        else:
            self._book.deliver(Delivery(edge.name, envelope, parts, time.time_ns()))

    def _read(self, route: bytes, edge: AllowedEdge, *, header: HeaderView, parts: list[bytes]) -> Message | None:
        """The message; None, and it is counted and refused, when it is none or not an edge's to send."""
        try:
            message = decode(parts).message
            if header.kind not in _EDGE_KINDS:
                raise MalformedMessageError("direction", f"an edge does not send {header.kind}")
        except MalformedMessageError as error:
            self._count_malformed(error, edge)
            if header.seq > 0 and route in self._book.sessions:  # without a session no number was taken
                self._refuse(route, header, reason=f"malformed-{error.reason}")
            return None
        return message

    def _refuse(self, route: bytes, header: HeaderView, *, reason: str) -> None:
        self._book.count_refused(reason)
        if header.seq > 0:
            self._book.settle(header.boot_id, header.seq, refused=reason)
        elif header.kind == "hello":
            self._sender.say(route, Refusal(boot_id=header.boot_id, seq=0, reason=reason))

    def _welcome(self, route: bytes, edge: AllowedEdge, *, hello: Hello, boot_id: BootId, frame: zmq.Frame) -> Session:
        """Open the session of this connection, or take the news of a further Hello within it."""
        session = self._book.sessions.get(route)
        if session is not None:
            session.hello = hello
            return session
        for other_route, other in list(self._book.sessions.items()):
            if other.boot_id == boot_id and other.edge_id == edge.name:
                self._book.retire(other_route)  # the same process has connected anew
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
        self._door.said_hello()
        _log.info("edge %s connected from %s (%s)", edge.name, session.address, hello.software)
        self._grant(route, session)
        return session

    def _count_malformed(self, error: MalformedMessageError, edge: AllowedEdge) -> None:
        self._book.malformed[error.reason] += 1
        if self._book.malformed[error.reason] == 1:
            _log.warning("edge %s sent a malformed message (counted by reason from here on): %s", edge.name, error)

    # What goes out

    def _grant(self, route: bytes, session: Session) -> None:
        self._sender.say(
            route,
            Welcome(
                software=f"passerby {__version__}",
                credit=self._book.window,
                committed_seq=self._book.committed(session.boot_id),
            ),
        )

    # What changes by itself

    def _tick(self) -> None:
        self._door.refresh()
        now = time.monotonic()
        with self._book.lock:
            for route, session in list(self._book.sessions.items()):
                edge = self._door.allowed(session.public_key)
                if edge is None or edge.name != session.edge_id:
                    self._dismiss(route)
                elif now - session.last_heard > SILENCE_S:
                    self._book.retire(route)
                    _log.warning("edge %s has been silent for %g s", session.edge_id, SILENCE_S)
                elif session.rewind_due:
                    session.rewind_due = False
                    self._book.tally["rewinds"] += 1
                    self._grant(route, session)

    def _dismiss(self, route: bytes) -> None:
        """End the session of a key that is no longer allowed."""
        session = self._book.retire(route)
        if session is not None:
            _log.warning("edge %s is no longer allowed: its session is over", session.edge_id)
            self._sender.say(route, Refusal(boot_id=session.boot_id, seq=0, reason="revoked"))


def _cameras_of(message: Message) -> list[CameraId]:
    match message:
        case TrackletUpdate() | Preview():
            return [message.camera_id]
        case Status():
            return [camera.camera_id for camera in message.cameras]
        case Hello():
            return list(dict.fromkeys([*message.cameras, *message.camera_models]))
        case _:
            return []

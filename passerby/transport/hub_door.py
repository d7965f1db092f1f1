"""The hub's door: who may come in, who was turned away, and which connections have ended."""

import logging
from collections.abc import Sequence, Set
from pathlib import Path

import zmq

from passerby.errors import ConfigError
from passerby.transport.allow_list import AllowedEdge, AllowList
from passerby.transport.hub_book import HubBook
from passerby.transport.sockets import SocketEvent, handshake_failure, read_events, watched
from passerby.transport.zap import KEY_PROPERTY, ZapHandler

_log = logging.getLogger(__name__)


class HubDoor:
    """Authentication by the allow-list, and the monitor of the hub's socket. Used by the hub port's thread alone."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], router: zmq.Socket[bytes], *, path: Path) -> None:
        """`path` is the allow-list. Raises ConfigError when it is there and not readable."""
        self._path = path
        self._stamp = _stamp(path)
        self._allowed = AllowList.read(path)
        self._zap = ZapHandler(context)
        self._monitor = watched(router)
        self._silent_handshakes = 0  # proven keys that have not said Hello; -1 while Hello is ahead of its event
        self._failure_counted = False

    def close(self) -> None:
        """Stop answering and watching."""
        self._zap.close()
        self._monitor.close(0)

    def sockets(self) -> tuple[zmq.Socket[bytes], zmq.Socket[bytes]]:
        """What to poll before `attend`."""
        return self._zap.socket, self._monitor

    def answer(self) -> None:
        """Let in or turn away whoever asks."""
        self._zap.answer(self._find)

    def sender_of(self, frame: zmq.Frame) -> AllowedEdge | None:
        """Who has proven to be the sender; None when that key is no longer allowed under that name."""
        edge = self._allowed.by_key(bytes.fromhex(str(frame.get(KEY_PROPERTY))))
        return edge if edge is not None and edge.name == frame.get("User-Id") else None

    def allowed(self, public_key: bytes) -> AllowedEdge | None:
        """The edge of a key, by the list as last read."""
        return self._allowed.by_key(public_key)

    def refresh(self) -> None:
        """Read the allow-list again if it has changed; a broken file is reported, and the former list stays."""
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return
        try:
            self._allowed = AllowList.read(self._path)
        except ConfigError as error:
            _log.error("the former allow-list stays in force: %s", error)
        self._stamp = stamp

    def said_hello(self) -> None:
        """Note that a connection with a proven key has become a session."""
        self._silent_handshakes -= 1

    def events(self) -> list[SocketEvent]:
        """What has happened to connections; give it to `note` after reading the messages that came before."""
        return read_events(self._monitor)

    def note(self, events: Sequence[SocketEvent], book: HubBook, *, routes: Set[bytes]) -> None:
        """Count what was turned away before it proved a key, and end the sessions of closed connections.

        `routes` are the sessions there were when `events` were taken: a later one may have the descriptor of a
        connection that had ended by then. Bytes that are not ZMTP at all make libzmq close the connection without a
        word; they are the connections that end with neither a failed handshake nor a session.
        """
        if events:
            with book.lock:
                for event in events:
                    self._note(event, book, routes=routes)

    def _note(self, event: SocketEvent, book: HubBook, *, routes: Set[bytes]) -> None:
        failure = handshake_failure(event)
        if failure is not None:
            book.handshake_failures[failure] += 1
            self._failure_counted = True
        elif event.kind == zmq.Event.HANDSHAKE_SUCCEEDED:
            self._silent_handshakes += 1
        elif event.kind == zmq.Event.DISCONNECTED:
            counted, self._failure_counted = self._failure_counted, False
            if book.end_session_of(event.value, among=routes) or counted:
                return
            if self._silent_handshakes > 0:
                self._silent_handshakes -= 1
            else:
                book.handshake_failures["not-zeromq"] += 1

    def _find(self, public_key: bytes) -> AllowedEdge | None:
        """The edge of a key; an unknown one is looked for in the file once more, for it may be new."""
        if self._allowed.by_key(public_key) is None:
            self.refresh()
        return self._allowed.by_key(public_key)


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except OSError:
        return ()
    return (status.st_mtime_ns, status.st_size, status.st_ino)

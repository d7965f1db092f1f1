"""What both ends do to a ZeroMQ socket: bounds, time-outs, monitor events, and a way to wake its thread."""

import errno
import socket
import struct
from dataclasses import dataclass

import zmq

from passerby.codec import MAX_PART_BYTES
from passerby.transport.limits import HANDSHAKE_S, SOCKET_MESSAGES

_CURVE_BYTES = 33
"""What CURVE adds to each frame: command name, nonce, flags and authenticator (RFC 26)."""
_WATCHED = (
    zmq.Event.HANDSHAKE_SUCCEEDED
    | zmq.Event.HANDSHAKE_FAILED_AUTH
    | zmq.Event.HANDSHAKE_FAILED_PROTOCOL
    | zmq.Event.HANDSHAKE_FAILED_NO_DETAIL
    | zmq.Event.DISCONNECTED
    | zmq.Event.CLOSED
)
_PROTOCOL_FAILURES = {
    zmq.Event.PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC: "wrong-hub-key",
    zmq.Event.PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH: "not-curve",
}


@dataclass(frozen=True, slots=True)
class SocketEvent:
    """One event of a socket's monitor. `value` is a file descriptor, an errno or a protocol error, by kind."""

    kind: zmq.Event
    value: int


def bound_socket(zmq_socket: zmq.Socket[bytes], address: str) -> None:
    """Set the options that both ends share: nothing waits for ever, nothing grows without bound."""
    zmq_socket.setsockopt(zmq.LINGER, 0)
    zmq_socket.setsockopt(zmq.SNDHWM, SOCKET_MESSAGES)
    zmq_socket.setsockopt(zmq.RCVHWM, SOCKET_MESSAGES)
    zmq_socket.setsockopt(zmq.MAXMSGSIZE, MAX_PART_BYTES + _CURVE_BYTES)
    zmq_socket.setsockopt(zmq.HANDSHAKE_IVL, int(HANDSHAKE_S * 1000))
    zmq_socket.setsockopt(zmq.IPV6, int("[" in address))


def watched(zmq_socket: zmq.Socket[bytes]) -> zmq.Socket[bytes]:
    """The monitor of a socket, for the events that matter here."""
    return zmq_socket.get_monitor_socket(_WATCHED)


def read_events(monitor: zmq.Socket[bytes]) -> list[SocketEvent]:
    """Everything that the monitor has now."""
    events = []
    while monitor.poll(0):
        kind, value = struct.unpack("=Hi", monitor.recv_multipart()[0])
        events.append(SocketEvent(zmq.Event(kind), value))
    return events


def handshake_failure(event: SocketEvent) -> str | None:
    """The counted word for a handshake that failed; None for any other event."""
    match event.kind:
        case zmq.Event.HANDSHAKE_FAILED_AUTH:
            return "unknown-key"
        case zmq.Event.HANDSHAKE_FAILED_PROTOCOL:
            return _PROTOCOL_FAILURES.get(zmq.Event(event.value & 0xFFFFFFFF), "protocol")
        case zmq.Event.HANDSHAKE_FAILED_NO_DETAIL:
            timed_out = event.value in (errno.EAGAIN, errno.ETIMEDOUT)
            return "timed-out" if timed_out else "broken-off"
        case _:
            return None


class Waker:
    """Wakes a thread that polls `fileno`. Safe from any thread; a full pipe means that it is awake already."""

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)

    def fileno(self) -> int:
        """The descriptor to poll for reading."""
        return self._reader.fileno()

    def wake(self) -> None:
        """Make `fileno` readable."""
        try:
            self._writer.send(b"\0")
        except OSError:  # full, or closed
            return

    def drain(self) -> None:
        """Make `fileno` quiet again."""
        try:
            while self._reader.recv(4096):
                pass
        except BlockingIOError:
            return

    def close(self) -> None:
        """Let go of both ends."""
        self._reader.close()
        self._writer.close()

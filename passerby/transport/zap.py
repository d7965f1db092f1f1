"""The ZeroMQ Authentication Protocol (RFC 27), answered by the hub's own thread from its allow-list.

pyzmq's authenticators run an event loop of their own and know keys only; here the answer carries the edge's name as
the user id and the key as a property, so that a message of a revoked or replaced key is known as such.
"""

import struct
from collections.abc import Callable

import zmq

from passerby.transport.allow_list import AllowedEdge

DOMAIN = b"passerby"
KEY_PROPERTY = "X-Passerby-Key"
_VERSION = b"1.0"


class ZapHandler:
    """Answers libzmq's questions "may this key connect?". Poll `socket`, then call `answer`."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        self.socket = context.socket(zmq.REP)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.bind("inproc://zeromq.zap.01")

    def answer(self, find: Callable[[bytes], AllowedEdge | None]) -> None:
        """Answer every question that waits; `find` gives the edge of a public key."""
        while self.socket.poll(0):
            request = self.socket.recv_multipart()
            edge = None
            well_formed = len(request) == 7 and request[0] == _VERSION
            if well_formed and request[2] == DOMAIN and request[5] == b"CURVE":
                edge = find(request[6])
            request_id = request[1] if len(request) > 1 else b""
            if edge is None:
                self.socket.send_multipart([_VERSION, request_id, b"400", b"this key is not allowed", b"", b""])
            else:
                key = _property(KEY_PROPERTY, edge.public_key.hex())
                self.socket.send_multipart([_VERSION, request_id, b"200", b"OK", edge.name.encode(), key])

    def close(self) -> None:
        """Stop answering."""
        self.socket.close(0)


def _property(name: str, value: str) -> bytes:
    """One ZMTP metadata property."""
    name_bytes, value_bytes = name.encode(), value.encode()
    return bytes([len(name_bytes)]) + name_bytes + struct.pack(">I", len(value_bytes)) + value_bytes

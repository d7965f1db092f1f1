"""What the hub sends: commands from its main loop, and the Acks and Refusals that it owes."""

import errno
import secrets
from collections import deque

import zmq

from passerby.codec import encode
from passerby.ids import BootId, EdgeId
from passerby.messages import Ack, Envelope, HubMessage, Refusal
from passerby.transport.hub_book import HubBook
from passerby.transport.limits import OUTBOX_BYTES


class HubSender:
    """`post` is for any thread; everything else for the hub port's own, with `router` set."""

    router: zmq.Socket[bytes]

    def __init__(self, book: HubBook) -> None:
        self._book = book
        self._boot_id = BootId(secrets.token_bytes(16))
        self._outbox: deque[tuple[EdgeId, list[bytes]]] = deque()
        self._outbox_bytes = 0

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

    def send_queued(self) -> None:
        """Send what was posted, to every session of its edge."""
        with self._book.lock:
            while self._outbox:
                edge_id, parts = self._outbox.popleft()
                self._outbox_bytes -= sum(map(len, parts))
                routes = [route for route, session in self._book.sessions.items() if session.edge_id == edge_id]
                sent = [self._send(route, parts) for route in routes]
                if not all(sent) or not sent:
                    self._book.tally["unsent"] += 1

    def pay(self) -> None:
        """Send the Acks and Refusals that are owed; what cannot be sent stays owed."""
        with self._book.lock:
            for boot_id, boot in self._book.dues():
                if boot.route not in self._book.sessions:
                    continue
                while boot.refusals_due:
                    seq, reason = boot.refusals_due[0]
                    if not self.say(boot.route, Refusal(boot_id=boot_id, seq=seq, reason=reason)):
                        break
                    boot.refusals_due.pop(0)
                if boot.ack_due and not boot.refusals_due:
                    boot.ack_due = not self.say(boot.route, Ack(boot_id=boot_id, seq=boot.stream.committed))

    def say(self, route: bytes, message: HubMessage) -> bool:
        """Send to one connection now. False when the edge is gone, or has not read for long."""
        return self._send(route, self._pack(message))

    def _pack(self, message: HubMessage) -> list[bytes]:
        return encode(Envelope(self._boot_id, 0, message))

    def _send(self, route: bytes, parts: list[bytes]) -> bool:
        try:
            self.router.send_multipart([route, *parts], zmq.NOBLOCK)
        except zmq.ZMQError as error:
            if error.errno not in (errno.EAGAIN, errno.EHOSTUNREACH):
                raise
            return False
        return True

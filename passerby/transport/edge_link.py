"""The edge's end of the wire: publish what must arrive, offer what may be lost, receive what the hub asks."""

import queue
import threading
import time
from collections import deque
from dataclasses import dataclass
from types import TracebackType

from passerby.codec import encode
from passerby.errors import TransportError
from passerby.ids import BootId
from passerby.messages import (
    Envelope,
    Hello,
    HubMessage,
    ModelRequest,
    Preview,
    Status,
    TrackletUpdate,
)
from passerby.transport.edge_loop import EdgeLoop
from passerby.transport.keys import EdgeKeys
from passerby.transport.limits import INBOX_MESSAGES, OFFERED_MESSAGES
from passerby.transport.link_state import LinkState
from passerby.transport.spool import Spool

_CLOSE_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class LinkStats:
    """How the link is doing, counted since it was opened."""

    connected: bool
    """The hub has welcomed this connection."""
    problem: str
    """Why it is not connected, for a person; empty while all is well."""
    spooled_messages: int
    spooled_bytes: int
    acknowledged: int
    """Messages that the hub has committed."""
    refused: int
    """Messages that the hub will never take, and that were dropped."""
    resent: int
    """Messages sent more than once."""
    connections: int
    """Times that the hub welcomed this link."""
    lossy_dropped: int
    """Lossy messages dropped because the link was down or behind, either way."""
    malformed: int
    """Messages of the hub that were no messages."""
    window: int
    under_way: int
    clock_offset_ns: int | None
    """The hub's clock minus ours."""
    round_trip_ns: int | None

    @property
    def reconnects(self) -> int:
        """Connections after the first."""
        return max(0, self.connections - 1)


class EdgeLink:
    """One connection to the hub, kept up by a thread of its own from `__enter__` to `close`.

    What waits in `spool`, of this boot or an earlier one, is sent as soon as the hub is there. `boot_id` must be new
    for each start of the edge process. The spool is not closed with the link.
    """

    def __init__(self, address: str, keys: EdgeKeys, *, boot_id: BootId, spool: Spool, hello: Hello) -> None:
        encode(Envelope(boot_id, 0, hello))  # a Hello that cannot be sent is the caller's mistake, here and now
        self._boot_id = boot_id
        self._spool = spool
        self._offered: deque[list[bytes]] = deque()
        self._offers_dropped = 0
        self._lock = threading.Lock()
        self._received: queue.Queue[HubMessage] = queue.Queue(INBOX_MESSAGES)
        self._state = LinkState(hello=hello)
        self._loop = EdgeLoop(
            address,
            keys,
            boot_id=boot_id,
            spool=spool,
            offered=self._offered,
            received=self._received,
            state=self._state,
        )
        self._thread = threading.Thread(target=self._loop.run, name="edge-link", daemon=True)

    def __enter__(self) -> "EdgeLink":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection. What is not acknowledged stays in the spool; `flush` first to wait for it."""
        self._loop.stop()
        if self._thread.ident is not None:
            self._thread.join(_CLOSE_TIMEOUT_S)
        self._loop.close()

    def publish(self, message: TrackletUpdate | Status, *, timeout_s: float) -> int:
        """Spool a message that must arrive; returns its sequence number. It is sent as the hub gives credit.

        Waits while the spool is full, which slows the caller to the hub's pace; SpoolFullError after `timeout_s`.
        Raises MessageTooLargeError or MalformedMessageError before anything is spooled, TransportError when the spool
        or the link's thread has failed.
        """
        self._require_running()
        seq = self._spool.append(
            self._boot_id, pack=lambda seq: encode(Envelope(self._boot_id, seq, message)), timeout_s=timeout_s
        )
        self._loop.wake()
        return seq

    def offer(self, message: Preview | ModelRequest) -> bool:
        """Send a message that may be lost. False, and it is dropped, when the hub is away or the link is behind.

        Raises MessageTooLargeError or MalformedMessageError.
        """
        parts = encode(Envelope(self._boot_id, 0, message))
        with self._lock:
            if not self._state.connected or len(self._offered) >= OFFERED_MESSAGES:
                self._offers_dropped += 1
                return False
            self._offered.append(parts)
        self._loop.wake()
        return True

    def say_hello(self, hello: Hello) -> None:
        """From now on introduce this edge so (its cameras or model have changed), at once if connected."""
        encode(Envelope(self._boot_id, 0, hello))
        self._state.hello = hello
        self._state.hello_changed = True
        self._loop.wake()

    def receive(self, timeout_s: float) -> HubMessage | None:
        """The hub's next CameraCommand, ModelOffer or ModelChunk; None when none came in time."""
        try:
            return self._received.get(timeout=timeout_s) if timeout_s > 0 else self._received.get_nowait()
        except queue.Empty:
            return None

    def flush(self, timeout_s: float) -> bool:
        """Whether everything spooled is acknowledged; waits for that at most `timeout_s`."""
        return self._spool.wait_until_empty(timeout_s)

    def wait_until_connected(self, timeout_s: float) -> bool:
        """Whether the hub has welcomed this link; waits for that at most `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while not self._state.connected and self._thread.is_alive():
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not self._state.welcomed.wait(remaining):
                break
        return self._state.connected

    def stats(self) -> LinkStats:
        """The link's state and counters now."""
        state = self._state
        return LinkStats(
            connected=state.connected,
            problem=state.problem,
            spooled_messages=self._spool.message_count,
            spooled_bytes=self._spool.byte_count,
            acknowledged=state.acknowledged,
            refused=state.refused,
            resent=state.resent,
            connections=state.connections,
            lossy_dropped=self._offers_dropped + state.inbox_dropped,
            malformed=state.malformed,
            window=state.window,
            under_way=state.under_way,
            clock_offset_ns=state.clock_offset_ns,
            round_trip_ns=state.round_trip_ns,
        )

    def _require_running(self) -> None:
        if not self._thread.is_alive():
            raise TransportError(
                f"the link to the hub is not running: {self._state.problem or 'not opened, or closed'}"
            )

"""The hub's end of the wire: receive from all edges, acknowledge after the commit, send commands."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType

from passerby.errors import TransportError
from passerby.ids import BootId, CameraId, EdgeId, ModelId
from passerby.messages import Backlog, HubMessage, Preview
from passerby.transport.hub_book import Delivery, HubBook, HubCounters, Unsettled
from passerby.transport.hub_loop import HubLoop
from passerby.transport.hub_sender import HubSender
from passerby.transport.keys import HubKeys

_START_TIMEOUT_S = 10.0
_CLOSE_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class ConnectedEdge:
    """An edge that the hub has welcomed. `clock_offset_ns` is its clock minus ours (see OneWayOffset)."""

    edge_id: EdgeId
    boot_id: BootId
    address: str
    software: str
    cameras: tuple[CameraId, ...]
    model_id: ModelId
    camera_models: Mapping[CameraId, ModelId]
    """The cameras that it sees with another model."""
    connected_at_ns: int
    last_heard_ns: int
    clock_offset_ns: int | None
    window: int
    unsettled: int
    """Reliable messages received from it and neither acknowledged nor refused."""
    backlog: Backlog | None = None
    """What waits in it, as it said last; None: it has not said so yet."""


class HubPort:
    """The bound socket of a hub, served by a thread of its own from `__enter__` to `close`.

    `listen` is a ZeroMQ address (`tcp://127.0.0.1:0` takes a free port, see `address`); `window` the reliable messages
    that one edge may have under way; `committed` the last sequence number that the hub's database holds, by boot id,
    refused messages included. Its methods may be called from any thread.
    """

    def __init__(self, listen: str, keys: HubKeys, *, window: int, committed: Mapping[BootId, int]) -> None:
        self._book = HubBook(window=window, committed=committed)
        self._sender = HubSender(self._book)
        self._loop = HubLoop(listen, keys, book=self._book, sender=self._sender)
        self._thread = threading.Thread(target=self._loop.run, name="hub-port", daemon=True)

    def __enter__(self) -> "HubPort":
        """Bind. Raises TransportError when the address is taken, ConfigError when the allow-list is not readable."""
        self._thread.start()
        self._loop.started.wait(_START_TIMEOUT_S)
        if self._loop.failure is not None:
            self._thread.join(_CLOSE_TIMEOUT_S)
            self._loop.close()
            raise self._loop.failure
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Send what was acknowledged, then close the socket; edges keep what was not."""
        self._loop.stop()
        if self._thread.ident is not None:
            self._thread.join(_CLOSE_TIMEOUT_S)
        self._loop.close()

    @property
    def address(self) -> str:
        """The address as bound, with its port."""
        return self._loop.address

    def receive(self, *, max_messages: int, timeout_s: float) -> list[Delivery]:
        """Messages in each edge's order; waits at most `timeout_s` for the first. Empty when none came.

        Hello, TrackletUpdate, Status, Preview and ModelRequest come here. Raises TransportError when the thread failed.
        """
        deliveries = self._book.take_deliveries(max_messages, timeout_s=timeout_s)
        if not deliveries and not self._thread.is_alive():
            raise self._loop.failure or TransportError("the hub's port is not open")
        return deliveries

    def divert(self, take: Callable[[Preview, BootId], None]) -> None:
        """Give live pictures to `take` from now on, in the port's thread, which it may not hold up; `receive` has none.

        So whoever waits for messages that must be worked on is not woken by those that may be lost.
        """
        self._loop.take_preview = take

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Tell the edges that these are committed. Call it after the transaction, never before.

        Lossy messages among them need none. Raises TransportError for one that was settled already.
        """
        with self._book.lock:
            for delivery in deliveries:
                self._book.settle(delivery.envelope.boot_id, delivery.envelope.seq, refused=None)
        self._loop.wake()

    def refuse(self, delivery: Delivery, reason: str) -> None:
        """Tell the edge that this message will never be taken. `reason` is a short fixed word, and is counted.

        The edge drops it: whatever `committed` gives after a restart should cover refused messages too.
        """
        with self._book.lock:
            self._book.count_refused(reason)
            self._book.settle(delivery.envelope.boot_id, delivery.envelope.seq, refused=reason)
        self._loop.wake()

    def send(self, edge_id: EdgeId, message: HubMessage) -> bool:
        """Queue a message to every connected process of an edge. False when there is none, or too much waits.

        It may still be lost with the connection. Raises MessageTooLargeError or MalformedMessageError.
        """
        queued = self._sender.post(edge_id, message)
        self._loop.wake()
        return queued

    def edges(self) -> list[ConnectedEdge]:
        """The welcomed edges, by id and time of connection."""
        with self._book.lock:
            return sorted(
                (
                    ConnectedEdge(
                        edge_id=session.edge_id,
                        boot_id=session.boot_id,
                        address=session.address,
                        software=session.hello.software,
                        cameras=tuple(session.hello.cameras),
                        model_id=session.hello.model_id,
                        camera_models=dict(session.hello.camera_models),
                        connected_at_ns=session.connected_at_ns,
                        last_heard_ns=session.last_heard_ns,
                        clock_offset_ns=session.clock.offset_ns,
                        window=self._book.window,
                        unsettled=self._book.open_messages(session.edge_id),
                        backlog=session.backlog,
                    )
                    for session in self._book.sessions.values()
                ),
                key=lambda edge: (edge.edge_id, edge.connected_at_ns),
            )

    def unsettled(self) -> Unsettled:
        """What was received from all edges and is neither acknowledged nor refused: how far the caller is behind."""
        with self._book.lock:
            return self._book.unsettled()

    def counters(self) -> HubCounters:
        """Everything counted since the port was opened."""
        with self._book.lock:
            return self._book.counters()

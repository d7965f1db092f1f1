"""What the hub's port knows, shared between its thread and its callers under one lock: sessions, streams, counters."""

import logging
import threading
from collections import Counter, deque
from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from passerby.codec import MAX_MESSAGE_BYTES
from passerby.errors import TransportError
from passerby.ids import BootId, EdgeId
from passerby.messages import Backlog, Envelope, Heartbeat, Hello, Status
from passerby.transport.boot_stream import BootStream, Verdict
from passerby.transport.clock_offset import OneWayOffset
from passerby.transport.limits import INBOX_MESSAGES, PROCESSES_PER_KEY, WINDOW_BYTES

_log = logging.getLogger(__name__)
_BOOTS_PER_EDGE = 256


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as it came: who proved to be its sender, what it says, its bytes, and when by our clock."""

    edge_id: EdgeId
    envelope: Envelope
    parts: list[bytes]
    received_at_ns: int


@dataclass(frozen=True, slots=True)
class HubCounters:
    """Counted since the port was opened."""

    received: int
    """Messages given to the caller."""
    acknowledged: int
    duplicates: int
    """Reliable messages that had come before; they have no effect."""
    gaps: int
    """Sequence numbers that never came: the edge no longer has them."""
    rewinds: int
    """Times that an edge was asked to send again from its oldest message."""
    over_window: int
    """Reliable messages beyond an edge's credit; not taken, and sent again."""
    lossy_dropped: int
    """Lossy messages for which there was no room."""
    unsent: int
    """Messages to an edge that was gone or did not read."""
    malformed: Mapping[str, int]
    """By reason (docs/wire.md)."""
    refused: Mapping[str, int]
    """By reason."""
    handshake_failures: Mapping[str, int]
    """By kind: what was turned away before it had proven a key."""
    unauthorized: int
    """Messages over connections whose key has been revoked or replaced since."""
    connections: int
    """Hellos welcomed."""


@dataclass(slots=True)
class Session:
    """One welcomed connection."""

    edge_id: EdgeId
    public_key: bytes
    boot_id: BootId
    address: str
    descriptor: int
    hello: Hello
    connected_at_ns: int
    last_heard_ns: int
    last_heard: float
    backlog: Backlog | None = None
    tells_backlog: bool = False
    """Its heartbeats do: what a Status says is older."""
    clock: OneWayOffset = field(default_factory=OneWayOffset)
    boots: set[BootId] = field(default_factory=set)
    rewind_due: bool = False

    def note_backlog(self, message: Heartbeat | Status) -> None:
        """What waits in the edge, as it says itself; an edge of wire 1.2 says so with each Status alone."""
        if isinstance(message, Status):
            if not self.tells_backlog:
                self.backlog = Backlog(
                    messages=message.spooled_messages, size=message.spooled_bytes, refused=message.refused_messages
                )
        elif message.backlog is not None:
            self.backlog, self.tells_backlog = message.backlog, True


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Reliable messages received and neither acknowledged nor refused. `oldest_ns`: since when the first of them is."""

    messages: int
    size: int
    oldest_ns: int | None


@dataclass(slots=True)
class _Boot:
    edge_id: EdgeId
    stream: BootStream
    route: bytes
    ack_due: bool = False
    refusals_due: list[tuple[int, str]] = field(default_factory=list)


class HubBook:
    """Every method wants `lock` held, except `take_deliveries`."""

    def __init__(self, *, window: int, committed: Mapping[BootId, int]) -> None:
        self.lock = threading.RLock()
        self.window = window
        self.sessions: dict[bytes, Session] = {}
        self.tally: Counter[str] = Counter()
        self.malformed: Counter[str] = Counter()
        self.handshake_failures: Counter[str] = Counter()
        self._retired: set[int] = set()
        self._refused: Counter[str] = Counter()
        self._committed = dict(committed)
        self._boots: dict[BootId, _Boot] = {}
        self._arrived = threading.Condition(self.lock)
        self._inbox: deque[Delivery] = deque()
        self._lossy_waiting = 0

    def committed(self, boot_id: BootId) -> int:
        """The last number of the boot up to which everything is settled."""
        boot = self._boots.get(boot_id)
        return self._committed.get(boot_id, 0) if boot is None else boot.stream.committed

    def retire(self, route: bytes) -> Session | None:
        """End a session whose connection is still open; what its socket does later is known as its own."""
        session = self.sessions.pop(route, None)
        if session is not None:
            self._retired.add(session.descriptor)
        return session

    def end_session_of(self, descriptor: int, *, among: Set[bytes]) -> bool:
        """End the session of these routes whose connection had this file descriptor; whether there is or was one."""
        if descriptor in self._retired:
            self._retired.discard(descriptor)
            return True
        for route, session in self.sessions.items():
            if session.descriptor == descriptor and route in among:
                del self.sessions[route]
                _log.info("edge %s disconnected", session.edge_id)
                return True
        return False

    def open_messages(self, edge_id: EdgeId) -> int:
        """Received from the edge and not settled."""
        return sum(boot.stream.open_messages for boot in self._boots.values() if boot.edge_id == edge_id)

    def unsettled(self) -> Unsettled:
        """Received from all edges and not settled."""
        streams = [boot.stream for boot in self._boots.values()]
        return Unsettled(
            messages=sum(stream.open_messages for stream in streams),
            size=sum(stream.open_bytes for stream in streams),
            oldest_ns=min((at for stream in streams if (at := stream.oldest_open_ns) is not None), default=None),
        )

    def boot(self, boot_id: BootId, *, session: Session, route: bytes) -> _Boot | None:
        """The book of a boot that this session sends for; None when the boot is another edge's."""
        boot = self._boots.get(boot_id)
        if boot is None:
            self._make_room(session.edge_id)
            stream = BootStream(self._committed.get(boot_id, 0))
            boot = self._boots[boot_id] = _Boot(session.edge_id, stream, route)
        if boot.edge_id != session.edge_id:
            return None
        boot.route = route
        return boot

    def judge(self, boot_id: BootId, seq: int, *, session: Session, route: bytes, size: int) -> bool:
        """Whether a reliable message is to be taken; its slot is open then. Counts, and notes what the edge is owed."""
        boot = self.boot(boot_id, session=session, route=route)
        if boot is None:
            self.count_refused("boot-of-another-edge")
            return False
        first = boot_id not in session.boots
        session.boots.add(boot_id)
        verdict, skipped = boot.stream.judge(seq, first_of_connection=first)
        match verdict:
            case Verdict.DUPLICATE:
                self.tally["duplicates"] += 1
                boot.ack_due |= seq <= boot.stream.committed
                return False
            case Verdict.GAP:
                session.rewind_due = True
                return False
        if self._over_window(session.edge_id):
            self.tally["over_window"] += 1
            boot.stream.leave(seq)
            session.rewind_due = True
            return False
        self.tally["gaps"] += skipped
        boot.stream.take(seq, size=size, now_ns=session.last_heard_ns)
        return True

    def settle(self, boot_id: BootId, seq: int, *, refused: str | None) -> None:
        """Note that a taken message is committed or refused. Lossy ones (0) need nothing."""
        if seq == 0:
            return
        boot = self._boots.get(boot_id)
        if boot is None:
            raise TransportError(f"message {seq} of an unknown boot is not waiting to be acknowledged or refused")
        settled = boot.stream.settle(seq, refused=refused)
        boot.refusals_due.extend(settled.refusals)
        boot.ack_due |= settled.ack is not None
        self.tally["acknowledged"] += refused is None

    def dues(self) -> list[tuple[BootId, _Boot]]:
        """The boots whose edges are owed an Ack or a Refusal."""
        return [(boot_id, boot) for boot_id, boot in self._boots.items() if boot.ack_due or boot.refusals_due]

    def deliver(self, delivery: Delivery) -> None:
        """Hand a message to whoever calls `take_deliveries`; a lossy one is dropped when too many wait."""
        if delivery.envelope.seq == 0:
            if self._lossy_waiting >= INBOX_MESSAGES:
                self.tally["lossy_dropped"] += 1
                return
            self._lossy_waiting += 1
        self._inbox.append(delivery)
        self.tally["received"] += 1
        self._arrived.notify_all()

    def take_deliveries(self, max_messages: int, *, timeout_s: float) -> list[Delivery]:
        """The oldest waiting messages; waits at most `timeout_s` for the first."""
        with self.lock:
            self._arrived.wait_for(lambda: bool(self._inbox), timeout_s)
            taken = [self._inbox.popleft() for _ in range(min(max_messages, len(self._inbox)))]
            self._lossy_waiting -= sum(delivery.envelope.seq == 0 for delivery in taken)
            return taken

    def wake_receivers(self) -> None:
        """Let `take_deliveries` return, because nothing will come any more."""
        with self.lock:
            self._arrived.notify_all()

    def count_refused(self, reason: str) -> None:
        """Count a refusal."""
        self._refused[reason] += 1

    def counters(self) -> HubCounters:
        """A copy of all counters."""
        return HubCounters(
            **{
                name: self.tally[name]
                for name in (
                    "received",
                    "acknowledged",
                    "duplicates",
                    "gaps",
                    "rewinds",
                    "over_window",
                    "lossy_dropped",
                    "unsent",
                    "unauthorized",
                    "connections",
                )
            },
            malformed=dict(self.malformed),
            refused=dict(self._refused),
            handshake_failures=dict(self.handshake_failures),
        )

    def _make_room(self, edge_id: EdgeId) -> None:
        """Keep few books of an edge: those of boots that are settled and no longer sent for become one number each."""
        boots = {boot_id: boot for boot_id, boot in self._boots.items() if boot.edge_id == edge_id}
        if len(boots) < _BOOTS_PER_EDGE:
            return
        for boot_id, boot in boots.items():
            if not boot.stream.open_messages:
                if boot.stream.committed:
                    self._committed[boot_id] = boot.stream.committed
                del self._boots[boot_id]

    def _over_window(self, edge_id: EdgeId) -> bool:
        streams = [boot.stream for boot in self._boots.values() if boot.edge_id == edge_id]
        messages = sum(stream.open_messages for stream in streams)
        size = sum(stream.open_bytes for stream in streams)
        return messages >= PROCESSES_PER_KEY * self.window or size >= PROCESSES_PER_KEY * (
            WINDOW_BYTES + MAX_MESSAGE_BYTES
        )

"""The hub's book of one edge boot: which sequence numbers came, which are settled, what must be sent again. Pure."""

from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum

from passerby.errors import TransportError


class Verdict(Enum):
    """What to do with a numbered message."""

    ACCEPT = "accept"
    DUPLICATE = "duplicate"
    GAP = "gap"
    """Something before it is missing: leave it, and have the edge send again from its oldest."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What to tell the edge now. `refusals` are (seq, reason) in order; `ack` is the new committed mark, if it rose."""

    refusals: tuple[tuple[int, str], ...]
    ack: int | None


@dataclass(slots=True)
class _Slot:
    size: int
    taken_at_ns: int
    settled: bool = False
    reason: str | None = None


class BootStream:
    """Sequence numbers count from 1 without gaps. `committed` <= `received`, and between them are the open slots.

    A refusal is told only when everything before it is settled, so that both an Ack and a Refusal mean "up to and
    including this number", and what an edge still holds is always one unbroken run.
    """

    def __init__(self, committed: int) -> None:
        self.committed = committed
        self.received = committed
        self.open_bytes = 0
        self._slots: OrderedDict[int, _Slot] = OrderedDict()
        self._highest_left: int | None = None

    @property
    def open_messages(self) -> int:
        """Received and not settled, or settled behind one that is not."""
        return len(self._slots)

    @property
    def oldest_open_ns(self) -> int | None:
        """When the first of the open messages was received; None where none is open."""
        first = next(iter(self._slots.values()), None)
        return None if first is None else first.taken_at_ns

    def judge(self, seq: int, *, first_of_connection: bool) -> tuple[Verdict, int]:
        """The verdict on `seq`, and how many numbers it skips for good (0 unless accepted over a gap).

        A connection keeps order and begins with the oldest message that the edge holds, so whatever is missing before
        the first is no longer there to be sent. Later in a connection a gap is asked for once: only when the edge
        has begun again (a number seen before the gap comes back) and still skips it, it is accepted.
        """
        if first_of_connection:
            self._highest_left = None
        if seq <= self.received:
            return Verdict.DUPLICATE, 0
        begins_again = self._highest_left is not None and seq <= self._highest_left
        if seq == self.received + 1 or first_of_connection or begins_again:
            return Verdict.ACCEPT, seq - self.received - 1
        self._highest_left = seq
        return Verdict.GAP, 0

    def leave(self, seq: int) -> None:
        """Note that an acceptable message was not taken (over the window): it must come again."""
        self._highest_left = max(seq, self._highest_left or 0)

    def take(self, seq: int, *, size: int, now_ns: int) -> None:
        """Open the slot of an accepted message of `size` bytes, which is received now."""
        self.received = seq
        self._highest_left = None
        self._slots[seq] = _Slot(size, now_ns)
        self.open_bytes += size

    def settle(self, seq: int, *, refused: str | None) -> Settled:
        """Mark `seq` committed, or refused for a reason. Raises TransportError for a number that is not open."""
        slot = self._slots.get(seq)
        if slot is None or slot.settled:
            raise TransportError(f"message {seq} is not waiting to be acknowledged or refused")
        slot.settled, slot.reason = True, refused
        before = self.committed
        refusals: list[tuple[int, str]] = []
        while self._slots:
            head = next(iter(self._slots))
            if not self._slots[head].settled:
                break
            done = self._slots.pop(head)
            self.open_bytes -= done.size
            self.committed = head
            if done.reason is not None:
                refusals.append((head, done.reason))
        return Settled(tuple(refusals), self.committed if self.committed > before else None)

"""Recorded messages through a hub: at the times at which they came, so that it decides as it did then."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from hub.site_hub import Hub, IngestResult
from passerby.codec import decode
from passerby.ids import EdgeId
from passerby.messages import Envelope
from passerby.tape import TapeRecord

AFTERWARDS_NS = 10 * 10**9
"""How long the hub's time goes on after the last message, so that nothing stays deferred."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages that the hub took together."""

    received_at_ns: int
    deliveries: Sequence[tuple[EdgeId, Envelope]]


def batches(records: Iterable[TapeRecord]) -> Iterator[Batch]:
    """The batches of a tape: what the hub took together stands on it with the same time.

    Raises MalformedMessageError, and what reading the records raises.
    """
    for received_at_ns, together in itertools.groupby(records, key=lambda record: record.received_at_ns):
        yield Batch(received_at_ns, [(record.edge_id, decode(record.parts)) for record in together])


class Playback:
    """Feeds a hub with batches in the order of their times; time goes on between them as the hub's `tick` lets it."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._latest_ns: int | None = None
        self.messages = 0
        self.refused = 0

    def take(self, batch: Batch) -> IngestResult:
        """Let the hub take a batch; of messages alone that may be lost it takes nothing. Raises StoreError."""
        now_ns = self._latest_ns = batch.received_at_ns
        if any(envelope.seq > 0 for _, envelope in batch.deliveries):
            result = self._hub.ingest(batch.deliveries, now_ns=now_ns)
        else:
            result = IngestResult(self._hub.tick(now_ns), ())
        self.messages += len(batch.deliveries)
        self.refused += len(result.refusals)
        return result

    def finish(self) -> None:
        """Let time run on until everything is decided. Raises StoreError."""
        if self._latest_ns is not None:
            self._hub.tick(self._latest_ns + AFTERWARDS_NS)

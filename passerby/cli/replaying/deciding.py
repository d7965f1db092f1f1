"""The hub's side of a replay: messages at their times, and the ticks between them."""

from collections.abc import Sequence

from hub.site_hub import Hub
from passerby.codec import decode
from passerby.tape import TapeRecord

_TICK_NS = 500_000_000
"""What time alone decides (a deferred tracklet, a silent one) is decided twice a second."""

_AFTERWARDS_NS = 10 * 10**9
"""How long the hub's time goes on after the last message, so that nothing stays deferred."""


class ReplayedHub:
    """Feeds a hub with recorded messages; the clock is that of the recording, so it decides as it would have then."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._ticked_at_ns: int | None = None
        self.messages = 0
        self.refused = 0

    def receive(self, records: Sequence[TapeRecord]) -> None:
        """Messages that came at one time, not before those of the last call.

        Raises MalformedMessageError, StoreError.
        """
        if not records:
            return
        now_ns = records[0].received_at_ns
        self._tick_until(now_ns)
        result = self._hub.ingest([(record.edge_id, decode(record.parts)) for record in records], now_ns=now_ns)
        self.messages += len(records)
        self.refused += len(result.refusals)

    def finish(self) -> None:
        """Let the time run on until everything is decided."""
        if self._ticked_at_ns is not None:
            self._tick_until(self._ticked_at_ns + _AFTERWARDS_NS)

    def _tick_until(self, now_ns: int) -> None:
        """Ticks stand at fixed steps from the first message, whatever comes between."""
        if self._ticked_at_ns is None:
            self._ticked_at_ns = now_ns
        while self._ticked_at_ns + _TICK_NS <= now_ns:
            self._ticked_at_ns += _TICK_NS
            self._hub.tick(self._ticked_at_ns)

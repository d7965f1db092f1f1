"""How far the log of decisions has come: one look at the database, however many watch."""

import asyncio
import time

from starlette.concurrency import run_in_threadpool

from hub.services import Services


class Feed:
    """Asked by every open stream; looks at most every `PAUSE_S`. Belongs to one event loop."""

    PAUSE_S = 0.1

    def __init__(self, services: Services) -> None:
        self._services = services
        self._latest = 0
        self._looked_at = float("-inf")
        self._looking: asyncio.Lock | None = None
        self.is_over = False
        """Whether the server stops: streams end."""

    async def latest(self) -> int:
        """The id of the latest event, as of a tenth of a second ago. Raises StoreError."""
        if self._looking is None:
            self._looking = asyncio.Lock()
        async with self._looking:
            if time.monotonic() - self._looked_at >= self.PAUSE_S:
                self._latest = await run_in_threadpool(lambda: self._services.reader().last_event_id())
                self._looked_at = time.monotonic()
        return self._latest

"""One look at the database a few times a second for all open pages, however many there are."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from hub.dashboard.gallery import Gallery
from hub.dashboard.linked import Told, told
from hub.reader import SiteReader, StoredStatus
from hub.records import Event
from passerby.errors import PasserbyError

_log = logging.getLogger("passerby.web")

PERIOD_S = 0.08
_STATUS_EVERY = 12
"""Looks: how cameras are is asked for about once a second."""

_MOST_EVENTS = 200
"""In one look; what is more comes with the next."""


@dataclass(frozen=True, slots=True)
class News:
    """What has happened since the look before: `events` in order, and how `cameras` are where that was asked."""

    events: Sequence[Event]
    cameras: Sequence[StoredStatus] | None
    told: Sequence[Told] = ()
    """Of the events those that the feed tells, written once for all pages."""


Listener = Callable[[News], None]


class Pulse:
    """Looks while somebody listens. `open_reader` may block, and is called in a thread."""

    def __init__(self, open_reader: Callable[[], SiteReader], gallery: Gallery) -> None:
        self._open_reader = open_reader
        self._gallery = gallery
        self._listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None
        self._after: int | None = None
        self._looks = 0

    @contextlib.contextmanager
    def listening(self, listener: Listener) -> Iterator[None]:
        """Let somebody hear of all that happens; called in the event loop."""
        self.add(listener)
        try:
            yield
        finally:
            self.remove(listener)

    def add(self, listener: Listener) -> None:
        """Begin to tell somebody, in the event loop."""
        self._listeners.add(listener)
        if self._task is None or self._task.done():
            self._after = None
            self._task = asyncio.get_running_loop().create_task(self._look_on(), name="pulse")

    def remove(self, listener: Listener) -> None:
        """Tell them no more."""
        self._listeners.discard(listener)

    async def close(self) -> None:
        """End it."""
        self._listeners.clear()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _look_on(self) -> None:
        said = ""
        while self._listeners:
            try:
                news = await asyncio.to_thread(self._look)
            except PasserbyError as error:
                if str(error) != said:  # once, not at each look
                    said = str(error)
                    _log.warning("%s", said)
                await asyncio.sleep(1.0)
                continue
            said = ""
            if news.events or news.cameras is not None:
                for listener in tuple(self._listeners):
                    listener(news)
            await asyncio.sleep(PERIOD_S)

    def _look(self) -> News:
        reader = self._open_reader()
        if self._after is None:
            self._after = reader.last_event_id()
        events = reader.events(after=self._after, limit=_MOST_EVENTS)
        if events:
            self._after = events[-1].event_id
        self._looks += 1
        cameras = reader.cameras() if self._looks % _STATUS_EVERY == 1 else None
        return News(events, cameras, told(reader, self._gallery, events))

"""Looking at the site's data for what is worth telling, and putting it into the outbox."""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from hub.database.opening import has_history
from hub.outgoing.camera_watch import CameraWatch, cameras_now
from hub.outgoing.news import CameraNews, Draft, drafts_of_event, drafts_of_job, drafts_of_rollout
from hub.outgoing.outbox import Outbox
from hub.outgoing.presence import People, people_now
from hub.reader import SiteReader
from passerby.adaptation.job import UNDER_WAY, JobBook
from passerby.errors import ConfigError, DataError, StoreError
from passerby.ids import CameraId

_log = logging.getLogger("passerby.notify")

_AT_ONCE = 500
_SELDOM_NS = 5 * 10**9
"""Adaptations take minutes; they are looked at this often."""


@dataclass(frozen=True, slots=True)
class Now:
    """The site at this moment."""

    people: People = field(default_factory=People)
    cameras: Mapping[CameraId, CameraNews] = field(default_factory=dict)


class Collector:
    """Knows how far it has looked, in the outbox: after a restart it goes on from there.

    `cameras` gives those that the site has now. At the very first start it begins with what happens from then on.
    """

    def __init__(self, data_dir: Path, outbox: Outbox, *, cameras: Callable[[], Collection[CameraId]]) -> None:
        self._data_dir = data_dir
        self._outbox = outbox
        self._cameras = cameras
        self._reader: SiteReader | None = None
        self._watch = CameraWatch(_names(outbox.fact("offline")))
        self._looked_seldom_ns: int | None = None
        if outbox.fact("event") is None and not has_history(data_dir):
            outbox.put([], facts={"event": "0", "rollout": "0"})

    def look(self, *, now_ns: int) -> Now:
        """Put what is new into the outbox; gives the site as it is. Raises StoreError."""
        try:
            reader = self._opened()
            self._take_events(reader)
            if self._looked_seldom_ns is None or not 0 <= now_ns - self._looked_seldom_ns < _SELDOM_NS:
                self._take_adaptations(reader)
                self._looked_seldom_ns = now_ns
            return self._look_at_cameras(reader, now_ns=now_ns)
        except StoreError:
            self.close()  # a hub that starts may bring the database to another schema
            raise

    def close(self) -> None:
        """Let go of the database."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _opened(self) -> SiteReader:
        if self._reader is None:
            self._reader = SiteReader(self._data_dir)
        return self._reader

    def _take_events(self, reader: SiteReader) -> None:
        known = self._outbox.fact("event")
        if known is None:
            self._outbox.put([], facts={"event": str(reader.last_event_id())})
            return
        after = int(known)
        while events := reader.events(after=after, limit=_AT_ONCE):
            after = events[-1].event_id
            drafts = [draft for event in events for draft in drafts_of_event(event)]
            self._outbox.put(drafts, facts={"event": str(after)})

    def _take_adaptations(self, reader: SiteReader) -> None:
        drafts: list[Draft] = []
        facts = {}
        steps = reader.rollout_history()
        known = self._outbox.fact("rollout")
        if known is not None:
            drafts += [draft for step in steps if step.number > int(known) for draft in drafts_of_rollout(step)]
        facts["rollout"] = str(max((step.number for step in steps), default=0))
        ended = self._ended_jobs(drafts)
        if ended is not None:
            facts["jobs"] = ended
        if drafts or any(self._outbox.fact(key) != value for key, value in facts.items()):
            self._outbox.put(drafts, facts=facts)

    def _ended_jobs(self, drafts: list[Draft]) -> str | None:
        """The numbers of the jobs that have ended, for the outbox; news of those that were not among them before."""
        told = self._outbox.fact("jobs")
        before = _numbers(told)
        ended = set()
        try:
            for job in JobBook(self._data_dir).jobs():
                progress = job.progress()
                if progress.state in UNDER_WAY:
                    continue
                ended.add(job.number)
                if told is not None and job.number not in before:
                    drafts += drafts_of_job(job.number, progress)
        except DataError as error:
            _log.warning("adaptations are not told of: %s", error)
            return None
        return msgspec.json.encode(sorted(ended)).decode()

    def _look_at_cameras(self, reader: SiteReader, *, now_ns: int) -> Now:
        try:
            names = self._cameras()
        except ConfigError as error:
            raise StoreError(str(error)) from error
        cameras = cameras_now(reader.cameras(), names, now_ns=now_ns)
        watch, news = self._watch.after(cameras, now_ns=now_ns)
        if watch.offline != self._watch.offline:
            drafts = [Draft(kind="camera", at_ns=now_ns, news=one) for one in news]
            self._outbox.put(drafts, facts={"offline": msgspec.json.encode(sorted(watch.offline)).decode()})
        self._watch = watch
        return Now(people_now(reader, names, now_ns=now_ns), cameras)


def _numbers(text: str | None) -> frozenset[int]:
    return frozenset() if text is None else msgspec.json.decode(text, type=frozenset[int])


def _names(text: str | None) -> frozenset[CameraId]:
    return frozenset() if text is None else msgspec.json.decode(text, type=frozenset[CameraId])

"""What is kept longer than was meant is let go: pictures first, then tracklets, and people of whom nothing is left.

In small steps between two batches, so that nobody waits for it. The event log stays: it holds numbers. Who is enrolled
is not touched: that has an end of its own. What is deleted here is deleted as files are; its bytes are on the disk
until they are written over. To erase somebody is another thing.
"""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from hub.reader import SiteReader
from hub.records import EventKind, Identity, IdentityState, Tracklet, TrackletNumber
from hub.site_hub import Hub
from hub.state import PICTURELESS, SiteState
from passerby.config import RetentionSettings
from passerby.errors import DataError, StoreError

_log = logging.getLogger("passerby.hub")

AT_ONCE = 32
"""Tracklets in one step."""

FIRST_S = 60.0
"""It begins so long after the start: a clock that is wrong then may be set right."""

STEP_S = 0.5
LOOK_S = 60.0
"""From step to step while there is something to do, and from look to look."""

_DAY_NS = 86_400 * 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Outdated:
    """One step: what is let go in one transaction."""

    pictures: tuple[TrackletNumber, ...] = ()
    """Tracklets that stay, without their pictures."""
    tracklets: tuple[Tracklet, ...] = ()
    people: tuple[Identity, ...] = ()
    """Those of whom no tracklet is left then."""
    parts: tuple[Identity, ...] = ()
    """Identities that had been merged into them."""

    def __bool__(self) -> bool:
        return bool(self.pictures or self.tracklets)

    def carry_out(self, state: SiteState) -> None:
        """Change the state, and say of whom nothing is left."""
        if self.pictures:
            state.let_go_pictures(self.pictures)
        state.changes.pictureless.update({one.number: None for one in self.tracklets})
        state.erase(self.tracklets)
        for part in self.parts:
            state.changes.nameless[part.identity_id] = None
            state.put_identity(replace(part, name=None, name_id=None))
        for identity in self.people:
            state.changes.nameless[identity.identity_id] = None
            gone = replace(identity, state=IdentityState.ERASED, name=None, name_id=None, updated_at_ns=state.clock_ns)
            state.put_identity(gone)
            state.say(EventKind.ERASED, identity.identity_id)


def outdated(archive: SiteReader, state: SiteState, settings: RetentionSettings, *, now_ns: int) -> Outdated:
    """What comes next at this time: nothing where all that is kept may be kept. Raises StoreError."""
    if settings.tracklets_days:
        before_ns = now_ns - round(settings.tracklets_days * _DAY_NS)
        tracklets = archive.closed_without_news_since(before_ns, most=AT_ONCE)
        if tracklets:
            people = archive.only_in(tracklets)
            parts = archive.merged_into_any([one.identity_id for one in people])
            return Outdated(tracklets=tuple(tracklets), people=tuple(people), parts=tuple(parts))
    if settings.crops_days:
        before_ns = now_ns - round(settings.crops_days * _DAY_NS)
        # Tracklets have numbers in the order of their beginnings: one that went on for long lets the next ones wait.
        found = archive.closed_after(state.counters.get(PICTURELESS, 0), most=AT_ONCE)
        old = [one.number for one in found]
        for place, one in enumerate(found):
            if one.updated_at_ns >= before_ns:
                old = old[:place]
                break
        return Outdated(pictures=tuple(old))
    return Outdated()


class Retention:
    """Lets go of what is outdated, a step at a time. What fails is in the log and tried again."""

    def __init__(self, hub: Hub, data_dir: Path, settings: RetentionSettings) -> None:
        self._hub = hub
        self._data_dir = data_dir
        self._settings = settings
        self._archive: SiteReader | None = None
        self._due: float | None = None
        self._gone = [0, 0, 0]

    def look(self, *, now_ns: int, now: float) -> None:
        """Do what is due: `now_ns` is the time of day, `now` seconds of a monotonic clock. Call it often."""
        if self._due is None:
            self._due = now + FIRST_S
        if now < self._due:
            return
        try:
            step = self.step(now_ns=now_ns)
        except (StoreError, DataError) as error:
            _log.error("what is kept too long is not let go now: %s", error)
            step = Outdated()
        self._due = now + (STEP_S if step else LOOK_S)
        if step:
            self._gone = [
                done + more
                for done, more in zip(
                    self._gone, (len(step.pictures), len(step.tracklets), len(step.people)), strict=True
                )
            ]
        elif any(self._gone):
            pictures, tracklets, people = self._gone
            _log.info(
                "kept long enough: pictures of %d tracklets, %d tracklets, %d people", pictures, tracklets, people
            )
            self._gone = [0, 0, 0]

    def step(self, *, now_ns: int) -> Outdated:
        """Let go of the next things, and give what they were. Raises StoreError."""
        if self._archive is None:
            self._archive = SiteReader(self._data_dir)
        step = outdated(self._archive, self._hub.state, self._settings, now_ns=now_ns)
        if step:
            self._hub.let_go(step.carry_out)
        return step

    def close(self) -> None:
        """Let go of the database."""
        if self._archive is not None:
            self._archive.close()

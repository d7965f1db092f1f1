"""When adaptations begin by themselves: as the site file has it, unless the running site was told something else.

What it was told lies in `adaptation/schedule.json` under the site's data; the hand-written site file is never
rewritten. Beside it, in `in_force.json`, the hub notes since when it goes by which schedule: times count from there.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct, structs

from passerby.adaptation.job import FOLDER_NAME, Job
from passerby.config import AdaptationSettings
from passerby.config.timetable import PATTERN, next_time
from passerby.errors import ConfigError, DataError, StoreError
from passerby.whole_files import write_whole

TOLD, IN_FORCE = "schedule.json", "in_force.json"
MOST_NEW = 1_000_000_000
"""Tracklets that may be asked for."""

_T = TypeVar("_T", bound=Struct)


class ToldSchedule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was said to the running site; None: as in the site file."""

    at_ns: int
    actor: str
    schedule: Annotated[str, Meta(pattern=PATTERN)] | None = None
    min_new_tracklets: Annotated[int, Meta(ge=1)] | None = None


class _InForce(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schedule: str = "manual"
    since_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The settings in force, and what follows from them now."""

    settings: AdaptationSettings
    written: AdaptationSettings
    """As the site file has them."""
    told: ToldSchedule | None
    """What outweighs the site file, and who said so."""
    due: datetime | None
    """When the next one is due, local time; in the past: it waits for what it lacks. None: by no schedule."""
    new_tracklets: int
    """Since the last one was asked for, or ever."""

    @property
    def lacks(self) -> int:
        """How many more must be new before one begins by itself."""
        return max(0, self.settings.min_new_tracklets - self.new_tracklets)

    @property
    def by_itself(self) -> bool:
        """Whether any begins without a hand."""
        return self.settings.schedule != "manual" or self.settings.on_drift


class ScheduleBook:
    """The schedule of a site's data; `written` is what the site file says."""

    def __init__(self, data_dir: Path, written: AdaptationSettings) -> None:
        self._folder = data_dir / FOLDER_NAME
        self._written = written

    def told(self) -> ToldSchedule | None:
        """What was said to the running site. Raises DataError where it cannot be read."""
        return _read(self._folder / TOLD, ToldSchedule)

    def settings(self) -> AdaptationSettings:
        """The settings in force. Raises DataError where what was said cannot be read."""
        return _outweighed(self._written, self.told())

    def tell(
        self, *, actor: str, at_ns: int, schedule: str | None = None, min_new_tracklets: int | None = None
    ) -> None:
        """Let this hold from now on; what is None stays as it is.

        Raises ConfigError for what is no schedule or no number of tracklets, or nothing at all; DataError, StoreError.
        """
        if schedule is None and min_new_tracklets is None:
            raise ConfigError("nothing is said of the schedule: give `schedule`, `min_new_tracklets` or both")
        if schedule is not None and re.fullmatch(PATTERN, schedule) is None:
            raise ConfigError(
                f"schedule {schedule!r}: expected `daily HH:MM`, `every N h` (1 to 9999), or `manual` for none"
            )
        if min_new_tracklets is not None and not 1 <= min_new_tracklets <= MOST_NEW:
            raise ConfigError(f"min_new_tracklets {min_new_tracklets}: expected 1 to {MOST_NEW:,}")
        before = self.told() or ToldSchedule(at_ns=at_ns, actor=actor)
        told = ToldSchedule(
            at_ns=at_ns,
            actor=actor,
            schedule=schedule or before.schedule,
            min_new_tracklets=min_new_tracklets or before.min_new_tracklets,
        )
        _write(self._folder / TOLD, told)

    def forget(self) -> None:
        """Let the site file hold again. Raises StoreError."""
        try:
            (self._folder / TOLD).unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{self._folder / TOLD}: cannot be removed: {error.strerror}") from error

    def go_by(self, *, now_ns: int) -> str | None:
        """For the hub: note since when the schedule in force is so. Gives it where it is another one than before.

        Raises DataError, StoreError.
        """
        schedule = self.settings().schedule
        if schedule == self._noted().schedule:
            return None
        _write(self._folder / IN_FORCE, _InForce(schedule=schedule, since_ns=now_ns))
        return schedule

    def plan(self, jobs: Sequence[Job], *, newest_tracklet: int, now: datetime) -> Plan:
        """What is due next after these `jobs`, all there are in order. `newest_tracklet` is the hub's latest number.

        A period counts from the last adaptation, and from when the hub took the schedule up where that was later.
        Raises DataError.
        """
        told = self.told()
        settings = _outweighed(self._written, told)
        noted = self._noted()
        since = local_time(noted.since_ns) if noted.schedule == settings.schedule else now
        last = max(since, local_time(jobs[-1].request.asked_at_ns)) if jobs else since
        return Plan(
            settings=settings,
            written=self._written,
            told=told,
            due=next_time(settings.schedule, last=last),
            new_tracklets=max(0, newest_tracklet - (jobs[-1].request.newest_tracklet if jobs else 0)),
        )

    def _noted(self) -> _InForce:
        return _read(self._folder / IN_FORCE, _InForce) or _InForce()


def in_words(settings: AdaptationSettings) -> str:
    """When one begins.

    >>> in_words(AdaptationSettings(schedule="daily 03:30", on_drift=True))
    'daily 03:30 and when a camera drifts, once 500 sightings are new'
    >>> in_words(AdaptationSettings())
    'by hand alone'
    """
    causes = [settings.schedule] if settings.schedule != "manual" else []
    causes += ["when a camera drifts"] if settings.on_drift else []
    if not causes:
        return "by hand alone"
    return f"{' and '.join(causes)}, once {settings.min_new_tracklets:,} sightings are new"


def local_time(at_ns: int) -> datetime:
    """Unix nanoseconds as this machine's local time."""
    return datetime.fromtimestamp(at_ns / 1e9, UTC).astimezone()


def _outweighed(written: AdaptationSettings, told: ToldSchedule | None) -> AdaptationSettings:
    if told is None:
        return written
    return structs.replace(
        written,
        schedule=told.schedule or written.schedule,
        min_new_tracklets=told.min_new_tracklets or written.min_new_tracklets,
    )


def _read(file: Path, kind: type[_T]) -> _T | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise DataError(f"{file}: cannot be read: {error}; without it the site file holds") from error


def _write(file: Path, content: Struct) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, msgspec.json.format(msgspec.json.encode(content)))
    except OSError as error:
        raise StoreError(f"{file}: cannot be written: {error.strerror}") from error

"""Questions of the pages to the database that are about pictures and many people at once."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Engine, Row, Select, func, select
from sqlalchemy.exc import DatabaseError

from hub.database import schema
from hub.database.opening import open_for_reading
from hub.records import EventKind, Evidence, IdentityState, TrackletNumber
from passerby.errors import StoreError
from passerby.ids import CameraId, IdentityId

PAGE = 60
"""People on a page of the gallery."""

_MANY = 500
"""Values in one question to SQLite, which bounds them."""

_PLACES = [EventKind.LINKED.value, EventKind.CREATED.value, EventKind.SPLIT.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which people are wanted. Times are capture times; `cameras` None: all."""

    text: str = ""
    """Part of the name, or the number."""
    cameras: frozenset[CameraId] | None = None
    from_ns: int | None = None
    to_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A person in the gallery."""

    identity_id: IdentityId
    name: str | None
    tracklets: int
    first_ns: int
    last_ns: int


@dataclass(frozen=True, slots=True)
class Shot:
    """The best crop of a person in a camera."""

    camera_id: CameraId
    tracklet: TrackletNumber
    crop_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A tracklet in the timeline."""

    number: TrackletNumber
    camera_id: CameraId
    identity_id: IdentityId | None
    started_ns: int
    ended_ns: int
    sure: float | None
    """The probability (0-1) of the latest decision that brought it where it is; None where none was needed."""


class Gallery:
    """Read-only questions; opens the database at the first one. Raises StoreError where there is none."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._engine: Engine | None = None
        self._opening = threading.Lock()

    def people(self, wanted: Filter, *, page: int = 0) -> tuple[Sequence[Card], int]:
        """Those who were seen last first, `PAGE` on each page from 0, and how many there are on all pages."""
        tracklets, identities = schema.tracklets.c, schema.identities.c
        last = func.max(tracklets.ended_at_ns)
        chosen = (
            select(
                identities.identity_id,
                identities.name,
                func.count().label("tracklets"),
                func.min(tracklets.started_at_ns).label("first_ns"),
                last.label("last_ns"),
            )
            .join(schema.identities, identities.identity_id == tracklets.identity_id)
            .where(identities.state.in_([IdentityState.ACTIVE.value, IdentityState.EXPIRED.value]), *_seen(wanted))
            .group_by(identities.identity_id, identities.name)
        )
        if wanted.text:
            chosen = chosen.where(_named(wanted.text))
        total = self._rows(select(func.count()).select_from(chosen.subquery()))[0][0]
        rows = self._rows(chosen.order_by(last.desc(), identities.identity_id).limit(PAGE).offset(PAGE * page))
        return [Card(**row._mapping) for row in rows], int(total)

    def shots(
        self, identities: Sequence[IdentityId], *, cameras: frozenset[CameraId] | None = None
    ) -> Mapping[IdentityId, Sequence[Shot]]:
        """The best crop of each of these people in each camera, the best camera first."""
        t, e = schema.tracklets.c, schema.exemplars.c
        place = func.row_number().over(
            partition_by=(t.identity_id, t.camera_id), order_by=(e.quality.desc(), e.tracklet, e.crop_id)
        )
        ranked = (
            select(t.identity_id, t.camera_id, e.tracklet, e.crop_id, e.quality, place.label("place"))
            .join(schema.exemplars, e.tracklet == t.number)
            .where(t.identity_id.in_(identities), *_visible(cameras))
            .subquery()
        )
        best = select(ranked).where(ranked.c.place == 1).order_by(ranked.c.quality.desc(), ranked.c.tracklet)
        found: dict[IdentityId, list[Shot]] = {}
        for row in self._rows(best):
            found.setdefault(IdentityId(row.identity_id), []).append(Shot(row.camera_id, row.tracklet, row.crop_id))
        return found

    def names(self, identities: Sequence[IdentityId]) -> Mapping[IdentityId, str]:
        """Of those of these people who have one."""
        table = schema.identities.c
        rows = self._rows(
            select(table.identity_id, table.name).where(table.identity_id.in_(identities), table.name.is_not(None))
        )
        return {IdentityId(row.identity_id): row.name for row in rows}

    def bars(self, *, from_ns: int, to_ns: int, cameras: frozenset[CameraId] | None, most: int) -> Sequence[Bar]:
        """The latest tracklets that were seen in a span, at most so many, by their beginnings."""
        t = schema.tracklets.c
        columns = (t.number, t.camera_id, t.identity_id, t.started_at_ns, t.ended_at_ns)
        wanted = select(*columns).where(t.ended_at_ns >= from_ns, t.started_at_ns <= to_ns, *_visible(cameras))
        rows = self._rows(wanted.order_by(t.started_at_ns.desc()).limit(most))
        sure = self._certainty([row.number for row in rows])
        return [
            Bar(
                number=TrackletNumber(row.number),
                camera_id=CameraId(row.camera_id),
                identity_id=None if row.identity_id is None else IdentityId(row.identity_id),
                started_ns=row.started_at_ns,
                ended_ns=row.ended_at_ns,
                sure=sure.get(row.number),
            )
            for row in reversed(rows)
        ]

    def _certainty(self, numbers: Sequence[int]) -> Mapping[int, float]:
        """Of each tracklet's latest link; of one that began somebody, of the merge of that one into another."""
        table = schema.events.c
        merges = self._rows(
            select(table.other_identity_id, table.evidence, table.act_id)
            .where(table.kind == EventKind.MERGED.value)
            .order_by(table.event_id)
        )
        joined = {row.other_identity_id: _probability(row) for row in merges}
        sure: dict[int, float | None] = {}
        for start in range(0, len(numbers), _MANY):
            placed = select(table.tracklet, table.kind, table.identity_id, table.evidence, table.act_id).where(
                table.tracklet.in_(numbers[start : start + _MANY]), table.kind.in_(_PLACES)
            )
            for row in self._rows(placed.order_by(table.event_id)):
                began = row.kind != EventKind.LINKED.value
                sure[row.tracklet] = joined.get(row.identity_id) if began else _probability(row)
        return {number: value for number, value in sure.items() if value is not None}

    def span(self) -> tuple[int, int] | None:
        """From when to when anybody was seen, by capture times; None where nobody was."""
        t = schema.tracklets.c
        wanted = select(func.min(t.started_at_ns).label("first"), func.max(t.ended_at_ns).label("last"))
        row = self._rows(wanted)[0]
        return None if row.first is None else (row.first, row.last)

    def latest(self, camera_id: CameraId, *, most: int) -> Sequence[tuple[TrackletNumber, IdentityId | None]]:
        """Whom a camera saw last, the latest first."""
        t = schema.tracklets.c
        wanted = select(t.number, t.identity_id).where(t.camera_id == camera_id, t.exemplars > 0)
        rows = self._rows(wanted.order_by(t.ended_at_ns.desc(), t.number.desc()).limit(most))
        return [(TrackletNumber(row.number), row.identity_id) for row in rows]

    def counts(self) -> Mapping[str, int]:
        """Rows of what is kept."""
        tables = {
            "tracklets": schema.tracklets,
            "embeddings of crops": schema.exemplars,
            "events": schema.events,
            "operators' acts": schema.acts,
            "enrolments": schema.enrolments,
        }
        return {name: int(self._rows(select(func.count()).select_from(table))[0][0]) for name, table in tables.items()}

    def close(self) -> None:
        """Let go of the database."""
        with self._opening:
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None

    def _rows(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        with self._opening:
            if self._engine is None:
                self._engine = open_for_reading(self._data_dir)
            engine = self._engine
        try:
            with engine.connect() as connection:
                return connection.execute(statement).all()
        except DatabaseError as error:
            raise StoreError(f"{self._data_dir}: cannot read the database: {error.orig}") from error


def _probability(row: Row[Any]) -> float | None:
    return 1.0 if row.act_id is not None else msgspec.json.decode(row.evidence, type=Evidence).probability


def _seen(wanted: Filter) -> list[ColumnElement[bool]]:
    t = schema.tracklets.c
    clauses = _visible(wanted.cameras)
    if wanted.from_ns is not None:
        clauses.append(t.ended_at_ns >= wanted.from_ns)
    if wanted.to_ns is not None:
        clauses.append(t.started_at_ns <= wanted.to_ns)
    return clauses


def _visible(cameras: frozenset[CameraId] | None) -> list[ColumnElement[bool]]:
    return [] if cameras is None else [schema.tracklets.c.camera_id.in_(sorted(cameras))]


def _named(text: str) -> ColumnElement[bool]:
    table = schema.identities.c
    by_name = func.lower(table.name).contains(text.lower(), autoescape=True)
    number = text.lower().removeprefix("person").strip()
    return by_name | (table.identity_id == int(number)) if number.isdecimal() and len(number) < 10 else by_name

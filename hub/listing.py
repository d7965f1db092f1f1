"""Pages of a site's tracklets, identities and events, as somebody may see them: by camera, time, name, newest first."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, or_, select
from sqlalchemy.exc import DatabaseError

from hub.database import schema
from hub.database.loading import identity_of, tracklet_of
from hub.database.opening import open_for_reading
from hub.records import EventId, EventKind, Identity, IdentityState, Tracklet, TrackletNumber
from hub.state import PICTURELESS
from passerby.errors import StoreError
from passerby.ids import BootId, CameraId, IdentityId, TrackletId

Scope = frozenset[CameraId] | None
"""The only cameras that are seen; None: all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Sightings that are asked for: of one camera, and in part within [`from_ns`, `to_ns`]."""

    camera: CameraId | None = None
    from_ns: int | None = None
    to_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An identity, and where it was seen by the cameras that are looked at. Capture times."""

    identity: Identity
    tracklets: int
    cameras: tuple[CameraId, ...]
    """In the order of their first sighting."""
    first_seen_at_ns: int
    last_seen_at_ns: int
    best_tracklet: TrackletNumber
    """The one of the best quality, whose crop stands for it."""


@dataclass(frozen=True, slots=True)
class Decided:
    """Who a tracklet is, as far as it is decided."""

    identity_id: IdentityId | None
    name: str | None


class Listing:
    """A look at a data folder, for several threads at once. Raises StoreError where it cannot be read."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._engine = open_for_reading(data_dir)

    def tracklets(
        self,
        *,
        scope: Scope,
        wanted: Wanted = Wanted(),
        identity_id: IdentityId | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> Sequence[Tracklet]:
        """The latest first, those with a number below `before`; of one identity, if given."""
        table = schema.tracklets
        asked = select(table).where(*_sightings(wanted, scope)).order_by(table.c.number.desc()).limit(limit)
        if identity_id is not None:
            asked = asked.where(table.c.identity_id == identity_id)
        if before is not None:
            asked = asked.where(table.c.number < before)
        return [tracklet_of(row) for row in self._rows(asked)]

    def identities(
        self,
        *,
        scope: Scope,
        wanted: Wanted = Wanted(),
        name: str = "",
        states: Collection[IdentityState] = (IdentityState.ACTIVE,),
        before: int | None = None,
        limit: int = 50,
    ) -> Sequence[Seen]:
        """Those with such a sighting, the latest number first; `name` is some part of theirs."""
        table, tracklets = schema.identities, schema.tracklets
        mine = and_(tracklets.c.identity_id == table.c.identity_id, *_sightings(wanted, scope))
        asked = select(table).where(exists().where(mine), table.c.state.in_([state.value for state in states]))
        if name:
            asked = asked.where(func.lower(table.c.name).contains(name.lower(), autoescape=True))
        if before is not None:
            asked = asked.where(table.c.identity_id < before)
        return self._seen(self._rows(asked.order_by(table.c.identity_id.desc()).limit(limit)), scope)

    def identity(self, identity_id: IdentityId, *, scope: Scope) -> Seen | None:
        """One of them, in whatever state; None where none of these cameras has seen it, or has any more."""
        table = schema.identities
        found = self._seen(self._rows(select(table).where(table.c.identity_id == identity_id)), scope)
        return found[0] if found else None

    def event_ids(
        self,
        *,
        scope: Scope,
        kinds: Collection[EventKind] = (),
        before: int | None = None,
        after: int | None = None,
        limit: int = 50,
    ) -> Sequence[EventId]:
        """The latest events first, those below `before`; or with `after` those above it, in order."""
        table = schema.events
        asked = select(table.c.event_id).where(*_events(scope)).limit(limit)
        if kinds:
            asked = asked.where(table.c.kind.in_([kind.value for kind in kinds]))
        if before is not None:
            asked = asked.where(table.c.event_id < before)
        if after is not None:
            asked = asked.where(table.c.event_id > after)
        order = table.c.event_id.desc() if after is None else table.c.event_id
        return [EventId(row.event_id) for row in self._rows(asked.order_by(order))]

    def is_event_seen(self, event_id: EventId, *, scope: Scope) -> bool:
        """Whether there is such an event that may be seen."""
        table = schema.events
        return bool(self._rows(select(table.c.event_id).where(table.c.event_id == event_id, *_events(scope))))

    def cameras_of(self, numbers: Collection[TrackletNumber]) -> Mapping[TrackletNumber, CameraId]:
        """Who has seen these tracklets; nothing of those that are not there."""
        table = schema.tracklets
        asked = select(table.c.number, table.c.camera_id).where(table.c.number.in_(list(numbers)[:500]))
        return {TrackletNumber(row.number): CameraId(row.camera_id) for row in self._rows(asked)}

    def identities_by_state(self) -> Mapping[IdentityState, int]:
        """How many identities there are in each state."""
        table = schema.identities
        counted = self._rows(select(table.c.state, func.count().label("n")).group_by(table.c.state))
        return {IdentityState(row.state): row.n for row in counted}

    def events_by_kind(self) -> Mapping[EventKind, tuple[int, int]]:
        """How many events of each kind the hub has decided, and operators."""
        table = schema.events
        said = table.c.act_id.is_not(None)
        asked = select(table.c.kind, func.count().label("n"), func.sum(said).label("said")).group_by(table.c.kind)
        return {EventKind(row.kind): (row.n - row.said, row.said) for row in self._rows(asked)}

    def prototypes(self) -> int:
        """How many tracklets stand for their identities in what is searched."""
        table = schema.tracklets
        return int(self._rows(select(func.count()).select_from(table).where(table.c.prototype.is_(True)))[0][0])

    def oldest_news_ns(self) -> int | None:
        """When the oldest tracklet was last heard of; None: there is none."""
        oldest: int | None = self._rows(select(func.min(schema.tracklets.c.updated_at_ns)))[0][0]
        return oldest

    def oldest_pictures_ns(self) -> int | None:
        """The same of the oldest tracklet whose pictures were not let go."""
        table, counters = schema.tracklets.c, schema.counters.c
        gone = select(func.coalesce(func.max(counters.value), 0)).where(counters.name == PICTURELESS)
        kept = select(table.updated_at_ns).where(table.number > gone.scalar_subquery())
        rows = self._rows(kept.order_by(table.number).limit(1))
        return rows[0][0] if rows else None

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def _seen(self, rows: Sequence[Row[Any]], scope: Scope) -> list[Seen]:
        table, ids = schema.tracklets, [row.identity_id for row in rows]
        first = func.min(table.c.started_at_ns)
        counted: dict[int, list[Row[Any]]] = {}
        for row in self._rows(
            select(
                table.c.identity_id,
                table.c.camera_id,
                table.c.number,  # SQLite gives that of the row with the greatest quality
                func.max(table.c.quality).label("quality"),
                func.count().label("n"),
                first.label("first"),
                func.max(table.c.ended_at_ns).label("last"),
            )
            .where(table.c.identity_id.in_(ids), *_sightings(Wanted(), scope))
            .group_by(table.c.identity_id, table.c.camera_id)
            .order_by(first, table.c.camera_id)
        ):
            counted.setdefault(row.identity_id, []).append(row)
        return [_summed(identity_of(row), counted[row.identity_id]) for row in rows if row.identity_id in counted]

    def decided(self, boot_id: BootId, tracklet_ids: Sequence[TrackletId]) -> Mapping[TrackletId, Decided]:
        """Who each of an edge's tracklets is; those that the hub does not know yet are left out."""
        t, i = schema.tracklets.c, schema.identities.c
        if not tracklet_ids:
            return {}
        rows = self._rows(
            select(t.tracklet_id, t.identity_id, i.name)
            .outerjoin(schema.identities, i.identity_id == t.identity_id)
            .where(t.boot_id == boot_id, t.tracklet_id.in_(tracklet_ids))
        )
        return {
            TrackletId(row.tracklet_id): Decided(
                None if row.identity_id is None else IdentityId(row.identity_id), row.name
            )
            for row in rows
        }

    def _rows(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        try:
            with self._engine.connect() as connection:
                return connection.execute(statement).all()
        except DatabaseError as error:
            raise StoreError(f"{self._data_dir}: cannot read the database: {error.orig}") from error


def _summed(identity: Identity, rows: Sequence[Row[Any]]) -> Seen:
    return Seen(
        identity=identity,
        tracklets=sum(row.n for row in rows),
        cameras=tuple(CameraId(row.camera_id) for row in rows),
        first_seen_at_ns=min(row.first for row in rows),
        last_seen_at_ns=max(row.last for row in rows),
        best_tracklet=TrackletNumber(max(rows, key=lambda row: row.quality).number),
    )


def _sightings(wanted: Wanted, scope: Scope) -> list[ColumnElement[bool]]:
    table = schema.tracklets.c
    clauses: list[ColumnElement[bool]] = []
    if scope is not None:
        clauses.append(table.camera_id.in_(sorted(scope)))
    if wanted.camera is not None:
        clauses.append(table.camera_id == wanted.camera)
    if wanted.from_ns is not None:
        clauses.append(table.ended_at_ns >= wanted.from_ns)
    if wanted.to_ns is not None:
        clauses.append(table.started_at_ns <= wanted.to_ns)
    return clauses


def _events(scope: Scope) -> list[ColumnElement[bool]]:
    """Those of a camera that is seen; those of no camera, where one that is seen has seen their identity."""
    if scope is None:
        return []
    table, tracklets = schema.events.c, schema.tracklets.c
    mine = and_(tracklets.identity_id == table.identity_id, tracklets.camera_id.in_(sorted(scope)))
    return [or_(table.camera_id.in_(sorted(scope)), and_(table.camera_id.is_(None), exists().where(mine)))]

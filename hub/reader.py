"""Reading a site's data, whether its hub runs or not: what `watch`, `identities` and the export stand on."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice, takewhile
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec
import numpy as np
from sqlalchemy import Connection, Row, Select, exists, func, select
from sqlalchemy.exc import DatabaseError

from hub.corrections.acts import Act, AnswerWord, CarriedOut, Outcome
from hub.corrections.constraints import Constraints
from hub.crop_pairs import most_alike
from hub.database import schema, twin_rows
from hub.database.loading import identity_of, load_constraints, observations_of, tracklet_of
from hub.database.opening import open_for_reading
from hub.database.packing import floats, integers
from hub.database.twin_rows import Coverage
from hub.knowledge import Knowledge
from hub.paths import NOWHERE
from hub.paths import Path as Walked
from hub.records import (
    Event,
    EventId,
    EventKind,
    Evidence,
    Identity,
    IdentityState,
    NameId,
    Tracklet,
    TrackletNumber,
    Twin,
)
from hub.rollout import Rollout, RolloutStep
from hub.statistics import CameraStatistics, StatisticsSource
from passerby.arrays import Float32Array
from passerby.errors import StoreError
from passerby.ids import CameraId, IdentityId, ModelId
from passerby.messages import CameraStatus, Observations

_T = TypeVar("_T")

_MANY = 500
"""Values in one question to SQLite, which bounds them."""


@dataclass(frozen=True, slots=True)
class IdentitySummary:
    """An identity and where it was seen. Capture times; `cameras` in the order of their first sighting."""

    identity: Identity
    tracklets: int
    cameras: tuple[CameraId, ...]
    first_seen_at_ns: int
    last_seen_at_ns: int


@dataclass(frozen=True, slots=True)
class StoredExemplar:
    """One of a tracklet's best crops; `rank` 0 is the best. `box_xyxy` (4,) float32 pixels."""

    tracklet: TrackletNumber
    crop_id: int
    rank: int
    captured_at_ns: int
    box_xyxy: Float32Array
    quality: float


@dataclass(frozen=True, slots=True)
class StoredStatus:
    """The latest word about a camera."""

    status: CameraStatus
    edge_id: str
    received_at_ns: int


class SiteReader:
    """A read-only look at a data folder. Raises StoreError where it cannot be read."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._engine = open_for_reading(data_dir)

    def events(self, *, after: int = 0, limit: int = 1000) -> Sequence[Event]:
        """At most `limit` events with an id above `after`, in order."""
        table = schema.events
        return [
            _event(row)
            for row in self._rows(select(table).where(table.c.event_id > after).order_by(table.c.event_id).limit(limit))
        ]

    def all_events(self) -> Iterator[Event]:
        """Every event, in order, a page at a time."""
        after = 0
        while page := self.events(after=after):
            yield from page
            after = page[-1].event_id

    def last_event_id(self) -> int:
        """The id of the latest event; 0 if there is none."""
        return int(self._rows(select(func.coalesce(func.max(schema.events.c.event_id), 0)))[0][0])

    def events_of(self, identity_id: IdentityId) -> Sequence[Event]:
        """The events that name an identity, in order."""
        table = schema.events
        named = (table.c.identity_id == identity_id) | (table.c.other_identity_id == identity_id)
        return [_event(row) for row in self._rows(select(table).where(named).order_by(table.c.event_id))]

    def event(self, event_id: EventId) -> Event | None:
        """An event by its number."""
        rows = self._rows(select(schema.events).where(schema.events.c.event_id == event_id))
        return _event(rows[0]) if rows else None

    def events_of_pass(self, pass_id: EventId) -> Sequence[Event]:
        """The events that one consolidation decided together, in order."""
        table = schema.events
        together = select(table).where(table.c.pass_id == pass_id)
        return [_event(row) for row in self._rows(together.order_by(table.c.event_id))]

    def events_of_tracklet(self, number: TrackletNumber) -> Sequence[Event]:
        """The events that name a tracklet first, in order; not those that move it among others."""
        table = schema.events
        return [
            _event(row)
            for row in self._rows(select(table).where(table.c.tracklet == number).order_by(table.c.event_id))
        ]

    def undone_by(self, event_id: EventId) -> Event | None:
        """The event that takes this one back, if there is one."""
        rows = self._rows(select(schema.events).where(schema.events.c.undoes == event_id))
        return _event(rows[0]) if rows else None

    def candidates(self) -> Sequence[Event]:
        """All events that ask whether two are one, answered or not, in order."""
        table = schema.events
        asked = select(table).where(table.c.kind == EventKind.CANDIDATE.value)
        return [_event(row) for row in self._rows(asked.order_by(table.c.event_id))]

    def operators_merges(self, *, most: int) -> Sequence[Event]:
        """The latest merges that operators have asked for, at most so many, the latest first; those undone since too.

        To take back a split is none of them, although it merges.
        """
        table = schema.events
        merged = select(table).where(table.c.kind == EventKind.MERGED.value)
        asked = merged.where(table.c.act_id.is_not(None), table.c.undoes.is_(None))
        return [_event(row) for row in self._rows(asked.order_by(table.c.event_id.desc()).limit(most))]

    def statistics(self, model_id: ModelId) -> CameraStatistics | None:
        """What the hub has learned of the cameras, measured with a model; None where it never heard of that one."""
        models, table = schema.models.c, schema.camera_statistics
        known = self._rows(select(models.dimension).where(models.model_id == model_id))
        if not known:
            return None
        parts = {row.part: row.data for row in self._rows(select(table).where(table.c.model_id == model_id))}
        return StatisticsSource().restore(model_id, known[0].dimension, parts=parts)

    def model_ids(self) -> Sequence[ModelId]:
        """The models that have described anybody, by name."""
        models = schema.models.c
        return [ModelId(row.model_id) for row in self._rows(select(models.model_id).order_by(models.model_id))]

    def dimension_of(self, model_id: ModelId) -> int:
        """The length of a known model's embeddings."""
        models = schema.models.c
        return int(self._rows(select(models.dimension).where(models.model_id == model_id))[0].dimension)

    def constraints(self) -> Constraints:
        """What operators have said, as it is in force."""
        return self._ask(load_constraints)

    def answers(self) -> Mapping[EventId, AnswerWord]:
        """What was said about candidates, by their events: the latest word."""
        return {row.event_id: row.answer for row in self._rows(select(schema.answers))}

    def acts(self, *, after: int = 0, limit: int = 1000) -> Sequence[CarriedOut]:
        """What operators have done, in order: at most `limit` acts with a number above `after`."""
        table = schema.acts
        rows = self._rows(select(table).where(table.c.act_id > after).order_by(table.c.act_id).limit(limit))
        return [
            CarriedOut(
                request_id=row.request_id,
                at_ns=row.at_ns,
                actor=row.actor,
                act=msgspec.json.decode(row.act, type=Act),
                outcome=msgspec.json.decode(row.outcome, type=Outcome),
            )
            for row in rows
        ]

    def outcome_of(self, request_id: str) -> Outcome | None:
        """What a request has come to, if it was carried out."""
        rows = self._rows(select(schema.acts.c.outcome).where(schema.acts.c.request_id == request_id))
        return msgspec.json.decode(rows[0].outcome, type=Outcome) if rows else None

    def name(self, name_id: NameId) -> str | None:
        """A name once given; None where it has been erased."""
        rows = self._rows(select(schema.names.c.name).where(schema.names.c.name_id == name_id))
        return str(rows[0].name) if rows else None

    def merged_into(self, identity_id: IdentityId) -> Sequence[Identity]:
        """The identities that were merged into this one, not those that were merged into them."""
        table = schema.identities
        rows = self._rows(select(table).where(table.c.merged_into == identity_id).order_by(table.c.identity_id))
        return [identity_of(row) for row in rows]

    def identity(self, identity_id: IdentityId) -> Identity | None:
        """An identity in whatever state, or None if there never was one of this id."""
        table = schema.identities
        rows = self._rows(select(table).where(table.c.identity_id == identity_id))
        return identity_of(rows[0]) if rows else None

    def summaries(self, *, states: Sequence[IdentityState] = (IdentityState.ACTIVE,)) -> Sequence[IdentitySummary]:
        """Identities in these states with at least one tracklet, in the order of their ids."""
        identities, tracklets = schema.identities, schema.tracklets
        first = func.min(tracklets.c.started_at_ns)
        seen: dict[IdentityId, list[Row[Any]]] = {}
        for row in self._rows(
            select(
                tracklets.c.identity_id,
                tracklets.c.camera_id,
                func.count().label("tracklets"),
                first.label("first"),
                func.max(tracklets.c.ended_at_ns).label("last"),
            )
            .where(tracklets.c.identity_id.is_not(None))
            .group_by(tracklets.c.identity_id, tracklets.c.camera_id)
            .order_by(first, tracklets.c.camera_id)
        ):
            seen.setdefault(row.identity_id, []).append(row)
        wanted = select(identities).where(identities.c.state.in_([state.value for state in states]))
        return [
            _summary(identity_of(row), seen[row.identity_id])
            for row in self._rows(wanted.order_by(identities.c.identity_id))
            if row.identity_id in seen
        ]

    def identities(self) -> Sequence[Identity]:
        """All identities in whatever state, in the order of their ids."""
        return [
            identity_of(row) for row in self._rows(select(schema.identities).order_by(schema.identities.c.identity_id))
        ]

    def active_identities(self) -> int:
        """How many identities still take tracklets."""
        table = schema.identities
        active = table.c.state == IdentityState.ACTIVE.value
        return int(self._rows(select(func.count()).select_from(table).where(active))[0][0])

    def tracklets_of(self, identity_id: IdentityId) -> Sequence[Tracklet]:
        """The tracklets of an identity, in the order of their beginnings."""
        table = schema.tracklets
        mine = select(table).where(table.c.identity_id == identity_id)
        return [tracklet_of(row) for row in self._rows(mine.order_by(table.c.started_at_ns, table.c.number))]

    def tracklets(self) -> Sequence[Tracklet]:
        """All tracklets, in the order of their numbers."""
        return [tracklet_of(row) for row in self._rows(select(schema.tracklets).order_by(schema.tracklets.c.number))]

    def latest_tracklets(self, model_id: ModelId, *, most: int) -> Sequence[Tracklet]:
        """The tracklets of a model that came last and may not change any more, at most so many, the latest first."""
        table = schema.tracklets
        closed = select(table).where(table.c.model_id == model_id, table.c.open.is_(False))
        return [tracklet_of(row) for row in self._rows(closed.order_by(table.c.number.desc()).limit(most))]

    def last_tracklet_number(self) -> TrackletNumber:
        """The number of the latest tracklet; 0 if there is none."""
        return TrackletNumber(self._rows(select(func.coalesce(func.max(schema.tracklets.c.number), 0)))[0][0])

    def closed_latest_first(self, *, at_once: int) -> Iterator[Sequence[Tracklet]]:
        """All tracklets that may not change any more, the latest first, so many at once."""
        table = schema.tracklets
        closed = select(table).where(table.c.open.is_(False)).order_by(table.c.number.desc()).limit(at_once)
        page = self._rows(closed)
        while page:
            yield [tracklet_of(row) for row in page]
            page = self._rows(closed.where(table.c.number < page[-1].number))

    def closed_after(self, number: int, *, most: int) -> Sequence[Tracklet]:
        """The tracklets after a number, in order, up to the first open one."""
        table = schema.tracklets
        rows = self._rows(select(table).where(table.c.number > number).order_by(table.c.number).limit(most))
        found = [tracklet_of(row) for row in rows]
        return list(takewhile(lambda one: not one.open, found))

    def closed_without_news_since(self, at_ns: int, *, most: int) -> Sequence[Tracklet]:
        """Closed tracklets whose last news came before then, the oldest first."""
        table = schema.tracklets
        old = select(table).where(table.c.updated_at_ns < at_ns, table.c.open.is_(False))
        return [tracklet_of(row) for row in self._rows(old.order_by(table.c.updated_at_ns, table.c.number).limit(most))]

    def only_in(self, tracklets: Sequence[Tracklet]) -> Sequence[Identity]:
        """The identities, of a few, of whom there are no other tracklets than these, in the order of their numbers."""
        table, people = schema.tracklets, schema.identities
        named = sorted({one.identity_id for one in tracklets if one.identity_id is not None})
        numbers = [one.number for one in tracklets]
        others = exists().where(table.c.identity_id == people.c.identity_id, table.c.number.not_in(numbers))
        rows = self._rows(select(people).where(people.c.identity_id.in_(named), ~others))
        return sorted(map(identity_of, rows), key=lambda one: one.identity_id)

    def merged_into_any(self, identity_ids: Collection[IdentityId]) -> Sequence[Identity]:
        """The identities that were merged into one of these, or into those, in the order of their numbers."""
        table = schema.identities
        found: dict[IdentityId, Identity] = {}
        waiting = list(identity_ids)
        while waiting:
            rows = map(identity_of, self._rows(select(table).where(table.c.merged_into.in_(waiting))))
            new = {one.identity_id: one for one in rows if one.identity_id not in found}
            found |= new
            waiting = list(new)
        return [found[number] for number in sorted(found)]

    def exemplar_rows(self, numbers: Collection[TrackletNumber]) -> Mapping[TrackletNumber, Sequence[Row[Any]]]:
        """The rows of these tracklets' best crops, best first, embeddings and their models among them."""
        table = schema.exemplars
        found: dict[TrackletNumber, list[Row[Any]]] = {}
        for some in _batches(numbers):
            wanted = select(table).where(table.c.tracklet.in_(some)).order_by(table.c.tracklet, table.c.rank)
            for row in self._rows(wanted):
                found.setdefault(TrackletNumber(row.tracklet), []).append(row)
        return found

    def tracklets_numbered(self, numbers: Collection[TrackletNumber]) -> Sequence[Tracklet]:
        """Those of these tracklets that there are, in the order of their numbers."""
        table = schema.tracklets
        return [
            tracklet_of(row)
            for some in _batches(numbers)
            for row in self._rows(select(table).where(table.c.number.in_(some)).order_by(table.c.number))
        ]

    def paths(self, tracklets: Sequence[Tracklet]) -> Mapping[TrackletNumber, Walked]:
        """Where these tracklets were; nothing of those without sightings."""
        table = schema.observations
        heights = {t.number: t.frame_height for t in tracklets}
        found: dict[TrackletNumber, Walked] = {}
        for some in _batches(heights):
            rows = self._rows(
                select(table).where(table.c.tracklet.in_(some)).order_by(table.c.tracklet, table.c.revision)
            )
            for number, mine in groupby(rows, key=lambda row: row.tracklet):
                found[number] = NOWHERE.extended(observations_of(list(mine)), frame_height=heights[number])
        return found

    def tracklet(self, number: TrackletNumber) -> Tracklet | None:
        """A tracklet by the hub's number of it."""
        rows = self._rows(select(schema.tracklets).where(schema.tracklets.c.number == number))
        return tracklet_of(rows[0]) if rows else None

    def open_tracklets(self, camera_id: CameraId, *, updated_since_ns: int) -> Sequence[Tracklet]:
        """The tracklets of a camera that may still change and had news since then, by the hub's time, as numbered."""
        table = schema.tracklets
        fresh = select(table).where(
            table.c.updated_at_ns >= updated_since_ns, table.c.open.is_(True), table.c.camera_id == camera_id
        )
        return [tracklet_of(row) for row in self._rows(fresh.order_by(table.c.number))]

    def present(self, *, updated_since_ns: int) -> Sequence[tuple[CameraId, TrackletNumber, IdentityId | None]]:
        """Camera, number and identity of every tracklet that may still change and had news since then."""
        table = schema.tracklets.c
        fresh = select(table.camera_id, table.number, table.identity_id).where(
            table.updated_at_ns >= updated_since_ns, table.open.is_(True)
        )
        return [(row.camera_id, row.number, row.identity_id) for row in self._rows(fresh)]

    def last_observations(self, number: TrackletNumber) -> Observations:
        """What the latest update of a tracklet that brought any brought: empty where none did."""
        table = schema.observations
        latest = select(table).where(table.c.tracklet == number, func.length(table.c.captured_at_ns) > 0)
        return observations_of(self._rows(latest.order_by(table.c.revision.desc()).limit(1)))

    def latest_before(self, tracklet: Tracklet, identity_id: IdentityId) -> Tracklet | None:
        """The tracklet of `identity_id` that was last seen before this one began, or while it did; None if none."""
        table = schema.tracklets
        earlier = select(table).where(
            table.c.identity_id == identity_id,
            table.c.number != tracklet.number,
            table.c.started_at_ns <= tracklet.started_at_ns,
        )
        rows = self._rows(earlier.order_by(table.c.ended_at_ns.desc(), table.c.number).limit(1))
        return tracklet_of(rows[0]) if rows else None

    def without_twin(self, model_id: ModelId, *, most: int, since_ns: int = 0) -> Sequence[Tracklet]:
        """The closed tracklets that a model cannot compare, at most so many, in the order in which they are worth it:
        those that stand for active identities, then those that ended at `since_ns` or later, the latest first."""
        numbers = self._ask(lambda c: twin_rows.numbers_without_twin(c, model_id, most=most, since_ns=since_ns))
        found = {tracklet.number: tracklet for tracklet in self.tracklets_numbered(numbers)}
        return [found[number] for number in numbers if number in found]

    def described_by_both(
        self, first: ModelId, second: ModelId, *, most: int
    ) -> tuple[Sequence[Tracklet], Sequence[Twin]]:
        """The latest tracklets that came with `first` and have a twin of `second` made from their pictures, at most so
        many, and these twins, row by row."""

        def ask(connection: Connection) -> tuple[Sequence[Tracklet], Sequence[Twin]]:
            numbers = twin_rows.numbers_of_both(connection, first, second, most=most)
            twins = [twin for twin in twin_rows.twins_of(connection, numbers) if twin.model_id == second]
            return [tracklet_of(row) for row in twin_rows.tracklets_numbered(connection, numbers)], twins

        return self._ask(ask)

    def described_by(self, model_id: ModelId, *, most: int) -> Sequence[tuple[Tracklet, Float32Array]]:
        """The latest closed tracklets that a model has seen pictures of, at most so many, each with its raw embedding
        (d,), the latest first."""
        numbers = self._ask(lambda connection: twin_rows.numbers_described_by(connection, model_id, most=most))
        tracklets = {t.number: t for t in self.tracklets_numbered(numbers)}
        twins = {twin.tracklet: twin.embedding for twin in self.twins_among(numbers) if twin.model_id == model_id}
        found = [(tracklets[n], twins.get(n)) for n in numbers if n in tracklets]
        return [
            (t, t.embedding if twin is None else twin)
            for t, twin in found
            if twin is not None or t.model_id == model_id
        ]

    def twins_of(self, number: TrackletNumber) -> Sequence[Twin]:
        """A tracklet as other models describe it, by model."""
        return self.twins_among([number])

    def twins_among(self, numbers: Collection[TrackletNumber]) -> Sequence[Twin]:
        """All twins of these tracklets, by tracklet and model."""
        return self._ask(lambda connection: twin_rows.twins_of(connection, numbers))

    def coverage(self, model_id: ModelId) -> Coverage:
        """How many of those who stand for active identities a model can compare."""
        return self._ask(lambda connection: twin_rows.coverage(connection, model_id))

    def rollout(self) -> Rollout:
        """Which model the cameras are to use."""
        return Rollout().after(self.rollout_history())

    def rollout_history(self) -> Sequence[RolloutStep]:
        """Every step of every rollout, in order."""
        return self._ask(twin_rows.rollout_steps)

    def latest_end_ns(self) -> int:
        """The latest capture time at which anybody was seen; 0 where nobody ever was."""
        return int(self._rows(select(func.coalesce(func.max(schema.tracklets.c.ended_at_ns), 0)))[0][0])

    def latest_model(self) -> ModelId | None:
        """The model with which the latest tracklet came; None if there is none."""
        table = schema.tracklets.c
        rows = self._rows(select(table.model_id).order_by(table.number.desc()).limit(1))
        return ModelId(rows[0].model_id) if rows else None

    def observations(self, number: TrackletNumber) -> Observations:
        """Every frame in which a tracklet was seen, in the order of its updates."""
        table = schema.observations
        return observations_of(self._rows(select(table).where(table.c.tracklet == number).order_by(table.c.revision)))

    def exemplars(self, number: TrackletNumber) -> Sequence[StoredExemplar]:
        """The best crops of a tracklet, best first."""
        table = schema.exemplars
        return [
            _exemplar(row) for row in self._rows(select(table).where(table.c.tracklet == number).order_by(table.c.rank))
        ]

    def exemplar_embeddings(self, number: TrackletNumber, *, model_id: ModelId) -> Float32Array:
        """The raw embeddings (n, d) of a tracklet's best crops by this model, best first; (0, d) where it has none."""
        table = schema.exemplars
        dimension = self.dimension_of(model_id)
        mine = select(table.c.embedding).where(table.c.tracklet == number, table.c.model_id == model_id)
        return floats(b"".join(row.embedding for row in self._rows(mine.order_by(table.c.rank))), columns=dimension)

    def crops_most_alike(self, event: Event) -> tuple[StoredExemplar, StoredExemplar] | None:
        """Of the two tracklets most alike that an event names, the two best crops most alike, the raw embeddings
        compared by cosine.

        None where the event names none, or where no crops of one of them are left that its model has described.
        """
        evidence = event.evidence
        if evidence.alike is None or evidence.model_id is None:
            return None
        first, second = (self._crops_by_id(number, evidence.model_id) for number in evidence.alike)
        pair = most_alike(first[1], second[1])
        return None if pair is None else (first[0][pair[0]], second[0][pair[1]])

    def cameras(self) -> Sequence[StoredStatus]:
        """The latest status of every camera that ever reported, by name."""
        table = schema.camera_status
        return [
            StoredStatus(msgspec.json.decode(row.status, type=CameraStatus), row.edge_id, row.received_at_ns)
            for row in self._rows(select(table).order_by(table.c.camera_id))
        ]

    def knowledge(self) -> Knowledge:
        """What the hub has learned about its site, as of the last commit. Raises StoreError if it is damaged."""
        return Knowledge.restored({row.part: row.data for row in self._rows(select(schema.knowledge))})

    def camera_ids(self) -> Sequence[CameraId]:
        """The cameras that ever reported, or saw somebody who taught the hub something, by name."""
        reported = (status.status.camera_id for status in self.cameras())
        return sorted({*reported, *map(CameraId, self.knowledge().topology.cameras)})

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _crops_by_id(self, number: TrackletNumber, model_id: ModelId) -> tuple[Sequence[StoredExemplar], Float32Array]:
        """The best crops of a tracklet, by their ids, with their raw embeddings (n, d) by this model."""
        table = schema.exemplars
        mine = select(table).where(table.c.tracklet == number, table.c.model_id == model_id)
        rows = self._rows(mine.order_by(table.c.crop_id))
        return [_exemplar(row) for row in rows], np.array([floats(row.embedding) for row in rows], np.float32)

    def _rows(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        return self._ask(lambda connection: connection.execute(statement).all())

    def _ask(self, question: Callable[[Connection], _T]) -> _T:
        try:
            with self._engine.connect() as connection:
                return question(connection)
        except DatabaseError as error:
            raise StoreError(f"{self._data_dir}: cannot read the database: {error.orig}") from error


def _batches(numbers: Iterable[TrackletNumber]) -> Iterator[list[TrackletNumber]]:
    left = iter(sorted(numbers))
    while some := list(islice(left, _MANY)):
        yield some


def _event(row: Row[Any]) -> Event:
    values = dict(row._mapping)
    return Event(
        **{
            **values,
            "kind": EventKind(values["kind"]),
            "evidence": msgspec.json.decode(values["evidence"], type=Evidence),
            "tracklets": () if values["tracklets"] is None else tuple(integers(values["tracklets"]).tolist()),
        }
    )


def _exemplar(row: Row[Any]) -> StoredExemplar:
    return StoredExemplar(
        TrackletNumber(row.tracklet),
        row.crop_id,
        row.rank,
        row.captured_at_ns,
        floats(row.box_xyxy),
        quality=row.quality,
    )


def _summary(identity: Identity, rows: list[Row[Any]]) -> IdentitySummary:
    return IdentitySummary(
        identity,
        tracklets=sum(row.tracklets for row in rows),
        cameras=tuple(row.camera_id for row in rows),
        first_seen_at_ns=min(row.first for row in rows),
        last_seen_at_ns=max(row.last for row in rows),
    )

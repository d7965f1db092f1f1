"""Whom of the site's identities a picture shows: all that were ever seen are asked, not only those that still count."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, and_, case, or_, select
from sqlalchemy.exc import DatabaseError

from hub.association.appearance import Known
from hub.database import schema
from hub.database.loading import identity_of, tracklet_of
from hub.database.opening import open_for_reading
from hub.database.packing import floats
from hub.enrolment.likeness import Likeness
from hub.enrolment.posterior import identified
from hub.records import Identity, IdentityState, Tracklet
from passerby.arrays import Float32Array, Int64Array
from passerby.errors import DataError, StoreError
from passerby.ids import CameraId, IdentityId, ModelId

_WEIGHED = 100
"""So many identities, those with the tracklet most like the picture, are weighed with all that is known of them; the
others are taken for impossible, which they are where a hundred are more alike."""

_MOST_KNOWN = 12
"""Tracklets that stand for an identity: what the hub has chosen, or else the best ones."""

_AT_ONCE = 250
"""Tracklets that are read and compared at once: half a megabyte as float64, which stays in a processor's cache."""

_ROUNDING = 1e-3
"""More than two ways to sum products of unit vectors in float32 can differ: thousands of numbers each make .0002."""

_FLOAT_BYTES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Sightings that are searched: in these cameras (none: all), and in part within [`from_ns`, `to_ns`]."""

    cameras: tuple[CameraId, ...] = ()
    from_ns: int | None = None
    to_ns: int | None = None

    def clauses(self) -> list[ColumnElement[bool]]:
        """The same for the database."""
        table = schema.tracklets.c
        wanted: list[ColumnElement[bool]] = []
        if self.cameras:
            wanted.append(table.camera_id.in_(self.cameras))
        if self.from_ns is not None:
            wanted.append(table.ended_at_ns >= self.from_ns)
        if self.to_ns is not None:
            wanted.append(table.started_at_ns <= self.to_ns)
        return wanted


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """An identity, the probability (0-1) that it is the picture's person, and its sightings there, by their time."""

    identity: Identity
    probability: float
    sightings: tuple[Tracklet, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """The most probable identities, best first, among `searched`; `nobody`: the probability that it is none of them."""

    found: tuple[Found, ...]
    nobody: float
    searched: int


def search(data_dir: Path, seen: Sequence[Known], *, likeness: Likeness, where: Where, most: int = 10) -> Search:
    """Search a data folder for whom the looks `seen`, at least one, show; gives at most `most` identities.

    Each is equally likely before, and nobody of them as likely as all together. All sightings of an identity tell what
    it looks like, also those elsewhere. Raises StoreError, and DataError where another model made the store.
    """
    engine = open_for_reading(data_dir)
    try:
        with engine.connect() as connection:
            _require_model(connection, likeness.model_id)
            searched, best = _nearest(connection, seen, likeness=likeness, where=where)
            evidence = dict.fromkeys(searched, -np.inf)
            for identity_id in best:
                evidence[identity_id] = likeness.evidence(_known(connection, identity_id, likeness=likeness), seen)
            outcomes = identified(list(evidence.values()))
            probability = dict(zip(evidence, outcomes.known.tolist(), strict=True))
            ranked = sorted(best, key=lambda i: (-probability[i], i))[:most]
            found = tuple(
                Found(_identity(connection, i), probability[i], _sightings(connection, i, where)) for i in ranked
            )
            return Search(found, outcomes.nobody, len(searched))
    except DatabaseError as error:
        raise StoreError(f"{data_dir}: cannot read the database: {error.orig}") from error
    finally:
        engine.dispose()


def _require_model(connection: Connection, model_id: ModelId) -> None:
    known = list(connection.scalars(select(schema.models.c.model_id).order_by(schema.models.c.model_id)))
    if known and model_id not in known:
        raise DataError(
            f"the site's people are described by {', '.join(known)}, the picture by {model_id}, which cannot be "
            "compared; name that model in the site file, under `models: {reid: ...}`"
        )


def _nearest(
    connection: Connection, seen: Sequence[Known], *, likeness: Likeness, where: Where
) -> tuple[list[IdentityId], list[IdentityId]]:
    """All identities that were seen there, and of them at most `_WEIGHED`: those with the tracklet most like the look.

    All tracklets are compared by matrix products, which are as exact as float32 has it for so many rows; those that
    may be among the best are then compared one by one, so that the order does not depend on how many there are.
    """
    units = np.stack([one.unit for one in seen])
    numbers, identities, alike = _compared(connection, units, likeness=likeness, where=where)
    everybody, owner = np.unique(identities, return_inverse=True)
    best = np.full(len(everybody), -np.inf, np.float32)
    np.maximum.at(best, owner, alike)
    least = -np.inf if len(best) <= _WEIGHED else np.partition(best, -_WEIGHED)[-_WEIGHED] - _ROUNDING
    rows = np.flatnonzero((alike >= least) & (alike >= best[owner] - _ROUNDING))
    exact: dict[IdentityId, float] = {}
    for identity_id, unit in _units(connection, numbers[rows], likeness=likeness):
        value = float((units * unit).sum(axis=1).max())
        exact[identity_id] = max(value, exact.get(identity_id, -np.inf))
    chosen = heapq.nlargest(_WEIGHED, exact, key=lambda i: (exact[i], -i))
    return [IdentityId(identity_id) for identity_id in everybody.tolist()], chosen


def _compared(
    connection: Connection, units: Float32Array, *, likeness: Likeness, where: Where
) -> tuple[Int64Array, Int64Array, Float32Array]:
    """Number (n,), identity (n,) and greatest similarity (n,) to any of `units` of all tracklets that are asked."""
    table, identities = schema.tracklets.c, schema.identities.c
    known = [IdentityState.ACTIVE.value, IdentityState.EXPIRED.value]
    by_model, described = _by_model(likeness.model_id)
    wanted = [identities.state.in_(known), described]
    there = where.clauses()
    if there:
        wanted.append(table.identity_id.in_(select(table.identity_id).where(*there, table.identity_id.is_not(None))))
    rows = connection.execution_options(stream_results=True, yield_per=_AT_ONCE).execute(
        select(table.number, table.identity_id, table.camera_id, table.started_at_ns, by_model)
        .outerjoin(schema.twins, _twins_of(likeness.model_id))
        .join(schema.identities, identities.identity_id == table.identity_id)
        .where(*wanted)
    )
    numbers, owners, alike = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
    for part in rows.partitions():
        number, owner, cameras, began_ns, embeddings = zip(*part, strict=True)
        raw = floats(b"".join(embeddings), columns=len(embeddings[0]) // _FLOAT_BYTES)
        numbers.append(np.array(number, np.int64))
        owners.append(np.array(owner, np.int64))
        alike.append((likeness.units(cameras, raw, at_ns=began_ns) @ units.T).max(axis=1))
    return np.concatenate(numbers), np.concatenate(owners), np.concatenate(alike)


def _units(
    connection: Connection, numbers: Int64Array, *, likeness: Likeness
) -> Iterator[tuple[IdentityId, Float32Array]]:
    """The identity and the unit (d,) of each of these tracklets."""
    table = schema.tracklets.c
    by_model, _ = _by_model(likeness.model_id)
    for begin in range(0, len(numbers), _AT_ONCE):
        some = numbers[begin : begin + _AT_ONCE].tolist()
        columns = select(table.identity_id, table.camera_id, table.started_at_ns, by_model)
        described = columns.outerjoin(schema.twins, _twins_of(likeness.model_id))
        for row in connection.execute(described.where(table.number.in_(some))):
            yield row.identity_id, likeness.unit(row.camera_id, floats(row.embedding), at_ns=row.started_at_ns)


def _known(connection: Connection, identity_id: IdentityId, *, likeness: Likeness) -> list[Known]:
    table = schema.tracklets.c
    by_model, described = _by_model(likeness.model_id)
    columns: list[ColumnElement[Any]] = [*_OTHER_COLUMNS, by_model]
    rows = connection.execute(
        select(*columns)
        .outerjoin(schema.twins, _twins_of(likeness.model_id))
        .where(table.identity_id == identity_id, described)
        .order_by(table.prototype.desc(), table.quality.desc(), table.number)
        .limit(_MOST_KNOWN)
    )
    tracklets = [tracklet_of(row) for row in rows]
    chosen = [t for t in tracklets if t.prototype] or tracklets
    return [
        Known(t.camera_id, likeness.unit(t.camera_id, t.embedding, at_ns=t.started_at_ns), t.exemplars) for t in chosen
    ]


_OTHER_COLUMNS: Sequence[ColumnElement[Any]] = [c for c in schema.tracklets.columns if c.name != "embedding"]


def _twins_of(model_id: ModelId) -> ColumnElement[bool]:
    """What joins each tracklet with its twin of a model."""
    twins = schema.twins.c
    return and_(twins.tracklet == schema.tracklets.c.number, twins.model_id == model_id)


def _by_model(model_id: ModelId) -> tuple[ColumnElement[bytes], ColumnElement[bool]]:
    """The embedding of a tracklet by a model, and whether there is one; for tracklets joined with their twins."""
    table, twins = schema.tracklets.c, schema.twins.c
    native = table.model_id == model_id
    embedding = case((native, table.embedding), else_=twins.embedding).label("embedding")
    return embedding, or_(native, twins.embedding.is_not(None))


def _identity(connection: Connection, identity_id: IdentityId) -> Identity:
    table = schema.identities
    return identity_of(connection.execute(select(table).where(table.c.identity_id == identity_id)).one())


def _sightings(connection: Connection, identity_id: IdentityId, where: Where) -> tuple[Tracklet, ...]:
    table = schema.tracklets.c
    mine = select(schema.tracklets).where(table.identity_id == identity_id, *where.clauses())
    return tuple(tracklet_of(row) for row in connection.execute(mine.order_by(table.started_at_ns, table.number)))

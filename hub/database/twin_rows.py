"""Questions to the database about twins and rollouts."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, and_, exists, func, or_, select

from hub.database import schema
from hub.database.packing import floats
from hub.records import IdentityState, TrackletNumber, Twin
from hub.rollout import RolloutStep
from passerby.ids import CameraId, ModelId

_MANY = 500
"""Values in one question to SQLite, which bounds them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Who stands for the people that are known, and whom of them a model can compare."""

    prototypes: int
    """Tracklets that stand for active identities; of open ones those alone that came with the model: an open tracklet
    has no twins yet."""
    native: int
    """That came with the model."""
    from_crops: int
    """With a twin made from their pictures."""
    mapped: int
    """With a twin that another model's embedding was mapped to."""

    @property
    def share(self) -> float:
        """Of the prototypes that the model can compare, 0-1; 1 where there are none."""
        return (self.native + self.from_crops + self.mapped) / self.prototypes if self.prototypes else 1.0


def twins_of(connection: Connection, numbers: Collection[TrackletNumber]) -> list[Twin]:
    """All twins of these tracklets, by tracklet and model."""
    table = schema.twins
    asked = select(table).order_by(table.c.tracklet, table.c.model_id)
    return [
        twin_of(row)
        for some in _batches(numbers)
        for row in connection.execute(asked.where(table.c.tracklet.in_(some)))
    ]


def twin_of(row: Row[Any]) -> Twin:
    """A row of `twins` as a record."""
    return Twin(
        tracklet=TrackletNumber(row.tracklet),
        model_id=ModelId(row.model_id),
        embedding=floats(row.embedding),
        mapped=row.mapped,
    )


def numbers_without_twin(
    connection: Connection, model_id: ModelId, *, most: int, since_ns: int
) -> list[TrackletNumber]:
    """The closed tracklets that a model cannot compare, at most so many: those that stand for active identities first,
    then those that ended at `since_ns` or later (capture time), in both the latest first."""
    table, twins, identities = schema.tracklets.c, schema.twins.c, schema.identities.c
    known = exists().where(twins.tracklet == table.number, twins.model_id == model_id)
    active = exists().where(identities.identity_id == table.identity_id, identities.state == IdentityState.ACTIVE.value)
    stands = and_(table.prototype, active)
    wanted = and_(table.open.is_(False), table.model_id != model_id, ~known, or_(stands, table.ended_at_ns >= since_ns))
    ordered = select(table.number).where(wanted).order_by(stands.desc(), table.ended_at_ns.desc(), table.number.desc())
    return [TrackletNumber(number) for number in connection.scalars(ordered.limit(most))]


def numbers_of_both(connection: Connection, first: ModelId, second: ModelId, *, most: int) -> list[TrackletNumber]:
    """The latest tracklets that came with `first` and have a twin of `second` made from their pictures."""
    table, twins = schema.tracklets.c, schema.twins.c
    both = (
        select(table.number)
        .join(schema.twins, twins.tracklet == table.number)
        .where(table.model_id == first, twins.model_id == second, twins.mapped.is_(False))
        .order_by(table.ended_at_ns.desc(), table.number.desc())
        .limit(most)
    )
    return [TrackletNumber(number) for number in connection.scalars(both)]


def numbers_described_by(connection: Connection, model_id: ModelId, *, most: int) -> list[TrackletNumber]:
    """The latest closed tracklets that came with a model, or have a twin of it made from their pictures."""
    table, twins = schema.tracklets.c, schema.twins.c
    twin = exists().where(twins.tracklet == table.number, twins.model_id == model_id, twins.mapped.is_(False))
    described = select(table.number).where(table.open.is_(False), or_(table.model_id == model_id, twin))
    latest = described.order_by(table.ended_at_ns.desc(), table.number.desc()).limit(most)
    return [TrackletNumber(number) for number in connection.scalars(latest)]


def coverage(connection: Connection, model_id: ModelId) -> Coverage:
    """How many of those who stand for active identities a model can compare."""
    table, twins, identities = schema.tracklets.c, schema.twins.c, schema.identities.c
    standing = (
        select(table.model_id == model_id, twins.mapped, func.count())
        .select_from(schema.tracklets)
        .join(schema.identities, identities.identity_id == table.identity_id)
        .outerjoin(schema.twins, and_(twins.tracklet == table.number, twins.model_id == model_id))
        .where(table.prototype, identities.state == IdentityState.ACTIVE.value)
        .where(or_(table.open.is_(False), table.model_id == model_id))
        .group_by(table.model_id == model_id, twins.mapped)
    )
    counts = {(bool(native), mapped): count for native, mapped, count in connection.execute(standing)}
    return Coverage(
        prototypes=sum(counts.values()),
        native=sum(count for (native, _), count in counts.items() if native),
        from_crops=counts.get((False, False), 0),
        mapped=counts.get((False, True), 0),
    )


def rollout_steps(connection: Connection) -> list[RolloutStep]:
    """The log of rollouts, in order."""
    table = schema.rollouts
    return [_step(row) for row in connection.execute(select(table).order_by(table.c.number))]


def _step(row: Row[Any]) -> RolloutStep:
    values = dict(row._mapping)
    return RolloutStep(**{**values, "cameras": msgspec.json.decode(values["cameras"], type=tuple[CameraId, ...])})


def tracklets_numbered(connection: Connection, numbers: Collection[TrackletNumber]) -> Iterator[Row[Any]]:
    """The rows of those of these tracklets that there are, in the order of their numbers."""
    table = schema.tracklets
    for some in _batches(numbers):
        yield from connection.execute(select(table).where(table.c.number.in_(some)).order_by(table.c.number))


def _batches(numbers: Collection[TrackletNumber]) -> Iterator[Sequence[TrackletNumber]]:
    left = iter(sorted(numbers))
    while some := list(islice(left, _MANY)):
        yield some

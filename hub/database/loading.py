"""From rows to what the hub has in mind: the same as before the restart."""

import logging
from collections.abc import Sequence
from functools import partial
from sys import intern
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, bindparam, exists, or_, select

from hub.corrections.constraints import Assertion, Constraints
from hub.database import schema
from hub.database.packing import floats, integers
from hub.database.twin_rows import rollout_steps, twin_of
from hub.database.writing import CLOCK
from hub.knowledge import Knowledge
from hub.paths import NOWHERE, Path
from hub.records import Boot, Identity, IdentityState, Tracklet, TrackletNumber
from hub.rollout import Rollout
from hub.spaces import ModelSpace, StoreFactory
from hub.state import PATHS_KEPT_NS, REMEMBERED_NS, SiteState
from hub.statistics import StatisticsSource
from passerby.errors import StoreError
from passerby.ids import BootId, IdentityId, ModelId, TrackletId
from passerby.messages import Observations

_log = logging.getLogger("passerby.hub")

_REPEATED = ("camera_id", "model_id", "clock_source")

_MANY = 500
"""Values in one question to SQLite, which bounds them."""


def _of_edge_name(table: Table) -> ColumnElement[bool]:
    return and_(table.c.boot_id == bindparam("boot_id"), table.c.tracklet_id == bindparam("tracklet_id"))


# Asked for every new tracklet, and therefore built once.
_BY_EDGE_NAME = select(schema.tracklets).where(_of_edge_name(schema.tracklets))
_ERASED = select(exists().where(_of_edge_name(schema.erased_tracklets)))


def load(connection: Connection, *, store: StoreFactory, statistics: StatisticsSource) -> SiteState:
    """The state as of the last commit; of an empty database, an empty one."""
    clock = connection.scalar(select(schema.settings.c.value).where(schema.settings.c.key == CLOCK))
    state = SiteState(clock_ns=int(clock or 0))
    state.counters = {row.name: row.value for row in connection.execute(select(schema.counters))}
    for row in connection.execute(select(schema.boots)):
        state.boots[row.boot_id] = Boot(row.boot_id, row.edge_id, row.committed_seq)
    for row in connection.execute(select(schema.models).order_by(schema.models.c.model_id)):
        state.spaces[row.model_id] = _space(connection, row, store=store, statistics=statistics)
    identities = select(schema.identities).where(schema.identities.c.state == IdentityState.ACTIVE.value)
    for row in connection.execute(identities.order_by(schema.identities.c.identity_id)):
        state.recall_identity(identity_of(row))
    table = schema.tracklets
    remembered = or_(table.c.open, table.c.prototype, table.c.updated_at_ns >= state.clock_ns - REMEMBERED_NS)
    twins = select(schema.twins).join(table, table.c.number == schema.twins.c.tracklet).where(remembered)
    for row in connection.execute(twins):
        state.recall_twin(twin_of(row))
    for row in connection.execute(select(table).where(remembered).order_by(table.c.number)):
        state.recall(tracklet_of(row))
    state.rollout = Rollout().after(rollout_steps(connection))
    state.constraints = load_constraints(connection)
    parts = {row.part: row.data for row in connection.execute(select(schema.knowledge))}
    state.knowledge = Knowledge.restored(parts)
    _recall_paths(connection, state)
    return state


def _recall_paths(connection: Connection, state: SiteState) -> None:
    """Where the tracklets were that had news lately enough."""
    for tracklet in state.lately(PATHS_KEPT_NS):
        path = path_of(connection, tracklet)
        if len(path):
            state.paths[tracklet.number] = path


def find_tracklet(connection: Connection, boot_id: BootId, tracklet_id: TrackletId) -> Tracklet | None:
    """A tracklet by the edge's name for it, when it has gone out of mind."""
    row = connection.execute(_BY_EDGE_NAME, {"boot_id": boot_id, "tracklet_id": tracklet_id}).one_or_none()
    return None if row is None else tracklet_of(row)


def path_of(connection: Connection, tracklet: Tracklet) -> Path:
    """Where a tracklet was."""
    seen = schema.observations
    rows = connection.execute(select(seen).where(seen.c.tracklet == tracklet.number).order_by(seen.c.revision))
    return NOWHERE.extended(observations_of(rows.all()), frame_height=tracklet.frame_height)


def is_erased(connection: Connection, boot_id: BootId, tracklet_id: TrackletId) -> bool:
    """Whether a tracklet, by the edge's name for it, has been erased."""
    return bool(connection.scalar(_ERASED, {"boot_id": boot_id, "tracklet_id": tracklet_id}))


def tracklet_of(row: Row[Any]) -> Tracklet:
    """A row of `tracklets` as a record."""
    values = dict(row._mapping)
    # The same few names in every row: once in mind, not 400,000 times.
    values |= {name: intern(values[name]) for name in _REPEATED}
    return Tracklet(**{**values, "embedding": floats(values["embedding"])})


def observations_of(rows: Sequence[Row[Any]]) -> Observations:
    """Rows of `observations` as one record, in their order."""
    return Observations(
        integers(b"".join(row.frame_numbers for row in rows)),
        integers(b"".join(row.captured_at_ns for row in rows)),
        floats(b"".join(row.boxes_xyxy for row in rows), columns=4),
        floats(b"".join(row.confidence for row in rows)),
    )


def identity_of(row: Row[Any]) -> Identity:
    """A row of `identities` as a record."""
    values = dict(row._mapping)
    return Identity(**{**values, "state": IdentityState(values["state"])})


def load_constraints(connection: Connection) -> Constraints:
    """What operators have said and nobody has withdrawn."""
    assertions = [
        Assertion(
            event_id=row.event_id,
            tracklets=tracklet_set(row.tracklets),
            apart_from=tracklet_set(row.apart_from),
            together=row.together,
        )
        for row in connection.execute(select(schema.assertions))
    ]
    named = sorted({number for one in assertions for number in one.tracklets | one.apart_from})
    table = schema.tracklets.c
    identities: dict[TrackletNumber, IdentityId] = {}
    for begin in range(0, len(named), _MANY):
        rows = select(table.number, table.identity_id).where(table.number.in_(named[begin : begin + _MANY]))
        identities |= {row.number: row.identity_id for row in connection.execute(rows) if row.identity_id is not None}
    return Constraints(assertions, identities=identities)


def tracklet_set(data: bytes) -> frozenset[TrackletNumber]:
    """Packed tracklet numbers as a set."""
    return frozenset(TrackletNumber(number) for number in integers(data).tolist())


def _space(connection: Connection, row: Row[Any], *, store: StoreFactory, statistics: StatisticsSource) -> ModelSpace:
    model_id = ModelId(row.model_id)
    stored = select(schema.camera_statistics).where(schema.camera_statistics.c.model_id == model_id)
    parts = {part.part: part.data for part in connection.execute(stored)}
    make = partial(
        ModelSpace,
        model_id,
        dimension=row.dimension,
        statistics=statistics.restore(model_id, row.dimension, parts=parts),
        store=store,
    )
    table = schema.search_structures
    structure = connection.scalar(select(table.c.structure).where(table.c.model_id == model_id))
    try:
        return make(structure=structure or b"")
    except StoreError as error:
        # It only makes searches fast. Also met where camera normalization was turned on or off: another dimension.
        _log.warning("%s; the prototypes of %s are organized anew", error, model_id)
        return make()

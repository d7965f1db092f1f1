"""From what a batch has changed to rows, in one transaction."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import Connection, Table, update

from hub.changes import Changes
from hub.corrections.acts import CarriedOut
from hub.corrections.constraints import Assertion
from hub.database import schema
from hub.database.packing import pack
from hub.database.statements import deleting, inserting, replacing
from hub.records import Event, Identity, Tracklet, Twin
from hub.rollout import RolloutStep
from hub.state import SiteState
from hub.statistics import CameraStatistics
from passerby.ids import ModelId

CLOCK = "clock_ns"


def write(connection: Connection, state: SiteState, changes: Changes) -> None:
    """Write `changes`, and the counters and the clock of `state`."""
    _replace(connection, schema.boots, [_boot(boot) for boot in changes.boots.values()])
    _replace(connection, schema.models, [_model(state, model_id) for model_id in changes.models])
    for model_id in changes.models:
        statistics = state.spaces[model_id].statistics
        if statistics is not None:
            _write_statistics(connection, model_id, statistics)
    learned = [{"part": part, "data": state.knowledge.packed(part)} for part in state.knowledge.changed]
    _replace(connection, schema.knowledge, learned)
    state.knowledge.changed.clear()
    _replace(connection, schema.identities, [_identity(identity) for identity in changes.identities.values()])
    for survivor, absorbed in changes.merges:
        members = schema.tracklets.c.identity_id == absorbed
        connection.execute(update(schema.tracklets).where(members).values(identity_id=survivor))
    _replace(connection, schema.tracklets, [_tracklet(tracklet) for tracklet in changes.tracklets.values()])
    _write_exemplars(connection, changes)
    if changes.untwinned:
        _delete(connection, schema.twins, "tracklet", list(changes.untwinned))
    _replace(connection, schema.twins, [_twin(twin) for twin in changes.twins.values()])
    _add(connection, schema.observations, _observations(changes))
    _replace(connection, schema.camera_status, _statuses(changes))
    _add(connection, schema.events, [_event(event) for event in changes.events])
    _write_assertions(connection, changes)
    if changes.acts:
        _write_acts(connection, changes)
    if changes.erased or changes.nameless:
        _write_erased(connection, changes)
    _replace(connection, schema.counters, [{"name": name, "value": value} for name, value in state.counters.items()])
    write_structures(connection, state)
    _replace(connection, schema.settings, [{"key": CLOCK, "value": str(state.clock_ns)}])


def write_structures(connection: Connection, state: SiteState) -> None:
    """Write how the stores are organized that have been reorganized."""
    new = {model_id: space.new_structure for model_id, space in state.spaces.items()}
    rows = [{"model_id": model_id, "structure": data} for model_id, data in new.items() if data is not None]
    _replace(connection, schema.search_structures, rows)


def _add(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        inserting(table).execute(connection, rows)


def _replace(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        replacing(table).execute(connection, rows)


def _boot(boot: Any) -> dict[str, Any]:
    return {"boot_id": boot.boot_id, "edge_id": boot.edge_id, "committed_seq": boot.committed_seq}


def _model(state: SiteState, model_id: Any) -> dict[str, Any]:
    space = state.spaces[model_id]
    return {"model_id": model_id, "dimension": space.dimension}


def _write_statistics(connection: Connection, model_id: ModelId, statistics: CameraStatistics) -> None:
    parts = statistics.changed_parts()
    gone = [{"model_id": model_id, "part": name} for name, data in parts.items() if data is None]
    if gone:
        deleting(schema.camera_statistics, "model_id", "part").execute(connection, gone)
    kept = {name: data for name, data in parts.items() if data is not None}
    rows = [{"model_id": model_id, "part": name, "data": data} for name, data in kept.items()]
    _replace(connection, schema.camera_statistics, rows)


def _identity(identity: Identity) -> dict[str, Any]:
    return {
        "identity_id": identity.identity_id,
        "state": identity.state.value,
        "name": identity.name,
        "created_at_ns": identity.created_at_ns,
        "updated_at_ns": identity.updated_at_ns,
        "merged_into": identity.merged_into,
        "name_id": identity.name_id,
    }


_TRACKLET_COLUMNS = [column.name for column in schema.tracklets.columns if column.name != "embedding"]


def _tracklet(tracklet: Tracklet) -> dict[str, Any]:
    return {name: getattr(tracklet, name) for name in _TRACKLET_COLUMNS} | {
        "embedding": pack(tracklet.embedding, "<f4")
    }


def _twin(twin: Twin) -> dict[str, Any]:
    return {
        "tracklet": twin.tracklet,
        "model_id": twin.model_id,
        "embedding": pack(twin.embedding, "<f4"),
        "mapped": twin.mapped,
    }


def _write_exemplars(connection: Connection, changes: Changes) -> None:
    if not changes.exemplars:
        return
    _delete(connection, schema.exemplars, "tracklet", list(changes.exemplars))
    rows = [
        {
            "tracklet": number,
            "crop_id": int(exemplars.crop_ids[row]),
            "rank": row,
            "captured_at_ns": int(exemplars.captured_at_ns[row]),
            "box_xyxy": pack(exemplars.boxes_xyxy[row], "<f4"),
            "quality": float(exemplars.quality[row]),
            "model_id": model_id,
            "embedding": pack(exemplars.embeddings[row], "<f4"),
        }
        for number, (model_id, exemplars) in changes.exemplars.items()
        for row in range(len(exemplars))
    ]
    _add(connection, schema.exemplars, rows)


def _observations(changes: Changes) -> list[dict[str, Any]]:
    return [
        {
            "tracklet": number,
            "revision": revision,
            "frame_numbers": pack(seen.frame_numbers, "<i8"),
            "captured_at_ns": pack(seen.captured_at_ns, "<i8"),
            "boxes_xyxy": pack(seen.boxes_xyxy, "<f4"),
            "confidence": pack(seen.confidence, "<f4"),
        }
        for (number, revision), seen in changes.observations.items()
    ]


def _statuses(changes: Changes) -> list[dict[str, Any]]:
    return [
        {
            "camera_id": camera_id,
            "edge_id": reported.edge_id,
            "boot_id": reported.boot_id,
            "sent_at_ns": reported.sent_at_ns,
            "received_at_ns": reported.received_at_ns,
            "status": msgspec.json.encode(reported.status),
        }
        for camera_id, reported in changes.statuses.items()
    ]


def _event(event: Event) -> dict[str, Any]:
    return {
        "event_id": event.event_id,
        "at_ns": event.at_ns,
        "kind": event.kind.value,
        "identity_id": event.identity_id,
        "other_identity_id": event.other_identity_id,
        "tracklet": event.tracklet,
        "camera_id": event.camera_id,
        "evidence": msgspec.json.encode(event.evidence),
        "tracklets": _numbers(event.tracklets) if event.tracklets else None,
        "undoes": event.undoes,
        "act_id": event.act_id,
        "pass_id": event.pass_id,
        "name_id": event.name_id,
    }


def _write_assertions(connection: Connection, changes: Changes) -> None:
    said = {event_id: one for event_id, one in changes.assertions.items() if one is not None}
    _delete(connection, schema.assertions, "event_id", list(changes.assertions))
    _add(connection, schema.assertions, [_assertion(one) for one in said.values()])


def _write_acts(connection: Connection, changes: Changes) -> None:
    """Write what operators' acts change beside identities, tracklets and events."""
    _add(connection, schema.names, [{"name_id": n, "identity_id": i, "name": s} for n, (i, s) in changes.names.items()])
    answers = [{"event_id": e, "answer": word, "act_id": act} for e, (word, act) in changes.answers.items()]
    _replace(connection, schema.answers, answers)
    _add(connection, schema.acts, [_act(one) for one in changes.acts])
    _add(connection, schema.rollouts, [_rollout(one) for one in changes.rollouts])


def _write_erased(connection: Connection, changes: Changes) -> None:
    """Write what is gone for good: as an operator says, or after its time."""
    tombstones = [
        {"number": number, "boot_id": boot_id, "tracklet_id": tracklet_id, "crops_gone": False}
        for number, (boot_id, tracklet_id) in changes.erased.items()
    ]
    _add(connection, schema.erased_tracklets, tombstones)
    _delete(connection, schema.tracklets, "number", list(changes.erased))
    _delete(connection, schema.names, "identity_id", list(changes.nameless))


def _delete(connection: Connection, table: Table, column: str, values: list[Any]) -> None:
    if values:
        deleting(table, column).execute(connection, [{column: value} for value in values])


def _assertion(assertion: Assertion) -> dict[str, Any]:
    return {
        "event_id": assertion.event_id,
        "tracklets": _numbers(sorted(assertion.tracklets)),
        "apart_from": _numbers(sorted(assertion.apart_from)),
        "together": assertion.together,
    }


def _act(done: CarriedOut) -> dict[str, Any]:
    return {
        "act_id": done.outcome.act_id,
        "request_id": done.request_id,
        "at_ns": done.at_ns,
        "actor": done.actor,
        "act": msgspec.json.encode(done.act),
        "outcome": msgspec.json.encode(done.outcome),
    }


def _rollout(step: RolloutStep) -> dict[str, Any]:
    return {
        "number": step.number,
        "at_ns": step.at_ns,
        "model_id": step.model_id,
        "stage": step.stage,
        "cameras": msgspec.json.encode(step.cameras),
        "reason": step.reason,
        "act_id": step.act_id,
    }


def _numbers(tracklets: Sequence[int]) -> bytes:
    return pack(np.array(tracklets, np.int64), "<i8")

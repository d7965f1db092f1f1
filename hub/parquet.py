"""A site's tables as Parquet, by pyarrow, which is not always there: https://parquet.apache.org."""

from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from typing import IO, Any

import msgspec
import numpy as np

from hub.export_rows import AT_ONCE, EmbeddingRow, TrackletRow
from hub.records import Event
from passerby.errors import ConfigError


def require_parquet() -> None:
    """Raise ConfigError, with what to install, where pyarrow is not here."""
    if find_spec("pyarrow") is None:
        raise ConfigError("Parquet needs pyarrow, which is not installed; `pip install 'passerby[parquet]'`")


def write_tracklets(batches: Iterable[Sequence[TrackletRow]], file: IO[bytes]) -> int:
    """One row a tracklet; gives how many. Times are timestamps in UTC. Raises ConfigError without pyarrow."""
    require_parquet()
    import pyarrow as pa

    schema = pa.schema(
        [
            ("tracklet", pa.int64()),
            ("camera", pa.dictionary(pa.int32(), pa.string())),
            ("identity", pa.int64()),
            ("started_at", pa.timestamp("ns", "UTC")),
            ("ended_at", pa.timestamp("ns", "UTC")),
            ("model", pa.dictionary(pa.int32(), pa.string())),
            ("quality", pa.float64()),
            ("crops", pa.int32()),
            ("open", pa.bool_()),
            ("frame_width", pa.int32()),
            ("frame_height", pa.int32()),
            ("clock", pa.string()),
            ("clock_error_ns", pa.int64()),
        ]
    )
    return _write(([_plain(row) for row in batch] for batch in batches), schema, file)


def write_events(events: Iterable[Event], file: IO[bytes]) -> int:
    """One row an event of the log, in order, with its evidence as a struct; gives how many."""
    require_parquet()
    import pyarrow as pa

    number, measure = pa.int64(), pa.float64()
    terms = pa.struct([(name, measure) for name in ("appearance", "movement", "place", "apart")])
    evidence = pa.struct(
        [
            *(
                (name, measure)
                for name in ("similarity", "runner_up", "margin", "threshold", "probability", "boundary")
            ),
            ("model_id", pa.string()),
            *((name, number) for name in ("normalization_version", "candidates", "beside", "nearest")),
            *((name, number) for name in ("calibration_version", "topology_version")),
            ("terms", terms),
            ("alike", pa.list_(number)),
            ("refused_because", pa.string()),
        ]
    )
    schema = pa.schema(
        [
            ("event", number),
            ("at", pa.timestamp("ns", "UTC")),
            ("kind", pa.string()),
            *((name, number) for name in ("identity", "other_identity", "tracklet")),
            ("camera", pa.string()),
            ("tracklets", pa.list_(number)),
            *((name, number) for name in ("undoes", "act", "pass", "name")),
            ("evidence", evidence),
        ]
    )
    return _write(_in_batches(map(_event, events)), schema, file)


def write_embeddings(
    batches: Iterable[Sequence[EmbeddingRow]], file: IO[bytes], *, dimension: int, model_id: str
) -> int:
    """One row a tracklet, `embedding` a list of `dimension` float32; the file's metadata name the model."""
    require_parquet()
    import pyarrow as pa
    import pyarrow.parquet

    schema = pa.schema(
        [
            ("tracklet", pa.int64()),
            ("camera", pa.dictionary(pa.int32(), pa.string())),
            ("identity", pa.int64()),
            ("embedding", pa.list_(pa.float32(), dimension)),
        ],
        metadata={"model": model_id},
    )
    count = 0
    with pa.parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for batch in batches:
            if not batch:
                continue
            flat = np.concatenate([row.embedding for row in batch]).astype(np.float32)
            columns = [
                pa.array([row.tracklet for row in batch], pa.int64()),
                pa.array([row.camera for row in batch], schema.field("camera").type),
                pa.array([row.identity for row in batch], pa.int64()),
                pa.FixedSizeListArray.from_arrays(pa.array(flat), dimension),
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
            count += len(batch)
    return count


def _write(batches: Iterable[Sequence[dict[str, Any]]], schema: Any, file: IO[bytes]) -> int:
    import pyarrow as pa
    import pyarrow.parquet

    count = 0
    with pa.parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for batch in batches:
            if batch:
                writer.write_table(pa.Table.from_pylist(list(batch), schema=schema))
                count += len(batch)
    return count


def _in_batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    yield batch


def _plain(row: TrackletRow) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.structs.asdict(row)
    return {**plain, "started_at": row.started_at_ns, "ended_at": row.ended_at_ns}


def _event(event: Event) -> dict[str, Any]:
    return {
        "event": event.event_id,
        "at": event.at_ns,
        "kind": event.kind.value,
        "identity": event.identity_id,
        "other_identity": event.other_identity_id,
        "tracklet": event.tracklet,
        "camera": event.camera_id,
        "tracklets": list(event.tracklets),
        "undoes": event.undoes,
        "act": event.act_id,
        "pass": event.pass_id,
        "name": event.name_id,
        "evidence": msgspec.to_builtins(event.evidence),
    }

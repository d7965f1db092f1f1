"""A site's tables as files, as JSON lines or Parquet: tracklets, the event log, embeddings."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, Literal, TypeAlias

import msgspec
import numpy as np

from hub import parquet
from hub.export import event_json
from hub.export_rows import ALL, EmbeddingRow, TrackletRow, embedding_rows, exported_model, tracklet_rows
from hub.listing import Scope, Wanted
from hub.reader import SiteReader

TableName: TypeAlias = Literal["tracklets", "events", "embeddings"]
Form: TypeAlias = Literal["jsonl", "parquet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """Which rows of which table; what a table does not know is not asked of it: events are exported whole."""

    table: TableName
    form: Form
    wanted: Wanted = ALL
    """Of tracklets."""
    scope: Scope = None
    """Of tracklets and embeddings."""
    model: str | None = None
    """Of embeddings, by id or name; None: that of the latest tracklet."""


def write_table(reader: SiteReader, export: Export, file: IO[bytes]) -> int:
    """Write it; gives how many rows. Raises StoreError, DataError for a model that there is not, ConfigError without
    pyarrow where it is needed."""
    if export.form == "parquet":
        parquet.require_parquet()
    if export.table == "events":
        events = reader.all_events()
        return parquet.write_events(events, file) if export.form == "parquet" else _lines(map(event_json, events), file)
    if export.table == "tracklets":
        tracklets = tracklet_rows(reader, wanted=export.wanted, scope=export.scope)
        if export.form == "parquet":
            return parquet.write_tracklets(tracklets, file)
        return _lines((_json(row) for batch in tracklets for row in batch), file)
    model_id = exported_model(reader, export.model)
    embeddings = embedding_rows(reader, model_id, scope=export.scope)
    if export.form == "parquet":
        dimension = reader.dimension_of(model_id)
        return parquet.write_embeddings(embeddings, file, dimension=dimension, model_id=model_id)
    return _lines((_json(row) for batch in embeddings for row in batch), file)


def _lines(lines: Iterable[str], file: IO[bytes]) -> int:
    count = 0
    for line in lines:
        file.write(line.encode() + b"\n")
        count += 1
    return count


def _json(row: TrackletRow | EmbeddingRow) -> str:
    return msgspec.json.encode(row, enc_hook=_plain).decode()


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise NotImplementedError(type(value))

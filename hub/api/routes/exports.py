"""What a site's data say, as files."""

import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from starlette.background import BackgroundTask
from starlette.responses import StreamingResponse

from hub.api.doors import Caller, Operator, unscoped
from hub.api.plain import wanted_sightings
from hub.api.problems import ProblemError
from hub.export import event_json, write_mot
from hub.export_tables import Export, Form, write_table
from hub.listing import Wanted
from hub.parquet import require_parquet
from passerby.errors import ConfigError

router = APIRouter(tags=["exports"])

_CHUNK = 1 << 16
_ZIP: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}
}
_LINES: dict[int | str, dict[str, Any]] = {200: {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}}}
_PARQUET: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}}}}
}
_MEDIA_TYPES: dict[Form, str] = {"jsonl": "application/x-ndjson", "parquet": "application/vnd.apache.parquet"}

_Sightings = Annotated[Wanted, Depends(wanted_sightings)]
_Model = Annotated[
    str | None, Query(max_length=200, description="Whose, by id or name; left out: that of the latest tracklet.")
]


@router.get("/exports/tracks.zip", summary="Tracks in MOT format", response_class=Response, responses=_ZIP)
def mot(
    who: Operator,
    as_decided: Annotated[bool, Query(description="Identities as known two seconds after each frame.")] = False,
) -> Response:
    """A file per camera: `frame,identity,x,y,w,h,confidence,-1,-1,-1`."""
    who.services.reader()
    who.did("exports.tracks")
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it has been sent
    try:
        _write_zip(who, file, as_decided=as_decided)
    except BaseException:
        file.close()
        raise
    return StreamingResponse(
        _chunks(file),
        media_type="application/zip",
        headers={"Content-Disposition": 'attachment; filename="tracks.zip"'},
        background=BackgroundTask(file.close),
    )


@router.get("/exports/events.jsonl", summary="The log as JSON lines", response_class=Response, responses=_LINES)
def events(who: Operator) -> Response:
    """All events, in order, one a line."""
    unscoped(who)
    who.services.reader()
    who.did("exports.events")
    return StreamingResponse(
        _lines(who),
        media_type="application/x-ndjson",
        headers={"Content-Disposition": 'attachment; filename="events.jsonl"'},
    )


@router.get("/exports/events.parquet", summary="The log as Parquet", response_class=Response, responses=_PARQUET)
def events_as_parquet(who: Operator) -> Response:
    """All events, in order, one a row, the evidence as a struct."""
    unscoped(who)
    return _table(who, Export(table="events", form="parquet"))


@router.get("/exports/tracklets.jsonl", summary="Tracklets as JSON lines", response_class=Response, responses=_LINES)
def tracklets(who: Operator, wanted: _Sightings) -> Response:
    """One a line, by number: camera, person, times, quality."""
    return _table(who, Export(table="tracklets", form="jsonl", wanted=wanted, scope=who.scope))


@router.get("/exports/tracklets.parquet", summary="Tracklets as Parquet", response_class=Response, responses=_PARQUET)
def tracklets_as_parquet(who: Operator, wanted: _Sightings) -> Response:
    """The same, one a row."""
    return _table(who, Export(table="tracklets", form="parquet", wanted=wanted, scope=who.scope))


@router.get("/exports/embeddings.jsonl", summary="Embeddings as JSON lines", response_class=Response, responses=_LINES)
def embeddings(who: Operator, model: _Model = None) -> Response:
    """One tracklet a line, with its raw embedding."""
    return _table(who, Export(table="embeddings", form="jsonl", model=model, scope=who.scope))


@router.get("/exports/embeddings.parquet", summary="Embeddings as Parquet", response_class=Response, responses=_PARQUET)
def embeddings_as_parquet(who: Operator, model: _Model = None) -> Response:
    """The same, one a row, as lists of fixed size."""
    return _table(who, Export(table="embeddings", form="parquet", model=model, scope=who.scope))


def _table(who: Caller, export: Export) -> Response:
    reader = who.services.reader()
    if export.form == "parquet":
        try:
            require_parquet()
        except ConfigError as error:
            raise ProblemError(404, str(error)) from error
    who.did(f"exports.{export.table}")
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it has been sent
    try:
        write_table(reader, export, file)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return StreamingResponse(
        _chunks(file),
        media_type=_MEDIA_TYPES[export.form],
        headers={"Content-Disposition": f'attachment; filename="{export.table}.{export.form}"'},
        background=BackgroundTask(file.close),
    )


def _write_zip(who: Caller, file: IO[bytes], *, as_decided: bool) -> None:
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for written in write_mot(who.services.data_dir, Path(folder), as_decided=as_decided):
            if who.scope is None or written.stem in who.scope:
                archive.write(written, written.name)
    file.seek(0)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


def _lines(who: Caller) -> Iterator[str]:
    for event in who.services.reader().all_events():
        yield event_json(event) + "\n"

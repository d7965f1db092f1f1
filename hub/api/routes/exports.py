"""What a site's data say, as files."""

import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Annotated, Any

from fastapi import APIRouter, Query, Response
from starlette.background import BackgroundTask
from starlette.responses import StreamingResponse

from hub.api.doors import Caller, Operator, unscoped
from hub.export import event_json, write_mot

router = APIRouter(tags=["exports"])

_CHUNK = 1 << 16
_ZIP: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}
}
_LINES: dict[int | str, dict[str, Any]] = {200: {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}}}


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

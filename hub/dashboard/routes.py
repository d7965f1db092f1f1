"""What pages fetch beside themselves: pictures, live views, bars of the timeline."""

import asyncio
import json
from collections.abc import Callable
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import FileResponse

from hub.access.records import Principal
from hub.dashboard.gallery import Gallery, Standing
from hub.dashboard.shell import Shell
from hub.dashboard.sighting import sighting
from hub.records import TrackletNumber
from passerby.adaptation.job import MODEL, Job
from passerby.errors import DataError, StoreError
from passerby.ids import CameraId

_KEPT = {"Cache-Control": "private, max-age=86400, immutable"}
_BEST_KEPT = {"Cache-Control": "private, max-age=5"}
_NEAR_NS = 1_500_000_000
"""A box is drawn on a picture that is at most so much older or newer."""

CLUSTERS = "clusters.jpg"
"""In the folder of an adapted model: the people it was taught by."""

_MOST_BARS = 20_000

NO_LONGER_KEPT = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 128" preserveAspectRatio="xMidYMid slice">'
    '<rect width="64" height="128" fill="#8a94a3"/><g fill="#a9b2be"><circle cx="32" cy="44" r="10"/>'
    '<path d="M14 104c0-26 6-42 18-42s18 16 18 42z"/></g></svg>'
)
"""In place of a picture: nobody in particular."""


def router(shell: Shell) -> APIRouter:
    """The routes. Who may not see a camera gets 404 of what it saw, as if it was not there."""
    routes = APIRouter(include_in_schema=False)
    asks = Annotated[Principal, Depends(_required(shell))]

    @routes.get("/pictures/{number:int}/{which}.jpg")
    def picture(number: int, which: str, principal: asks) -> Response:
        tracklet = shell.services.reader().tracklet(TrackletNumber(number))
        if tracklet is None or not principal.sees(tracklet.camera_id):
            raise HTTPException(404)
        if which == "best":
            jpeg = shell.services.best_crop(tracklet.number)
        else:
            jpeg = shell.services.crop(tracklet.number, int(which)) if which.removeprefix("-").isdecimal() else None
        if jpeg is None:
            return Response(NO_LONGER_KEPT, media_type="image/svg+xml", headers=_BEST_KEPT)
        return Response(jpeg, media_type="image/jpeg", headers=_BEST_KEPT if which == "best" else _KEPT)

    @routes.get("/live-pictures/{camera_id}")
    async def live(camera_id: str, request: Request, principal: asks) -> Response:
        camera = CameraId(camera_id)
        pictures = shell.services.live
        if pictures is None or not principal.sees(camera):
            raise HTTPException(404)
        shown = await asyncio.to_thread(pictures.latest, camera)
        if shown is None:
            return Response(status_code=204)
        etag = f'"{shown.captured_at_ns}"'
        if request.headers.get("If-None-Match") == etag:
            return Response(status_code=304)
        boxes = await asyncio.to_thread(_boxes, shell.gallery, camera, shown.captured_at_ns)
        headers = {"ETag": etag, "Cache-Control": "no-store", "X-Boxes": boxes}
        return Response(shown.jpeg, media_type="image/jpeg", headers=headers)

    @routes.get("/timeline-bars")
    def bars(since: int, until: int, principal: asks) -> Response:
        """From and to in milliseconds; bars as [number, camera, identity or 0, from, to, probability]."""
        found = shell.gallery.bars(
            from_ns=since * 1_000_000, to_ns=until * 1_000_000, cameras=principal.cameras, most=_MOST_BARS
        )
        cameras = sorted({bar.camera_id for bar in found})
        people = sorted({bar.identity_id for bar in found if bar.identity_id is not None})
        names = shell.gallery.names(people)
        lane = {camera: row for row, camera in enumerate(cameras)}
        rows = [
            [b.number, lane[b.camera_id], b.identity_id or 0, b.started_ns // 10**6, b.ended_ns // 10**6, b.sure]
            for b in found
        ]
        told = {"cameras": cameras, "names": names, "bars": rows, "cut": len(rows) == _MOST_BARS}
        return Response(json.dumps(told, ensure_ascii=False), media_type="application/json")

    @routes.get("/timeline-tracklet/{number:int}")
    def tracklet(number: int, principal: asks) -> Response:
        reader = shell.services.reader()
        found = reader.tracklet(TrackletNumber(number))
        if found is None or not principal.sees(found.camera_id):
            raise HTTPException(404)
        return Response(sighting(reader, found), media_type="text/html")

    @routes.get("/adaptations/{number:int}/clusters.jpg")
    def clusters(number: int, principal: asks) -> Response:
        sheet = _job(shell, number, principal).folder / MODEL / CLUSTERS
        if not sheet.exists():
            raise HTTPException(404)
        return FileResponse(sheet, media_type="image/jpeg")

    @routes.get("/adaptations/{number:int}/report.html")
    def report(number: int, principal: asks) -> Response:
        _job(shell, number, principal)
        try:
            return Response(
                shell.services.adaptations.compare(number) if shell.services.adaptations else "", media_type="text/html"
            )
        except DataError:
            raise HTTPException(404) from None

    return routes


def _job(shell: Shell, number: int, principal: Principal) -> Job:
    if shell.services.adaptations is None or principal.cameras is not None:
        raise HTTPException(404)
    try:
        return shell.services.adaptations.job(number)
    except DataError:
        raise HTTPException(404) from None


def _required(shell: Shell) -> Callable[[Request], Principal]:
    def required(request: Request) -> Principal:
        principal = shell.who_asks(request)
        if principal is None:
            raise HTTPException(401)
        return principal

    return required


def _boxes(gallery: Gallery, camera_id: CameraId, at_ns: int) -> str:
    """Who stands where, as JSON in ASCII: a header takes nothing else."""
    try:
        there = [_box(one, at_ns) for one in gallery.standing(camera_id)]
    except StoreError:
        return "[]"
    return json.dumps([box for box in there if box is not None])


def _box(one: Standing, at_ns: int) -> dict[str, object] | None:
    if not len(one.at_ns):
        return None
    nearest = int(np.argmin(np.abs(one.at_ns - at_ns)))
    if abs(int(one.at_ns[nearest]) - at_ns) > _NEAR_NS:
        return None
    known = one.identity_id is not None
    name = one.name or (f"Person {one.identity_id}" if known else "not decided yet")
    box = [round(float(value), 1) for value in one.boxes_xyxy[nearest]]
    return {"box": box, "identity": one.identity_id or 0, "name": name}

"""What pages fetch beside themselves: pictures, bars of the timeline."""

import json
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import FileResponse

from hub.access.records import Principal
from hub.dashboard.shell import Shell
from hub.dashboard.sighting import sighting
from hub.records import TrackletNumber
from passerby.adaptation.job import MODEL, Job
from passerby.errors import DataError

_KEPT = {"Cache-Control": "private, max-age=86400, immutable"}
_BEST_KEPT = {"Cache-Control": "private, max-age=5"}
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
    asks = Annotated[Principal, Depends(required(shell))]

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


def required(shell: Shell) -> Callable[[Request], Principal]:
    """Who asks, for a route; 401 where nobody is known."""

    def known(request: Request) -> Principal:
        principal = shell.who_asks(request)
        if principal is None:
            raise HTTPException(401)
        return principal

    return known

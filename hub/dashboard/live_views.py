"""Live views as pages fetch them: one camera's picture, or those of many in one answer that does not end."""

import asyncio
import json
import struct
import time
from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import StreamingResponse

from hub.access.records import Principal
from hub.api.feed import Feed
from hub.dashboard.routes import required
from hub.dashboard.shell import Shell
from hub.listing import Decided
from hub.services import LivePicture, LivePictures, Services
from passerby.config.attached import CAMERA_NAME
from passerby.errors import PasserbyError, StoreError
from passerby.ids import CameraId
from passerby.messages import Marked

_LOOK_S = 0.1
_AGAIN_S = 5.0
"""So often it is asked whether who watches still may; where pictures cannot be had, they are tried for so often."""

_MOST_CAMERAS = 256


def router(shell: Shell) -> APIRouter:
    """The routes. Who may not see a camera gets 404, as if it was not there."""
    routes = APIRouter(include_in_schema=False)
    asks = Annotated[Principal, Depends(required(shell))]

    @routes.get("/live-pictures/{camera_id}")
    async def one(camera_id: str, request: Request, principal: asks, *, full: bool = False) -> Response:
        pictures, (camera,) = _seen(shell, principal, [camera_id])
        shown = await asyncio.to_thread(pictures.latest, camera, full=full)
        if shown is None:
            return Response(status_code=204)
        etag = f'"{shown.captured_at_ns}"'
        if request.headers.get("If-None-Match") == etag:
            return Response(status_code=304)
        return Response(shown.jpeg, media_type="image/jpeg", headers={"ETag": etag, "Cache-Control": "no-store"})

    @routes.get("/live-pictures")
    async def many(
        request: Request,
        principal: asks,
        camera: Annotated[list[str], Query(max_length=_MOST_CAMERAS)],
    ) -> StreamingResponse:
        """Of each new picture: the length of what is told of it (4 bytes, big-endian), that as JSON, and the JPEG.

        Told are `camera`, `boxes` of who stands there, and `bytes` of the JPEG: none where there is no picture now.
        A browser that is slow misses pictures; it does not get them late.
        """
        pictures, cameras = _seen(shell, principal, camera)
        feed: Feed = request.app.state.feed
        told = _told(shell, request, pictures=pictures, cameras=cameras, feed=feed)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(told, media_type="application/octet-stream", headers=headers)

    return routes


def _seen(shell: Shell, principal: Principal, names: Sequence[str]) -> tuple[LivePictures, list[CameraId]]:
    cameras = [CameraId(name) for name in dict.fromkeys(names)]
    pictures = shell.services.live
    if pictures is None or not all(CAMERA_NAME.fullmatch(one) and principal.sees(one) for one in cameras):
        raise HTTPException(404)
    return pictures, cameras


async def _told(
    shell: Shell, request: Request, *, pictures: LivePictures, cameras: Sequence[CameraId], feed: Feed
) -> AsyncIterator[bytes]:
    latest: dict[CameraId, int | None] = {}

    def new(camera: CameraId) -> bytes | None:
        shown = pictures.latest(camera)
        at_ns = None if shown is None else shown.captured_at_ns
        if camera in latest and latest[camera] == at_ns:
            return None
        latest[camera] = at_ns
        boxes = [] if shown is None else boxes_of(shell.services, shown)
        jpeg = b"" if shown is None else shown.jpeg
        head = json.dumps({"camera": camera, "boxes": boxes, "bytes": len(jpeg)}).encode()
        return struct.pack(">I", len(head)) + head + jpeg

    asked_at = time.monotonic()
    while not feed.is_over:
        if time.monotonic() - asked_at >= _AGAIN_S:
            asked_at = time.monotonic()
            principal = await asyncio.to_thread(shell.who_asks, request)
            if principal is None or not all(map(principal.sees, cameras)):
                return  # the browser asks again, and is told
        try:
            for piece in await asyncio.to_thread(lambda: [new(camera) for camera in cameras]):
                if piece is not None:
                    yield piece
        except StoreError:  # the hub's log says what is wrong with the disk
            await asyncio.sleep(_AGAIN_S)
        await asyncio.sleep(_LOOK_S)


def boxes_of(services: Services, shown: LivePicture) -> list[dict[str, object]]:
    """Who stands where in a picture, for JSON; nobody where that cannot be read."""
    try:
        decided = services.listing().decided(shown.boot_id, [one.tracklet_id for one in shown.people])
    except PasserbyError:
        return []
    return [_box(one, decided.get(one.tracklet_id)) for one in shown.people]


def _box(one: Marked, who: Decided | None) -> dict[str, object]:
    known = None if who is None else who.identity_id
    name = who.name if who is not None and who.name else f"Person {known}" if known else "not decided yet"
    return {"box": one.box_xyxy, "identity": known or 0, "name": name}

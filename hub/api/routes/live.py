"""What cameras show now: their picture as it comes, and who is in it."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from hub.api.doors import Caller, Viewer
from hub.api.feed import Feed
from hub.api.gate import who_is
from hub.api.plain import PathCamera, moment
from hub.api.problems import ProblemError, not_found
from hub.api.routes.cameras import cameras_of
from hub.listing import Decided
from hub.services import LivePicture, LivePictures
from passerby.ids import CameraId

router = APIRouter(tags=["cameras"])

_BOUNDARY = "picture"
_KIND = f"multipart/x-mixed-replace; boundary={_BOUNDARY}"
_STREAM: dict[int | str, dict[str, Any]] = {200: {"content": {_KIND: {"schema": {"type": "string"}}}}}
_LOOK_S = 0.1
_AGAIN_S = 5.0
"""So often it is asked whether who watches still may."""


class PresentOut(BaseModel):
    """Somebody in the picture."""

    box_xyxy: list[float] = Field(description="Pixels of the picture.")
    identity: int | None = Field(description="null until that is decided.")
    name: str | None


class NowOut(BaseModel):
    """Who is in a camera's latest live picture."""

    captured_at: datetime
    people: list[PresentOut]


@router.get("/cameras/{camera}/live", summary="What it shows, as it comes", response_class=Response, responses=_STREAM)
async def live(
    who: Viewer,
    request: Request,
    camera: PathCamera,
    most: Annotated[int | None, Query(ge=1, le=10_000, description="End after so many.")] = None,
) -> Response:
    """JPEGs one after the other, each in the place of the one before, as browsers and Home Assistant show them.

    About two a second, at most 960 pixels wide (full ones, and fewer, while somebody is about to search in them); edges
    send them only while somebody asks.
    """
    camera_id = CameraId(camera)
    pictures = await run_in_threadpool(_pictures, who, camera_id)
    await run_in_threadpool(who.viewed, "cameras.view", f"camera:{camera}")
    return StreamingResponse(
        _told(who, request, pictures, camera_id, most=most),
        media_type=_KIND,
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@router.get("/cameras/{camera}/people", summary="Who is in its picture now")
def people(who: Viewer, camera: PathCamera) -> NowOut:
    """As on the page Live. A camera sends live pictures only while somebody asks: the first answer may be 404."""
    shown = _pictures(who, CameraId(camera)).latest(CameraId(camera))
    if shown is None:
        raise not_found(f"live picture of camera {camera} yet")
    decided = who.services.listing().decided(shown.boot_id, [one.tracklet_id for one in shown.people])
    found = [(one.box_xyxy, decided.get(one.tracklet_id, Decided(None, None))) for one in shown.people]
    return NowOut(
        captured_at=moment(shown.captured_at_ns),
        people=[PresentOut(box_xyxy=list(box), identity=one.identity_id, name=one.name) for box, one in found],
    )


def _pictures(who: Caller, camera_id: CameraId) -> LivePictures:
    if camera_id not in cameras_of(who):
        raise not_found(f"camera {camera_id}")
    if who.services.live is None:
        raise ProblemError(404, "there are no live pictures here")
    return who.services.live


async def _told(
    who: Caller, request: Request, pictures: LivePictures, camera_id: CameraId, *, most: int | None
) -> AsyncIterator[bytes]:
    feed: Feed = request.app.state.feed
    latest_ns, told, asked_at = -1, 0, time.monotonic()
    while not feed.is_over and (most is None or told < most):
        if time.monotonic() - asked_at >= _AGAIN_S:
            asked_at = time.monotonic()
            now = await run_in_threadpool(who_is, request, who.services)
            if now is None or not now.sees(camera_id):
                return
        shown = await run_in_threadpool(pictures.latest, camera_id)
        if shown is not None and shown.captured_at_ns != latest_ns:
            latest_ns, told = shown.captured_at_ns, told + 1
            yield _part(shown)
        await asyncio.sleep(_LOOK_S)


def _part(shown: LivePicture) -> bytes:
    head = (
        f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(shown.jpeg)}\r\n"
        f"X-Captured-At: {moment(shown.captured_at_ns).isoformat()}\r\n\r\n"
    )
    return head.encode() + shown.jpeg + b"\r\n"

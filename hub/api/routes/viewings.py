"""What was asked about films: how far it is, the answer, the crops of who was seen."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from hub.api.doors import Caller, Operator
from hub.api.feed import Feed
from hub.api.plain import PathNumber
from hub.api.problems import ProblemError
from hub.api.routes.cameras import JPEG
from hub.api.routes.films import room_of
from hub.api.viewings import ViewingOut, described
from hub.films.records import UNDER_WAY, Viewing, shown_in
from passerby.errors import DataError

router = APIRouter(tags=["films"])

_LOOK_S = 0.5
_STREAM: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}}


@router.get("/viewings", summary="What you have asked about films")
def viewings(who: Operator) -> list[ViewingOut]:
    """In order; an answer is kept for half an hour."""
    return [described(one) for one in room_of(who).viewings(actor=who.name)]


@router.get("/viewings/{number}", summary="One question about a film")
def viewing(who: Operator, number: PathNumber) -> ViewingOut:
    """How far it is, and at the end the answer."""
    return described(_asked_before(who, number))


@router.get("/viewings/{number}/stream", summary="How it goes", response_class=Response, responses=_STREAM)
def stream(who: Operator, number: PathNumber, request: Request) -> Response:
    """Server-sent events: the question each time that it is further, to its end."""
    _asked_before(who, number)
    return StreamingResponse(
        _told(who, number, request.app.state.feed),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@router.post("/viewings/{number}/cancel", summary="End it", status_code=202)
def cancel(who: Operator, number: PathNumber) -> ViewingOut:
    """At once. The film stays."""
    _asked_before(who, number)
    try:
        return described(room_of(who).cancel(number, actor=who.name))
    except DataError as error:
        raise ProblemError(409, str(error)) from error


@router.get(
    "/viewings/{number}/people/{person}/crops/{crop}",
    summary="A crop of somebody who was seen",
    response_class=Response,
    responses=JPEG,
)
def crop(who: Operator, number: PathNumber, person: PathNumber, crop: PathNumber) -> Response:
    """The best is the first, as JPEG."""
    people = shown_in(_asked_before(who, number).answer)
    if person > len(people) or crop > len(people[person - 1].crops):
        raise ProblemError(404, "there is no such crop")
    return Response(people[person - 1].crops[crop - 1], media_type="image/jpeg")


def _asked_before(who: Caller, number: int) -> Viewing:
    try:
        return room_of(who).viewing(number, actor=who.name)
    except DataError as error:
        raise ProblemError(404, str(error)) from error


async def _told(who: Caller, number: int, feed: Feed) -> AsyncIterator[str]:
    last, count = None, 0
    while not feed.is_over:
        now = await run_in_threadpool(lambda: described(_asked_before(who, number)))
        if now != last:
            count += 1
            yield f"id: {count}\nevent: progress\ndata: {json.dumps(now.model_dump(mode='json'))}\n\n"
            last = now
        if now.state not in UNDER_WAY:
            return
        await asyncio.sleep(_LOOK_S)

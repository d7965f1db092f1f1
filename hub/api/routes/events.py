"""Events: the log of decisions, and the same as it grows."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from hub.api.doors import Caller, Viewer
from hub.api.feed import Feed
from hub.api.gate import who_is
from hub.api.plain import Cursor, Limit, Page, PathNumber, moment, page_of, place_of
from hub.api.problems import not_found
from hub.records import Event, EventId, EventKind
from passerby.errors import StoreError

router = APIRouter(tags=["events"])

_LINKING = (EventKind.CREATED, EventKind.LINKED, EventKind.CANDIDATE, EventKind.MERGED)
_AT_ONCE = 200
_QUIET_S = 15.0
"""Then a line without meaning is sent, so that nothing between takes the connection for dead."""

_STREAM: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}}


class EventOut(BaseModel):
    """A decision of the hub or of an operator. It holds ids only."""

    id: int
    at: datetime
    kind: EventKind
    identity: int
    other_identity: int | None
    tracklet: int | None
    camera: str | None
    tracklets: list[int] = Field(description="Further ones that it is about.")
    undoes: int | None
    undone_by: int | None = None
    act: int | None = Field(description="The operator's act of which it is a part; null: the hub decided it.")
    decided_with: int | None = Field(description="The first of those events that were decided together.")
    probability: float | None = Field(description="That the link is right, 0 to 1.")


class EvidenceOut(BaseModel):
    """Why a decision was taken."""

    event: EventOut
    evidence: dict[str, Any] = Field(
        description="Numbers of the decision: `probability`, `boundary`, `similarity`, and under `terms` the "
        "log-likelihood ratios that add up: `appearance`, `movement`, `place`, `apart`."
    )
    tracklet_crop: str | None = Field(description="Of the two crops most alike, the one of the tracklet: its address.")
    other_crop: str | None


@router.get("/events", summary="Decisions, the latest first")
def events(
    who: Viewer,
    cursor: Cursor = None,
    limit: Limit = 50,
    kind: Annotated[list[EventKind] | None, Query(description="Of these kinds alone.")] = None,
) -> Page[EventOut]:
    """The append-only log."""
    return _page(who, kinds=kind or [], cursor=cursor, limit=limit)


@router.get("/associations", summary="Links, the latest first")
def associations(who: Viewer, cursor: Cursor = None, limit: Limit = 50) -> Page[EventOut]:
    """The events that linked somebody: new people, links, candidates and merges."""
    return _page(who, kinds=list(_LINKING), cursor=cursor, limit=limit)


@router.get("/events/stream", summary="Decisions as they are taken", response_class=Response, responses=_STREAM)
async def stream(
    who: Viewer,
    request: Request,
    last_event_id: Annotated[str | None, Header(max_length=20)] = None,
    after: Annotated[int | None, Query(ge=0, le=2**53 - 1, description="All events with an id above it.")] = None,
    most: Annotated[int | None, Query(ge=1, le=10_000, description="End after so many.")] = None,
) -> Response:
    """Server-sent events with the ids of the log; after a break a browser goes on by itself where it was.

    Without `Last-Event-ID` or `after` it begins now.
    """
    feed: Feed = request.app.state.feed
    begin = int(last_event_id) if last_event_id and last_event_id.isdecimal() else after
    last = await feed.latest() if begin is None else min(begin, 2**53 - 1)
    # Refusals are answered before the stream begins.
    return StreamingResponse(
        _told(who, request, last, most=most),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@router.get("/events/{number}", summary="One event")
def event(who: Viewer, number: PathNumber) -> EventOut:
    """With the event that takes it back, if there is one."""
    found = seen_event(who, number)
    back = who.services.reader().undone_by(found.event_id)
    return described(found, who).model_copy(update={"undone_by": None if back is None else back.event_id})


@router.get("/associations/{number}/evidence", summary="Why somebody was linked")
def evidence(who: Viewer, number: PathNumber) -> EvidenceOut:
    """The numbers behind an event, and the two crops most alike."""
    found = seen_event(who, number)
    reader = who.services.reader()
    told = msgspec.to_builtins(found.evidence)
    alike = reader.crops_most_alike(found)
    addresses: list[str | None] = [None, None]
    if who.scope is not None:
        for name in ("alike", "beside", "nearest"):
            told.pop(name, None)
    if alike is not None:
        cameras = who.services.listing().cameras_of([one.tracklet for one in alike])
        addresses = [
            f"tracklets/{one.tracklet}/crops/{one.crop_id}" if who.sees(cameras.get(one.tracklet)) else None
            for one in alike
        ]
    return EvidenceOut(event=described(found, who), evidence=told, tracklet_crop=addresses[0], other_crop=addresses[1])


def seen_event(who: Caller, number: int) -> Event:
    """The event, if who asks may see it. Raises ProblemError (404)."""
    found = who.services.reader().event(EventId(number))
    if found is None or not who.services.listing().is_event_seen(found.event_id, scope=who.scope):
        raise not_found(f"event {number}")
    return found


def described(one: Event, who: Caller) -> EventOut:
    """For the answer; who sees some cameras alone is told of no other tracklets."""
    tracklet, others = one.tracklet, list(one.tracklets)
    if who.scope is not None and (others or (tracklet is not None and one.camera_id is None)):
        cameras = who.services.listing().cameras_of([*others, *([] if tracklet is None else [tracklet])])
        others = [number for number in others if who.sees(cameras.get(number))]
        if tracklet is not None and not who.sees(cameras.get(tracklet, one.camera_id)):
            tracklet = None
    return EventOut(
        id=one.event_id,
        at=moment(one.at_ns),
        kind=one.kind,
        identity=one.identity_id,
        other_identity=one.other_identity_id,
        tracklet=tracklet,
        camera=one.camera_id,
        tracklets=list(others),
        undoes=one.undoes,
        act=one.act_id,
        decided_with=one.pass_id,
        probability=one.evidence.probability,
    )


def _page(who: Caller, *, kinds: list[EventKind], cursor: str | None, limit: int) -> Page[EventOut]:
    ids = who.services.listing().event_ids(scope=who.scope, kinds=kinds, before=place_of(cursor), limit=limit + 1)
    return page_of(_events(who, ids), limit=limit, key=lambda one: one.id)


def _events(who: Caller, ids: Sequence[EventId]) -> list[EventOut]:
    reader = who.services.reader() if ids else None
    found = [None if reader is None else reader.event(event_id) for event_id in ids]
    return [described(one, who) for one in found if one is not None]


async def _told(who: Caller, request: Request, last: int, *, most: int | None) -> AsyncIterator[str]:
    feed: Feed = request.app.state.feed
    yield "retry: 2000\n\n"
    quiet_since, left = time.monotonic(), most
    while not feed.is_over:
        try:
            page = await run_in_threadpool(_after, who, last) if await feed.latest() > last else (last, [])
        except StoreError:
            return  # the browser comes again
        last, found = page
        for one in found:
            yield f"id: {one.id}\nevent: {one.kind.value}\ndata: {json.dumps(one.model_dump(mode='json'))}\n\n"
            if left is not None:
                left -= 1
                if left == 0:
                    return
        if found:
            quiet_since = time.monotonic()
        elif time.monotonic() - quiet_since > _QUIET_S:
            if await run_in_threadpool(_may_see_less, who, request):
                return
            yield ": nothing new\n\n"
            quiet_since = time.monotonic()
        if len(found) < _AT_ONCE:
            await asyncio.sleep(feed.PAUSE_S)


def _after(who: Caller, last: int) -> tuple[int, list[EventOut]]:
    """What has come after an event: to where it was looked, and what of it may be seen."""
    newest = who.services.reader().last_event_id()
    ids = who.services.listing().event_ids(scope=who.scope, after=last, limit=_AT_ONCE)
    return (ids[-1] if len(ids) == _AT_ONCE else max(newest, *ids, last), _events(who, ids))


def _may_see_less(who: Caller, request: Request) -> bool:
    """Whether they are not, or not as, let in any more."""
    now = who_is(request, who.services)
    return now is None or now.cameras != who.scope

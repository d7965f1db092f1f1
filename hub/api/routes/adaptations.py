"""Adaptations of the site's network, as jobs; and the models in use."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, WithJsonSchema
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, StreamingResponse

from hub.api.doors import Admin, Caller, Operator, Viewer, unscoped
from hub.api.feed import Feed
from hub.api.plain import PathNumber, moment, moment_or_none
from hub.api.problems import ProblemError, not_found
from hub.services import Adaptations
from passerby.adaptation.job import UNDER_WAY, Job, Phase, State, Trigger
from passerby.adaptation.schedule import MOST_NEW, Plan, in_words
from passerby.config.timetable import PATTERN
from passerby.errors import DataError
from passerby.ids import CameraId

router = APIRouter(tags=["adaptation"])

_LOOK_S = 0.5
_STREAM: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}}
_HTML: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {"schema": {"type": "string"}}}}}
_COMPARE_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'"


class AdaptationOut(BaseModel):
    """A job, and how far it is."""

    number: int
    asked_at: datetime
    actor: str
    trigger: Trigger
    parent: str
    recipe: str
    minutes: float
    state: State
    at: datetime
    phase: Phase | None
    share: float = Field(description="Of the phase, 0 to 1.")
    word: str
    eta_s: float | None
    reason: str = Field(description="Why it ended as it did, where it was not passed.")
    model: str | None


class Asked(BaseModel):
    """What is asked for; what is left out is as the site file has it."""

    minutes: Annotated[float, Field(ge=0.1, le=1440.0, allow_inf_nan=False)] | None = None
    recipe: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")] | None = None


class Promotion(BaseModel):
    """Where a model is to be used."""

    cameras: list[str] = Field([], description="A trial in these cameras alone; none: all cameras.", max_length=1000)


class ScheduleOut(BaseModel):
    """When an adaptation begins by itself."""

    schedule: str = Field(description="`daily HH:MM`, the hub's local time; `every N h`; or `manual`, by none.")
    min_new_tracklets: int = Field(description="It begins only once so many are new since the last one.")
    on_drift: bool = Field(description="Also when a camera drifts; set in the site file.")
    told_by: str | None = Field(description="Who has said so; null: it is as in the site file.")
    told_at: datetime | None
    due_at: datetime | None = Field(description="In the past: it waits for `lacks`. Null: by no schedule.")
    new_tracklets: int
    lacks: int = Field(description="So many more must be new.")


class ScheduleIn(BaseModel):
    """What is to hold in place of what the site file says; what is left out stays as it is."""

    schedule: Annotated[str, WithJsonSchema({"type": "string", "pattern": PATTERN})] | None = None
    min_new_tracklets: Annotated[int, Field(ge=1, le=MOST_NEW)] | None = None


class Told(BaseModel):
    """What happens now, in words."""

    detail: str


@router.get("/adaptations", summary="All adaptations")
def adaptations(who: Viewer) -> list[AdaptationOut]:
    """The latest first."""
    unscoped(who)
    return [_described(job) for job in reversed(_room(who).jobs())]


@router.post("/adaptations", summary="Begin an adaptation", status_code=202)
def start(who: Operator, asked: Asked, response: Response) -> AdaptationOut:
    """The site's network learns the site without labels; it is judged, and used once somebody promotes it."""
    unscoped(who)
    try:
        job = _room(who).start(actor=who.name, minutes=asked.minutes, recipe=asked.recipe)
    except DataError as error:
        raise ProblemError(409, str(error)) from error
    who.did("adaptations.start", [f"adaptation:{job.number}"])
    response.headers["Location"] = f"/api/v1/adaptations/{job.number}"
    return _described(job)


@router.get("/adaptations/schedule", summary="When one begins by itself")
def schedule(who: Viewer) -> ScheduleOut:
    """When the next one is due, and what it lacks."""
    unscoped(who)
    return _planned(_plan(who))


@router.patch("/adaptations/schedule", summary="Set when one begins by itself")
def set_schedule(who: Operator, wanted: ScheduleIn) -> ScheduleOut:
    """The running hub takes it up within a second; the site file is not touched."""
    unscoped(who)
    room = _room(who)
    room.tell_schedule(actor=who.name, schedule=wanted.schedule, min_new_tracklets=wanted.min_new_tracklets)
    return _scheduled(who)


@router.delete("/adaptations/schedule", summary="Let the site file say when")
def forget_schedule(who: Operator) -> ScheduleOut:
    """What was said to the running site counts no more."""
    unscoped(who)
    _room(who).forget_schedule()
    return _scheduled(who)


@router.get("/adaptations/{number}", summary="One adaptation")
def adaptation(who: Viewer, number: PathNumber) -> AdaptationOut:
    """How far it is."""
    return _described(_job(who, number))


@router.get("/adaptations/{number}/stream", summary="How it goes", response_class=Response, responses=_STREAM)
def stream(who: Viewer, number: PathNumber, request: Request) -> Response:
    """Server-sent events: the job each time that it is further, to its end."""
    job = _job(who, number)
    return StreamingResponse(
        _told(job, request.app.state.feed),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@router.post("/adaptations/{number}/cancel", summary="End an adaptation", status_code=202)
def cancel(who: Operator, number: PathNumber) -> AdaptationOut:
    """It ends at its next step."""
    job = _job(who, number)
    try:
        _room(who).cancel(number, actor=who.name)
    except DataError as error:
        raise ProblemError(409, str(error)) from error
    who.did("adaptations.cancel", [f"adaptation:{number}"])
    return _described(job)


@router.get("/adaptations/{number}/compare", summary="Before and after", response_class=HTMLResponse, responses=_HTML)
def compare(who: Viewer, number: PathNumber) -> Response:
    """The former model and the new one side by side, a page for a browser."""
    _job(who, number)
    try:
        page = _room(who).compare(number)
    except DataError as error:
        raise ProblemError(409, str(error)) from error
    return HTMLResponse(page, headers={"Content-Security-Policy": _COMPARE_POLICY, "X-Frame-Options": "SAMEORIGIN"})


@router.post("/adaptations/{number}/promote", summary="Begin to use a model", status_code=202)
def promote(who: Admin, number: PathNumber, wanted: Promotion | None = None) -> Told:
    """Only one that was passed; in all cameras, or on trial in some."""
    _job(who, number)
    cameras = [CameraId(name) for name in (wanted.cameras if wanted else ())]
    try:
        told = _room(who).promote(number, actor=who.name, cameras=cameras)
    except DataError as error:
        raise ProblemError(409, str(error)) from error
    who.did("adaptations.promote", [f"adaptation:{number}", *(f"camera:{camera}" for camera in cameras)])
    return Told(detail=told)


@router.post("/models/rollback", summary="Go back to the former model", status_code=202)
def rollback(who: Admin) -> Told:
    """The gallery's former embeddings are used again."""
    try:
        told = _room(who).rollback(actor=who.name)
    except DataError as error:
        raise ProblemError(409, str(error)) from error
    who.did("models.rollback")
    return Told(detail=told)


def _room(who: Caller) -> Adaptations:
    if who.services.adaptations is None:
        raise ProblemError(404, "this process carries out no adaptations")
    return who.services.adaptations


def _scheduled(who: Caller) -> ScheduleOut:
    """Put down who has set it, and give what holds now."""
    plan = _plan(who)
    who.did("adaptations.schedule", detail=in_words(plan.settings))
    return _planned(plan)


def _plan(who: Caller) -> Plan:
    return _room(who).plan(newest_tracklet=who.services.reader().last_tracklet_number())


def _planned(plan: Plan) -> ScheduleOut:
    return ScheduleOut(
        schedule=plan.settings.schedule,
        min_new_tracklets=plan.settings.min_new_tracklets,
        on_drift=plan.settings.on_drift,
        told_by=plan.told.actor if plan.told else None,
        told_at=moment_or_none(plan.told.at_ns if plan.told else None),
        due_at=plan.due and plan.due.astimezone(UTC),
        new_tracklets=plan.new_tracklets,
        lacks=plan.lacks,
    )


def _job(who: Caller, number: int) -> Job:
    unscoped(who)
    room = _room(who)
    if all(job.number != number for job in room.jobs()):
        raise not_found(f"adaptation {number}")
    return room.job(number)


def _described(job: Job) -> AdaptationOut:
    asked, far = job.request, job.progress()
    return AdaptationOut(
        number=asked.number,
        asked_at=moment(asked.asked_at_ns),
        actor=asked.actor,
        trigger=asked.trigger,
        parent=asked.parent,
        recipe=asked.recipe,
        minutes=asked.minutes,
        state=far.state,
        at=moment(far.at_ns),
        phase=far.phase,
        share=far.share,
        word=far.word,
        eta_s=far.eta_s,
        reason=far.reason,
        model=far.model_id,
    )


async def _told(job: Job, feed: Feed) -> AsyncIterator[str]:
    last, number = None, 0
    while not feed.is_over:
        now = await run_in_threadpool(_described, job)
        if now != last:
            number += 1
            yield f"id: {number}\nevent: progress\ndata: {json.dumps(now.model_dump(mode='json'))}\n\n"
            last = now
        if now.state not in UNDER_WAY:
            return
        await asyncio.sleep(_LOOK_S)

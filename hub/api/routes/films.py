"""Films that somebody brings, and what is asked about the people in them: enrolled, verified, identified."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from hub.api.doors import Caller, Operator, unscoped
from hub.api.problems import ProblemError
from hub.api.routes.cameras import JPEG
from hub.api.viewings import ViewingOut, described
from hub.enrolment.posterior import SURE
from hub.enrolment.records import checked_name, checked_reason
from hub.films.records import Asked, Film
from hub.services import Films, IncomingFilm
from passerby.errors import DataError

router = APIRouter(tags=["films"])

_AT_ONCE = 1 << 20
"""Bytes that are written together."""

_MOST = 2**31
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}

FilmId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]
FrameNumber = Annotated[int, Path(ge=1, le=_MOST)]
Frame = Annotated[int, Field(ge=1, le=_MOST)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Sure = Annotated[float, Field(ge=0.5, le=0.9999, description="The probability from which on it is said.")]
Days = Annotated[float, Field(ge=0, le=36_500, allow_inf_nan=False, description="0: until removed.")]


class FilmOut(BaseModel):
    """A film that lies here: for half an hour after its last use, then it is deleted."""

    id: str
    name: str
    size: int
    frames: int = Field(description="Numbered from 1.")
    fps: float
    seconds: float
    width: int
    height: int


class Range(BaseModel):
    """Which frames are looked at."""

    from_frame: Frame = 1
    to_frame: Frame | None = Field(None, description="The last one; null: to the end.")


class _Person(Range):
    largest: bool = Field(False, description="Of several people the largest is meant.")
    person: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None, description="Or the one of this number, from 1, in a former answer about the same frames."
    )


class Enrolling(_Person):
    """Whose film it is."""

    name: Name
    reason: Annotated[str, Field(max_length=500)] = ""
    days: Days = 90.0


class Verifying(_Person):
    """Whom it is said to show."""

    name: Name
    sure: Sure = SURE


class Identifying(Range):
    """Nothing more is needed."""

    sure: Sure = SURE


@router.get("/films", summary="Films that you have brought")
def films(who: Operator) -> list[FilmOut]:
    """Those that are still here."""
    return [_film(one) for one in room_of(who).films(actor=who.name)]


@router.post("/films", summary="Bring a film", status_code=201, openapi_extra=_BODY)
async def bring(
    who: Operator,
    request: Request,
    response: Response,
    name: Annotated[str, Query(max_length=200, description="What you call it.")] = "the film",
) -> FilmOut:
    """The request's body is the file: MP4, WebM, MKV, AVI or TS, at most 512 MiB and an hour."""
    room = room_of(who)
    try:
        incoming = await run_in_threadpool(room.begin, name, actor=who.name)
    except DataError as error:
        raise ProblemError(409, str(error)) from error
    try:
        await _take_in(request, incoming)
        film = await run_in_threadpool(incoming.finish)
    finally:
        await run_in_threadpool(incoming.close)
    response.headers["Location"] = f"/api/v1/films/{film.film_id}"
    return _film(film)


@router.get("/films/{film_id}", summary="One film")
def film(who: Operator, film_id: FilmId) -> FilmOut:
    """What it is."""
    return _film(_found(who, film_id))


@router.get("/films/{film_id}/frames/{number}", summary="A frame", response_class=Response, responses=JPEG)
def frame(
    who: Operator, film_id: FilmId, number: FrameNumber, width: Annotated[int, Query(ge=16, le=1920)] = 640
) -> Response:
    """Frame `number`, from 1, as JPEG."""
    found = _found(who, film_id)
    if number > found.frames:
        raise ProblemError(404, f"there is no frame {number}: the film has {found.frames}")
    jpeg = room_of(who).frame(film_id, number, actor=who.name, width=width)
    return Response(jpeg, media_type="image/jpeg")


@router.delete("/films/{film_id}", summary="Delete a film", status_code=204, response_class=Response)
def remove(who: Operator, film_id: FilmId) -> Response:
    """It is gone at once; what was answered about it stays for half an hour."""
    _found(who, film_id)
    try:
        room_of(who).remove(film_id, actor=who.name)
    except DataError as error:
        raise ProblemError(409, str(error)) from error
    return Response(status_code=204)


@router.post("/films/{film_id}/enroll", summary="Enroll somebody by a film", status_code=202)
def enroll(who: Operator, film_id: FilmId, wanted: Enrolling, response: Response) -> ViewingOut:
    """The best crops of the person, with their embeddings, are kept under the name."""
    asked = Asked(
        what="enroll",
        first=wanted.from_frame,
        last=wanted.to_frame,
        name=checked_name(wanted.name),
        reason=checked_reason(wanted.reason),
        days=wanted.days,
        largest=wanted.largest,
        person=wanted.person,
    )
    return _asked(who, film_id, asked, response)


@router.post("/films/{film_id}/verify", summary="Does a film show who is claimed?", status_code=202)
def verify(who: Operator, film_id: FilmId, wanted: Verifying, response: Response) -> ViewingOut:
    """How probable it is, if that was as likely as not before."""
    asked = Asked(
        what="verify",
        first=wanted.from_frame,
        last=wanted.to_frame,
        name=checked_name(wanted.name),
        largest=wanted.largest,
        person=wanted.person,
        sure=wanted.sure,
    )
    return _asked(who, film_id, asked, response)


@router.post("/films/{film_id}/identify", summary="Who of the enrolled does a film show?", status_code=202)
def identify(who: Operator, film_id: FilmId, wanted: Identifying, response: Response) -> ViewingOut:
    """Everybody in it; people who are seen at one moment have different names, and nobody known is an outcome."""
    asked = Asked(what="identify", first=wanted.from_frame, last=wanted.to_frame, sure=wanted.sure)
    return _asked(who, film_id, asked, response)


async def _take_in(request: Request, incoming: IncomingFilm) -> None:
    pieces, held = [], 0
    async for piece in request.stream():
        pieces.append(piece)
        held += len(piece)
        if held >= _AT_ONCE:
            await run_in_threadpool(incoming.write, b"".join(pieces))
            pieces, held = [], 0
    await run_in_threadpool(incoming.write, b"".join(pieces))


def room_of(who: Caller) -> Films:
    """Where films are. Raises ProblemError where none are taken, or who asks sees some cameras alone."""
    unscoped(who)
    if who.services.films is None:
        raise ProblemError(404, "this process takes no films")
    return who.services.films


def _found(who: Caller, film_id: str) -> Film:
    try:
        return room_of(who).film(film_id, actor=who.name)
    except DataError as error:
        raise ProblemError(404, str(error)) from error


def _asked(who: Caller, film_id: str, asked: Asked, response: Response) -> ViewingOut:
    _found(who, film_id)
    viewing = room_of(who).ask(film_id, asked, actor=who.name, address=who.address)
    who.did(f"films.{asked.what}", [f"viewing:{viewing.number}"])
    response.headers["Location"] = f"/api/v1/viewings/{viewing.number}"
    return described(viewing)


def _film(film: Film) -> FilmOut:
    return FilmOut(
        id=film.film_id,
        name=film.name,
        size=film.size,
        frames=film.frames,
        fps=film.fps,
        seconds=film.seconds,
        width=film.width,
        height=film.height,
    )

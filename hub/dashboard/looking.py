"""Where forms with pictures or films are sent; the answer is the piece of HTML that comes beside them."""

import asyncio
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fastapi import APIRouter, HTTPException, Request, Response
from markupsafe import Markup
from starlette.datastructures import UploadFile

from hub.access.records import Principal, Role
from hub.access.secrets import same_word
from hub.dashboard import answers, films
from hub.dashboard.brought import MOST_BYTES, MOST_PICTURES, Brought
from hub.dashboard.markup import empty
from hub.dashboard.shell import Shell
from hub.services import Films
from passerby.errors import DataError, PasserbyError


@dataclass(frozen=True, slots=True)
class _Answer:
    give: Callable[[Brought], Markup]
    whole_site: bool = True
    """Whether it is about all of the site, and nothing for who sees some cameras alone."""

    def may_ask(self, principal: Principal) -> bool:
        """Whether somebody is answered."""
        return principal.may(Role.OPERATOR) and not (self.whole_site and principal.cameras is not None)


_ANSWERS: Mapping[str, _Answer] = {
    "search": _Answer(answers.searched, whole_site=False),
    "enroll": _Answer(answers.enrolled),
    "verify": _Answer(answers.compared),
    "identify": _Answer(answers.identified),
}


def router(shell: Shell) -> APIRouter:
    """One route for all of them: `/looking/search` and so on, with multipart fields and as many `file`s."""
    routes = APIRouter(include_in_schema=False)

    @routes.post("/looking/{what}")
    async def look(what: str, request: Request) -> Response:
        answer, principal = _ANSWERS.get(what), await asyncio.to_thread(shell.who_asks, request)
        if answer is None:
            raise HTTPException(404)
        if principal is None:
            raise HTTPException(401)
        async with request.form(max_files=MOST_PICTURES + 1, max_fields=30) as form:
            fields = {name: value for name, value in form.items() if isinstance(value, str)}
            if not answer.may_ask(principal) or not is_meant(principal, fields):
                raise HTTPException(403)
            sent = [one for one in form.getlist("file") if isinstance(one, UploadFile)]
            files = [(one.filename or "the picture", await one.read(MOST_BYTES + 1)) for one in sent]
        brought = Brought(visit=shell.visit(request, principal), files=files, fields=fields)
        return _html(await asyncio.to_thread(_given, _of_film(what) if fields.get("film") else answer.give, brought))

    @routes.get("/looking/films/{film_id}")
    def chosen(film_id: str, request: Request) -> Response:
        room, principal = _films(shell, request)
        try:
            return _html(films.frames(room.film(film_id, actor=principal.name)))
        except DataError as error:
            return _html(_trouble(error))

    @routes.get("/looking/viewings/{number:int}")
    def viewing(number: int, request: Request) -> Response:
        room, principal = _films(shell, request)
        try:
            return _html(films.progress(room.viewing(number, actor=principal.name)))
        except DataError as error:
            return _html(_trouble(error))

    return routes


def _films(shell: Shell, request: Request) -> tuple[Films, Principal]:
    principal = shell.who_asks(request)
    if principal is None:
        raise HTTPException(401)
    if not principal.may(Role.OPERATOR) or principal.cameras is not None:
        raise HTTPException(403)
    if shell.services.films is None:
        raise HTTPException(404)
    return shell.services.films, principal


def _given(give: Callable[[Brought], Markup], brought: Brought) -> Markup:
    try:
        return give(brought)
    except PasserbyError as error:
        return _trouble(error)


def _of_film(what: str) -> Callable[[Brought], Markup]:
    """What is asked about a film, in place of pictures."""
    for known in ("enroll", "verify", "identify"):
        if what == known:
            return functools.partial(films.ask, known)
    raise HTTPException(404)


def _html(piece: Markup) -> Response:
    return Response(piece, media_type="text/html")


def _trouble(error: PasserbyError) -> Markup:
    return empty("That does not work", str(error), trouble=True)


def is_meant(principal: Principal, fields: Mapping[str, str]) -> bool:
    """Whether a page of ours has sent it: another site's form has the cookie, but not this word."""
    return principal.by != "session" or same_word(fields.get("csrf", ""), principal.csrf)

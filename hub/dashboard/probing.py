"""A camera is looked at before it is attached: what is done is told line by line, and then what was found."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import StreamingResponse
from markupsafe import Markup

from hub.access.records import Role
from hub.dashboard.cameras import login_of, probed
from hub.dashboard.looking import is_meant
from hub.dashboard.markup import empty
from hub.dashboard.shell import Shell
from hub.services import Services
from passerby.errors import PasserbyError
from passerby.redaction import redact

_MOST_FIELDS = 20
_LONGEST = 200


def router(shell: Shell) -> APIRouter:
    """`/camera-probe` takes the form of the page that attaches cameras, and answers in lines of JSON."""
    routes = APIRouter(include_in_schema=False)

    @routes.post("/camera-probe")
    async def probe(request: Request) -> StreamingResponse:
        principal, services = await asyncio.to_thread(shell.who_asks, request), shell.services
        if principal is None:
            raise HTTPException(401)
        async with request.form(max_files=1, max_fields=_MOST_FIELDS) as form:
            fields = {name: value for name, value in form.items() if isinstance(value, str)}
        if not principal.may(Role.ADMIN) or not is_meant(principal, fields) or services.cameras is None:
            raise HTTPException(403)
        visit = shell.visit(request, principal)
        where = redact(fields.get("where", ""))[:_LONGEST]
        services.access.audit.put("cameras.probe", actor=principal.name, detail=where, address=visit.address)
        return StreamingResponse(_told(services, fields), media_type="application/x-ndjson")

    return routes


async def _told(services: Services, fields: Mapping[str, str]) -> AsyncIterator[str]:
    """Lines `{"step": text}` while it is looked at, and at last `{"html": what was found}`."""
    loop, said = asyncio.get_running_loop(), asyncio.Queue[str | None]()

    def tell(step: str) -> None:
        loop.call_soon_threadsafe(said.put_nowait, step)

    looking = asyncio.ensure_future(asyncio.to_thread(_looked_at, services, fields, tell))
    looking.add_done_callback(lambda _: said.put_nowait(None))
    while (step := await said.get()) is not None:
        yield json.dumps({"step": step}) + "\n"
    yield json.dumps({"html": await looking}) + "\n"


def _looked_at(services: Services, fields: Mapping[str, str], tell: Callable[[str], None]) -> Markup:
    if services.cameras is None:
        return empty("Cameras are not attached at run time here", "Write them into the site file.", trouble=True)
    where = fields.get("where", "").strip()
    try:
        return probed(services.cameras.probe({"url": where}, login=login_of(fields), tell=tell))
    except PasserbyError as error:
        return empty("It cannot be seen", str(error), trouble=True)

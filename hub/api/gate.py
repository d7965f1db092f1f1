"""What every request passes: who asks, where from, how much; and the headers that every answer has."""

import time
import urllib.parse
from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.access.records import LOCAL, Principal, Role
from hub.access.secrets import same_word
from hub.api.problems import problem
from hub.services import LONGEST_FILM, Services

PREFIX = "/api/v1"
COOKIE = "passerby_session"
CSRF_HEADER = "x-csrf-token"
WITHOUT_CSRF = frozenset({f"{PREFIX}/session", f"{PREFIX}/setup"})
"""To log in, and to make the first user: nobody has a session yet whose page could send its word along."""

LONGEST_BODY = 1 << 20
LONGEST_UPLOAD = 48 << 20
"""With pictures, all together."""
FILMS = f"{PREFIX}/films"
"""Where a film is sent, which may be `LONGEST_FILM` long."""
LONGEST_OF_STRANGERS = 16 << 10
"""Of who has not said who they are."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})
_PRINCIPAL = "passerby.principal"

_HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_API_POLICY = "default-src 'none'; frame-ancestors 'none'"
_PAGE_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)
"""The pages compile their templates in the browser, for which scripts need `unsafe-eval`."""


def principal_of(connection: HTTPConnection) -> Principal | None:
    """Who asks, by a request or a web socket that came through the gate; None: nobody who is known."""
    found: Principal | None = connection.scope.get(_PRINCIPAL)
    return found


def who_is(connection: HTTPConnection, services: Services) -> Principal | None:
    """Whose token or session it is, as of now; a token counts before a cookie, and a wrong one makes nobody.

    Raises StoreError.
    """
    if not services.login:
        return LOCAL
    kind, _, word = connection.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and word:
        return services.access.who_has_token(word.strip())
    cookie = connection.cookies.get(COOKIE)
    return services.access.who_has_cookie(cookie) if cookie else None


class Gate:
    """ASGI middleware. Refuses requests of other sites' pages, and bodies that are too long, before they are read."""

    def __init__(self, app: ASGIApp, *, services: Services) -> None:
        self._app = app
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it through, or answer."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        who = await run_in_threadpool(who_is, connection, self._services)
        scope[_PRINCIPAL] = who
        refusal = self._refusal(connection, who)
        if scope["type"] == "websocket":
            if refusal is not None:
                await send({"type": "websocket.close", "code": 1008, "reason": refusal[1]})
                return
            await self._app(scope, receive, send)
            return
        answering = _with_headers(send, scope)
        if refusal is not None:
            closing = {"Connection": "close", **({"WWW-Authenticate": "Bearer"} if refusal[0] == 401 else {})}
            await problem(*refusal, headers=closing)(scope, receive, answering)
            return
        await self._app(scope, _bounded(receive, most=_most_of(connection, who)), answering)

    def _refusal(self, connection: HTTPConnection, who: Principal | None) -> tuple[int, str] | None:
        headers, scope = connection.headers, connection.scope
        if not self._services.login and _host(headers.get("host", "")) not in _THIS_MACHINE:
            return 403, "without a login this is served to this machine's own addresses alone"
        changes = scope["type"] == "websocket" or scope["method"] not in _SAFE
        by_token = who is not None and who.by == "token"
        if changes and not by_token and not _same_origin(headers):
            return 403, "the request comes from a page of another site"
        path: str = scope["path"]
        if (
            changes
            and scope["type"] == "http"
            and who is not None
            and who.by == "session"
            and path.startswith(f"{PREFIX}/")
            and not (path in WITHOUT_CSRF and scope["method"] == "POST")
            and not same_word(headers.get(CSRF_HEADER, ""), who.csrf)
        ):
            return 403, f"a change by session needs the header {CSRF_HEADER}, as GET {PREFIX}/session tells it"
        length = headers.get("content-length", "")
        most = _most_of(connection, who)
        if scope["type"] == "http" and length.isdigit() and int(length[:20]) > most:
            if who is None and int(length[:20]) <= LONGEST_UPLOAD:
                return 401, "say who you are"
            return 413, f"the request has {length[:20]} bytes, at most {most} are taken"
        return None


def _most_of(connection: HTTPConnection, who: Principal | None) -> int:
    if who is None:
        return LONGEST_OF_STRANGERS
    if connection.scope["path"] == FILMS and who.may(Role.OPERATOR):
        return LONGEST_FILM
    multipart = connection.headers.get("content-type", "").lower().startswith("multipart/form-data")
    return LONGEST_UPLOAD if multipart else LONGEST_BODY


def _bounded(receive: Receive, *, most: int) -> Receive:
    """A body whose length nobody has said is read so far and no further."""
    read = 0

    async def bounded() -> Message:
        nonlocal read
        message = await receive()
        if message["type"] == "http.request":
            read += len(message.get("body", b""))
            if read > most:
                raise HTTPException(413, f"the request is longer than {most} bytes")
        return message

    return bounded


def _same_origin(headers: Headers) -> bool:
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    # What sends no Origin is no page: browsers send it with everything that changes something.
    return origin is None or urllib.parse.urlsplit(origin).netloc.lower() == headers.get("host", "").lower()


def _host(header: str) -> str:
    """Without the port.

    >>> _host("[::1]:8600"), _host("localhost:8600"), _host("localhost")
    ('::1', 'localhost', 'localhost')
    """
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0].lower()


def _with_headers(send: Send, scope: Scope) -> Send:
    api = scope["path"].startswith((f"{PREFIX}/", "/healthz", "/readyz", "/metrics"))

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Content-Security-Policy", _API_POLICY if api else _PAGE_POLICY)
            if api:
                headers.setdefault("Cache-Control", "no-store")
            if scope.get("scheme") == "https":
                headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        await send(message)

    return with_headers


def now_s() -> float:
    """The clock of attempts to log in."""
    return time.monotonic()

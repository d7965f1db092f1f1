"""Errors as RFC 9457 has them: `application/problem+json`, whatever goes wrong."""

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from passerby.errors import ConfigError, DataError, EngineError, ModelError, PasserbyError, SourceError, StoreError
from passerby.redaction import redact

_log = logging.getLogger("passerby.web")

MEDIA_TYPE = "application/problem+json"
_MOST_ERRORS = 10
_LONGEST_DETAIL = 500

_STATUSES: tuple[tuple[type[PasserbyError], int], ...] = (
    (DataError, 422),
    (ConfigError, 422),
    (SourceError, 422),
    (StoreError, 503),
    (ModelError, 503),
    (EngineError, 503),
)


class Wrong(BaseModel):
    """One part of a request that is wrong."""

    where: str = Field(description="As `query.limit`, `body.name`.")
    detail: str


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = Field(description="`about:blank`: the status says what kind of problem it is.")
    title: str
    status: int
    detail: str = Field("", description="What was wrong with this request, and what to do.")
    errors: list[Wrong] = Field(default_factory=list, description="Of a request that is not understood: each mistake.")


class ProblemError(Exception):
    """A request that is answered by a problem."""

    def __init__(self, status: int, detail: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers


def not_found(what: str) -> ProblemError:
    """404: `what` is not there, or not to be seen by who asks."""
    return ProblemError(404, f"there is no {what}")


def problem(
    status: int, detail: str = "", *, errors: list[Wrong] | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """A problem as a response."""
    told = Problem(
        type="about:blank",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=redact(detail)[:_LONGEST_DETAIL],
        errors=errors or [],
    )
    # What was sent may hold what UTF-8 has no bytes for; escaped it does no harm.
    content = json.dumps(told.model_dump(), ensure_ascii=True).encode()
    return Response(content, status_code=status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def answer_errors(app: FastAPI) -> None:
    """Let every error of `app` be a problem."""
    app.add_exception_handler(ProblemError, _own)
    app.add_exception_handler(PasserbyError, _passerby)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _fault)


async def _own(_: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)  # noqa: S101 - registered for these
    return problem(error.status, error.detail, headers=error.headers)


async def _passerby(request: Request, error: Exception) -> Response:
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)
    if status >= 500:
        _log.warning("%s", error)
    # Where the data lie on the server's disk is nobody else's business.
    detail = str(error).replace(str(request.app.state.services.data_dir), "the site's data")
    return problem(status, detail, headers={"Retry-After": "5"} if status == 503 else None)


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for these
    return problem(422, "the request is not understood", errors=[_wrong(one) for one in error.errors()[:_MOST_ERRORS]])


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for these
    return problem(error.status_code, str(error.detail), headers=error.headers)


async def _fault(request: Request, _: Exception) -> Response:
    # The server logs the trace; what is in it is nobody else's business.
    return problem(500, f"a fault of ours in {request.method} {request.url.path}; the log has the trace")


def _wrong(error: Mapping[str, Any]) -> Wrong:
    return Wrong(where=".".join(str(part) for part in error["loc"])[:100], detail=str(error["msg"])[:200])

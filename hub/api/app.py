"""The application: all routes of /api/v1 behind one gate, and the pages where they are installed."""

import contextlib
import importlib
from collections.abc import AsyncIterator
from importlib.util import find_spec
from typing import Any

from fastapi import APIRouter, FastAPI

from hub.api.description import PROBLEMS, TEXT, describe
from hub.api.feed import Feed
from hub.api.gate import PREFIX, Gate
from hub.api.problems import answer_errors
from hub.api.routes import (
    adaptations,
    cameras,
    corrections,
    events,
    exports,
    films,
    health,
    identities,
    learned,
    live,
    notifications,
    people,
    queues,
    retention,
    sessions,
    tracklets,
    users,
    viewings,
)
from hub.services import Services
from passerby import __version__

_ROUTES = (
    sessions,
    cameras,
    live,
    tracklets,
    identities,
    corrections,
    events,
    people,
    films,
    viewings,
    learned,
    adaptations,
    exports,
    notifications,
    users,
    retention,
    queues,
)


def make_api(services: Services) -> FastAPI:
    """The application that serves `services`. The caller closes those."""
    app = FastAPI(
        title=f"Passerby: {services.facts.site}",
        version=__version__,
        description=TEXT,
        docs_url=None,  # they would load scripts from elsewhere
        redoc_url=None,
        openapi_url=f"{PREFIX}/openapi.json",
        lifespan=_lifespan,
    )
    app.state.services = services
    app.state.feed = Feed(services)
    answer_errors(app)
    api = APIRouter(prefix=PREFIX, responses=PROBLEMS)
    for module in _ROUTES:
        api.include_router(module.router)
    app.include_router(api)
    app.include_router(health.router, responses=PROBLEMS)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    if find_spec("hub.dashboard") is not None:
        importlib.import_module("hub.dashboard").mount(app, services)
    app.add_middleware(Gate, services=services)
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.feed.is_over = True


def _described(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        app.openapi_schema = describe(app)
    return app.openapi_schema

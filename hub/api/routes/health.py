"""Whether it lives, whether it can serve, and figures for Prometheus."""

from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import generate_latest
from pydantic import BaseModel, Field

from hub.api.doors import Anybody, Viewer, unscoped
from hub.api.metrics import registry
from hub.api.problems import ProblemError
from hub.api.routes.cameras import cameras_of
from hub.ownership import is_owned
from passerby.errors import StoreError

router = APIRouter(tags=["health"])

_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_METRICS: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}


class Health(BaseModel):
    """It lives."""

    status: str = "ok"


class Readiness(Health):
    """It can serve."""

    hub: bool = Field(description="Whether a hub works on the data now.")


@router.get("/healthz", summary="Does it live?")
def healthz() -> Health:
    """It does."""
    return Health()


@router.get("/readyz", summary="Can it serve?")
def readyz(who: Anybody) -> Readiness:
    """503 until a hub has made the site's database."""
    try:
        who.services.reader().last_event_id()
    except StoreError:
        raise ProblemError(503, "no hub has worked here yet", headers={"Retry-After": "5"}) from None
    return Readiness(hub=is_owned(who.services.data_dir))


@router.get("/metrics", summary="Figures for Prometheus", response_class=Response, responses=_METRICS)
def metrics(who: Viewer) -> Response:
    """Per camera, and of the site. Prometheus is given a viewer's token."""
    unscoped(who)
    return Response(generate_latest(registry(who.services, cameras_of(who).values())), media_type=_TEXT)

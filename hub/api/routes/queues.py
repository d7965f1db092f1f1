"""What waits between the cameras and the decisions."""

import time
from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from hub.api.doors import Viewer, unscoped
from hub.api.plain import moment
from hub.queues import EdgeQueue, HubQueue, read_queues

router = APIRouter(tags=["health"])


class EdgeQueueOut(BaseModel):
    """What waits in an edge, on its disk, for the hub; null: the edge has not said so."""

    edge: str
    cameras: list[str]
    connected: bool
    heard_at: datetime = Field(description="What it said then; while it is away there may be more by now.")
    waiting: int | None = Field(description="Messages that the hub has not confirmed.")
    waiting_bytes: int | None
    waited_s: float | None = Field(description="How long the oldest has waited; null too where none waits.")
    refused: int | None = Field(description="Messages that the hub refused for good, since the edge's start.")


class HubQueueOut(BaseModel):
    """How far the hub is behind."""

    waiting: int = Field(description="Messages that it has received and not committed.")
    waiting_bytes: int
    waited_s: float | None = Field(description="How long the oldest has waited; null: none waits.")
    undecided: int = Field(description="Tracklets that wait for a decision; for a second or so that is usual.")
    undecided_s: float | None = Field(description="How long the oldest has waited; null: none waits.")
    missing: int = Field(description="Messages that never came since the hub's start.")


class QueuesOut(BaseModel):
    """All of them at one time."""

    at: datetime
    hub: HubQueueOut
    edges: list[EdgeQueueOut]


@router.get("/queues", summary="What waits between cameras and decisions")
def queues(who: Viewer) -> QueuesOut | None:
    """As of the last two seconds; null while no hub runs."""
    unscoped(who)
    found = read_queues(who.services.data_dir, now_ns=time.time_ns())
    if found is None:
        return None
    return QueuesOut(at=moment(found.at_ns), hub=_hub(found.hub), edges=[_edge(one) for one in found.edges])


def _edge(one: EdgeQueue) -> EdgeQueueOut:
    backlog = one.backlog
    return EdgeQueueOut(
        edge=one.edge_id,
        cameras=list(one.cameras),
        connected=one.here,
        heard_at=moment(one.heard_ns),
        waiting=None if backlog is None else backlog.messages,
        waiting_bytes=None if backlog is None else backlog.size,
        waited_s=None if backlog is None else _seconds(backlog.waited_ns),
        refused=None if backlog is None else backlog.refused,
    )


def _hub(one: HubQueue) -> HubQueueOut:
    return HubQueueOut(
        waiting=one.messages,
        waiting_bytes=one.size,
        waited_s=_seconds(one.waited_ns),
        undecided=one.undecided,
        undecided_s=_seconds(one.undecided_ns),
        missing=one.missing,
    )


def _seconds(nanoseconds: int | None) -> float | None:
    return None if nanoseconds is None else nanoseconds / 1e9

"""Who is told by itself of what happens: the MQTT broker and the webhooks of the site file."""

import time
from datetime import datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from hub.api.doors import Admin, Viewer, unscoped
from hub.api.plain import moment
from hub.api.problems import ProblemError
from hub.outgoing.report import ReceiverReport, read_report

router = APIRouter(tags=["notifications"])


class ReceiverOut(BaseModel):
    """One who is told, without what may not be shown of the address."""

    name: str
    host: str
    state: Literal["untried", "ok", "away"] = Field(description="`untried`: there was nothing to tell yet.")
    since: datetime
    reason: str = Field(description="Why it is away.")
    delivered: int = Field(description="Messages that it took.")
    waiting: int = Field(description="Messages that it is still to be told.")
    dropped: int = Field(description="Messages that it refused, or that waited for too long.")


class TrialOut(BaseModel):
    """Whether one of them took a test."""

    name: str
    taken: bool
    detail: str = Field(description="How that went, in words.")


@router.get("/notifications", summary="Who is told, and who is away")
def notifications(who: Viewer) -> list[ReceiverOut]:
    """Empty where nobody is to be told, or no `passerby notify` runs."""
    unscoped(who)
    return [_described(one) for one in read_report(who.services.data_dir, now_ns=time.time_ns())]


@router.post("/notifications/test", summary="Send everybody a test")
def test(who: Admin) -> list[TrialOut]:
    """Says of each whether it took it; takes up to ten seconds for each that does not answer."""
    unscoped(who)
    if who.services.try_telling is None:
        raise ProblemError(404, "nobody is to be told; name an MQTT broker or webhooks in the site file")
    trials = who.services.try_telling()
    who.did("notifications.test")
    return [TrialOut(name=one.name, taken=one.taken, detail=one.words) for one in trials]


def _described(one: ReceiverReport) -> ReceiverOut:
    return ReceiverOut(
        name=one.name,
        host=one.host,
        state=one.state,
        since=moment(one.since_ns),
        reason=one.reason,
        delivered=one.delivered,
        waiting=one.waiting,
        dropped=one.dropped,
    )

"""Identities: who was seen, where and when."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from hub.api.doors import Caller, Viewer
from hub.api.plain import Cursor, Limit, Page, PathNumber, moment, page_of, place_of, wanted_sightings
from hub.api.problems import not_found
from hub.api.routes.cameras import JPEG
from hub.api.routes.events import EventOut
from hub.api.routes.events import described as described_event
from hub.api.routes.tracklets import TrackletOut, picture
from hub.api.routes.tracklets import described as described_tracklet
from hub.listing import Seen, Wanted
from hub.records import EventId, IdentityState
from passerby.ids import IdentityId

router = APIRouter(tags=["identities"])

_MOST_TRACKLETS = 1000


class IdentityOut(BaseModel):
    """One person over all cameras."""

    id: int
    state: IdentityState
    name: str | None
    merged_into: int | None
    tracklets: int
    cameras: list[str] = Field(description="In the order of the first sighting.")
    first_seen_at: datetime
    last_seen_at: datetime
    best_tracklet: int = Field(description="Whose crop stands for the person.")


class TimelineOut(BaseModel):
    """Where somebody was and what was decided about them."""

    identity: IdentityOut
    tracklets: list[TrackletOut] = Field(description="In the order of their beginnings, the latest thousand.")
    events: list[EventOut] = Field(description="In order, the latest thousand.")


@router.get("/identities", summary="People, the latest first")
def identities(
    who: Viewer,
    wanted: Annotated[Wanted, Depends(wanted_sightings)],
    *,
    name: Annotated[str, Query(max_length=200, description="Some part of the name.")] = "",
    state: Annotated[list[IdentityState] | None, Query(description="[default: active]")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[IdentityOut]:
    """Of a name, seen by one camera, or then, if given."""
    found = who.services.listing().identities(
        scope=who.scope,
        wanted=wanted,
        name=name.strip(),
        states=state or [IdentityState.ACTIVE],
        before=place_of(cursor),
        limit=limit + 1,
    )
    return page_of([described(one) for one in found], limit=limit, key=lambda one: one.id)


@router.get("/identities/{number}", summary="One person")
def identity(who: Viewer, number: PathNumber) -> IdentityOut:
    """In whatever state, as long as something of them is left."""
    found = seen_identity(who, number)
    who.viewed("identities.view", f"identity:{number}")
    return described(found)


@router.get("/identities/{number}/timeline", summary="Where somebody was")
def timeline(who: Viewer, number: PathNumber) -> TimelineOut:
    """All sightings of a person, and the decisions about them."""
    found = seen_identity(who, number)
    who.viewed("identities.view", f"identity:{number}")
    listing = who.services.listing()
    tracklets = listing.tracklets(scope=who.scope, identity_id=found.identity.identity_id, limit=_MOST_TRACKLETS)
    told = who.services.reader().events_of(found.identity.identity_id)[-_MOST_TRACKLETS:]
    visible = [one for one in told if listing.is_event_seen(EventId(one.event_id), scope=who.scope)]
    return TimelineOut(
        identity=described(found),
        tracklets=[described_tracklet(one) for one in sorted(tracklets, key=lambda one: one.started_at_ns)],
        events=[described_event(one, who) for one in visible],
    )


@router.get("/identities/{number}/crop", summary="A person's best crop", response_class=Response, responses=JPEG)
def crop(who: Viewer, number: PathNumber) -> Response:
    """As JPEG."""
    found = seen_identity(who, number)
    return picture(who, found.best_tracklet, who.services.best_crop(found.best_tracklet))


def seen_identity(who: Caller, number: int) -> Seen:
    """The identity, if who asks may see it. Raises ProblemError (404)."""
    found = who.services.listing().identity(IdentityId(number), scope=who.scope)
    if found is None:
        raise not_found(f"person {number}")
    return found


def described(one: Seen) -> IdentityOut:
    """For the answer."""
    return IdentityOut(
        id=one.identity.identity_id,
        state=one.identity.state,
        name=one.identity.name,
        merged_into=one.identity.merged_into,
        tracklets=one.tracklets,
        cameras=list(one.cameras),
        first_seen_at=moment(one.first_seen_at_ns),
        last_seen_at=moment(one.last_seen_at_ns),
        best_tracklet=one.best_tracklet,
    )

"""Tracklets: one person before one camera, without a break."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from hub.api.doors import Caller, Viewer
from hub.api.plain import (
    CropNumber,
    Cursor,
    Limit,
    Number,
    Page,
    PathNumber,
    moment,
    page_of,
    place_of,
    wanted_sightings,
)
from hub.api.problems import not_found
from hub.api.routes.cameras import JPEG
from hub.listing import Wanted
from hub.records import Tracklet, TrackletNumber
from passerby.ids import IdentityId

router = APIRouter(tags=["tracklets"])


class TrackletOut(BaseModel):
    """A tracklet as it now stands."""

    id: int
    camera: str
    identity: int | None = Field(description="null until there is evidence enough for a decision.")
    started_at: datetime
    ended_at: datetime
    open: bool = Field(description="It may still change.")
    model: str
    crops: int
    quality: float = Field(description="Mean quality of the crops, 0 to 1.")
    clock_source: str
    clock_error_s: float
    frame_width: int
    frame_height: int


class CropOut(BaseModel):
    """One of a tracklet's best crops."""

    id: int
    captured_at: datetime
    box_xyxy: list[float] = Field(description="Pixels of the camera's picture.")
    quality: float


class PathOut(BaseModel):
    """Where somebody was, row by row: one frame each."""

    frames: list[int]
    captured_at: list[datetime]
    boxes_xyxy: list[list[float]]
    confidence: list[float]


@router.get("/tracklets", summary="Tracklets, the latest first")
def tracklets(
    who: Viewer,
    wanted: Annotated[Wanted, Depends(wanted_sightings)],
    identity: Annotated[Number | None, Query(description="Of this person.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[TrackletOut]:
    """Of one camera, person or time, if given."""
    found = who.services.listing().tracklets(
        scope=who.scope,
        wanted=wanted,
        identity_id=None if identity is None else IdentityId(identity),
        before=place_of(cursor),
        limit=limit + 1,
    )
    return page_of([described(one) for one in found], limit=limit, key=lambda one: one.id)


@router.get("/tracklets/{number}", summary="One tracklet")
def tracklet(who: Viewer, number: PathNumber) -> TrackletOut:
    """As it now stands."""
    return described(seen_tracklet(who, number))


@router.get("/tracklets/{number}/path", summary="Where it was")
def path(who: Viewer, number: PathNumber) -> PathOut:
    """The boxes of every frame in which it was seen."""
    seen = who.services.reader().observations(seen_tracklet(who, number).number)
    return PathOut(
        frames=seen.frame_numbers.tolist(),
        captured_at=[moment(at_ns) for at_ns in seen.captured_at_ns.tolist()],
        boxes_xyxy=seen.boxes_xyxy.astype(float).round(1).tolist(),
        confidence=seen.confidence.astype(float).round(4).tolist(),
    )


@router.get("/tracklets/{number}/crops", summary="Its best crops")
def crops(who: Viewer, number: PathNumber) -> list[CropOut]:
    """Best first."""
    return [
        CropOut(
            id=one.crop_id,
            captured_at=moment(one.captured_at_ns),
            box_xyxy=one.box_xyxy.astype(float).round(1).tolist(),
            quality=one.quality,
        )
        for one in who.services.reader().exemplars(seen_tracklet(who, number).number)
    ]


@router.get("/tracklets/{number}/crop", summary="Its best crop", response_class=Response, responses=JPEG)
def best_crop(who: Viewer, number: PathNumber) -> Response:
    """As JPEG."""
    seen = seen_tracklet(who, number)
    return picture(who, seen.number, who.services.best_crop(seen.number))


@router.get("/tracklets/{number}/crops/{crop}", summary="One crop", response_class=Response, responses=JPEG)
def crop(who: Viewer, number: PathNumber, crop: CropNumber) -> Response:
    """As JPEG."""
    seen = seen_tracklet(who, number)
    return picture(who, seen.number, who.services.crop(seen.number, crop))


def seen_tracklet(who: Caller, number: int) -> Tracklet:
    """The tracklet, if who asks may see it. Raises ProblemError (404)."""
    found = who.services.reader().tracklet(TrackletNumber(number))
    if found is None or not who.sees(found.camera_id):
        raise not_found(f"tracklet {number}")
    return found


def picture(who: Caller, number: TrackletNumber, jpeg: bytes | None) -> Response:
    """A crop of a tracklet as the answer. Raises ProblemError (404) where there is none."""
    if jpeg is None:
        raise not_found(f"such crop of tracklet {number}")
    who.viewed("crops.view", f"tracklet:{number}")
    return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=60"})


def described(one: Tracklet) -> TrackletOut:
    """For the answer."""
    return TrackletOut(
        id=one.number,
        camera=one.camera_id,
        identity=one.identity_id,
        started_at=moment(one.started_at_ns),
        ended_at=moment(one.ended_at_ns),
        open=one.open,
        model=one.model_id,
        crops=one.exemplars,
        quality=one.quality,
        clock_source=one.clock_source,
        clock_error_s=one.clock_error_ns / 1e9,
        frame_width=one.frame_width,
        frame_height=one.frame_height,
    )

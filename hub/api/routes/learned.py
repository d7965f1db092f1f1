"""What the hub has learned about its site: ways between cameras, what looks are worth, cameras' colours and light."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, Field

from hub.api.doors import Operator, Viewer, unscoped
from hub.api.plain import PathCamera, moment_or_none
from hub.api.problems import ProblemError, not_found
from hub.association.calibration import SETTINGS
from hub.association.topology import STEPS_S
from hub.association.ways import strangers_an_hour, view_pairs, ways
from hub.camera_reports import camera_reports
from hub.corrections.acts import ResetCamera, SetTransit
from hub.knowledge import Knowledge
from passerby.config import TransitSettings
from passerby.ids import CameraId

router = APIRouter(tags=["learned"])

Gap = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]


class Said(BaseModel):
    """What an operator knows better. With nothing of it, what was learned holds."""

    never: bool = Field(False, description="Nobody goes straight from the one to the other.")
    overlap: bool | None = Field(None, description="Whether both can see one person at once.")
    transit: Annotated[list[Gap], Field(min_length=2, max_length=2)] | None = Field(
        None, description="At least and at most so many seconds."
    )


class WayOut(BaseModel):
    """How people get from one camera to another."""

    before: str
    after: str
    appearances: float
    share: float = Field(description="Of those who were last seen before, who are next seen there.")
    at_once: float
    transit_s: list[float] | None = Field(description="10%, 50% and 90% take at most so long.")
    steps: list[float] = Field(description="How many took so long, by `steps_from_s`.")
    said: Said | None


class ViewsOut(BaseModel):
    """Whether two cameras show one floor."""

    first: str
    second: str
    overlap: bool
    fitting_share: float | None
    points: int
    said: bool | None


class TopologyOut(BaseModel):
    """The ways between cameras."""

    version: int
    steps_from_s: list[float]
    ways: list[WayOut]
    views: list[ViewsOut]
    strangers_per_hour: dict[str, float]


class CalibrationOut(BaseModel):
    """How looks become evidence."""

    false_link_rate: float
    linked_from: float = Field(description="The probability from which on a link is made by itself.")
    models: dict[str, Any] = Field(description="By model: version, and for each setting the fitted line and pairs.")


class NormalizedOut(BaseModel):
    """What was learned of one camera's colours and light."""

    camera: str
    model: str
    people: int
    belief: float = Field(description="How far the camera's own statistics are believed, 0 to 1.")
    removed_share: float
    regime: int
    regimes: int
    since: datetime | None
    drift: float | None
    alarm: bool = Field(description="It drifts.")


@router.get("/topology", summary="Ways between cameras")
def topology(who: Viewer) -> TopologyOut:
    """As they were learned, and what operators have said."""
    knowledge = _knowledge(who)
    known = knowledge.topology
    return TopologyOut(
        version=known.version,
        steps_from_s=[float(step) for step in STEPS_S],
        ways=[
            WayOut(
                before=way.before,
                after=way.after,
                appearances=way.appearances,
                share=way.share,
                at_once=way.at_once,
                transit_s=None if way.transit_s is None else list(way.transit_s),
                steps=list(way.steps),
                said=None if way.word is None else _said(way.word),
            )
            for way in ways(known)
            if who.sees(CameraId(way.before)) and who.sees(CameraId(way.after))
        ],
        views=[
            ViewsOut(
                first=pair.first,
                second=pair.second,
                overlap=pair.overlap,
                fitting_share=pair.fitting_share,
                points=pair.points,
                said=pair.said,
            )
            for pair in view_pairs(knowledge.floor, known)
            if who.sees(CameraId(pair.first)) and who.sees(CameraId(pair.second))
        ],
        strangers_per_hour={n: rate for n, rate in strangers_an_hour(known).items() if who.sees(CameraId(n))},
    )


@router.put("/topology/{before}/{after}", summary="Say how people get from one camera to another")
def set_transit(who: Operator, before: PathCamera, after: PathCamera, said: Said) -> Said:
    """It outweighs what was learned, and all that was said before."""
    for camera in (before, after):
        if not who.sees(CameraId(camera)):
            raise not_found(f"camera {camera}")
    given = {"from": before, "to": after, **said.model_dump(exclude_none=True)}
    try:
        word = msgspec.convert(given, TransitSettings)
    except msgspec.ValidationError as error:
        raise ProblemError(422, f"{before} to {after}: {error}") from error
    who.correct(SetTransit(word=word))
    return said


@router.get("/calibration", summary="What looks are worth")
def calibration(who: Viewer) -> CalibrationOut:
    """And from which probability on links are made, for the site's rate of false links."""
    unscoped(who)
    knowledge, rate = _knowledge(who), who.services.facts.false_link_rate
    return CalibrationOut(
        false_link_rate=rate,
        linked_from=knowledge.promise.boundary(rate),
        models={model_id: _calibrated(knowledge, model_id) for model_id in knowledge.calibrated_models},
    )


@router.get("/normalization", summary="Cameras' colours and light")
def normalization(who: Viewer) -> list[NormalizedOut]:
    """How far each camera's own statistics are believed, and whether they drift."""
    who.services.reader()
    return [
        NormalizedOut(
            camera=one.camera_id,
            model=model_id,
            people=one.people,
            belief=one.belief,
            removed_share=one.removed_share,
            regime=one.regime,
            regimes=one.regimes,
            since=moment_or_none(one.since_ns),
            drift=one.drift,
            alarm=one.alarm,
        )
        for model_id, cameras in camera_reports(who.services.data_dir).items()
        for one in cameras
        if who.sees(one.camera_id)
    ]


@router.post("/normalization/{camera}/reset", summary="Begin anew with a camera that was moved", status_code=204)
def reset(who: Operator, camera: PathCamera) -> None:
    """What was learned of its colours and light holds no more."""
    if not who.sees(CameraId(camera)) or CameraId(camera) not in who.services.reader().camera_ids():
        raise not_found(f"camera {camera}")
    who.correct(ResetCamera(camera=CameraId(camera)))


def _knowledge(who: Viewer) -> Knowledge:
    return who.services.reader().knowledge()


def _said(word: TransitSettings) -> Said:
    transit = None if word.transit is None else list(word.transit)
    return Said(never=word.never, overlap=word.overlap, transit=transit)


def _calibrated(knowledge: Knowledge, model_id: Any) -> Mapping[str, Any]:
    known = knowledge.calibration(model_id)
    settings = {
        setting: {
            **msgspec.to_builtins(known.lines[setting]),
            "genuine": known.genuine[setting],
            "impostors": known.impostors[setting],
        }
        for setting in SETTINGS
    }
    return {"version": known.version, "settings": settings}

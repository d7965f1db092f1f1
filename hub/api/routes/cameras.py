"""Cameras: how they do, what they show, and attaching them at run time."""

import base64
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from hub.api.doors import Admin, Caller, Viewer
from hub.api.plain import CameraName, PathCamera, moment, moment_or_none
from hub.api.problems import ProblemError, not_found
from hub.health import Grade, grade_of
from hub.listing import Wanted
from hub.reader import StoredStatus
from hub.services import Cameras, Login
from hub.standing_still import Polygon, stands_in, stood_still
from passerby.config import CameraSettings
from passerby.errors import ConfigError
from passerby.ids import CameraId
from passerby.redaction import redact

router = APIRouter(tags=["cameras"])

_SILENT_NS = 30 * 10**9
"""An edge reports every few seconds; older words are no longer true."""

JPEG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}}
}


class CameraOut(BaseModel):
    """A camera and the latest word about it."""

    id: str
    state: str = Field(description="As the edge says it; `silent`: it says nothing any more; `unknown`: it never did.")
    detail: str
    health: Grade | None = Field(description="null: it is not running.")
    expected_fps: float
    achieved_fps: float
    width: int
    height: int
    frames: int = Field(description="These counts begin with each start of the edge.")
    skipped_frames: int
    reconnects: int
    stalls: int
    tracklets: int
    id_switches: int = Field(description="Two people exchanged where they crossed, found and put right.")
    last_frame_at: datetime | None
    clock_source: str | None
    clock_error_s: float | None
    reported_at: datetime | None
    edge: str | None


class CameraLogin(BaseModel):
    """A camera's user and password, which are kept apart and never told."""

    user: Annotated[str, Field(min_length=1, max_length=200)]
    password: Annotated[str, Field(min_length=1, max_length=200)]


class ChangedCamera(BaseModel):
    """What a camera is to be."""

    settings: dict[str, Any] = Field(description="The keys of a camera in the site file; `url` at least.")
    login: CameraLogin | None = Field(None, description="In place of any that the URL has.")


class NewCamera(ChangedCamera):
    """A camera to be attached."""

    id: CameraName


class CameraChanges(BaseModel):
    """What is to be another: `{"enabled": false}` pauses a camera."""

    settings: dict[str, Any] = Field({}, description="Keys of a camera in the site file; what is left out stays.")
    login: CameraLogin | None = None


class AttachedCamera(BaseModel):
    """A camera's settings. Its URL is shown without user and password."""

    id: str
    settings: dict[str, Any]
    become: str = Field("", description="What has become of the change, in words.")


class ProbedCamera(BaseModel):
    """What was found."""

    url: str = Field(description="To be attached, with the same login.")
    tried: list[str] = Field(description="Paths of common makers, where only a host was given; the last one answered.")
    facts: dict[str, Any] = Field(description="Codec, size, frames per second, person height, verdict and so on.")
    picture: str | None = Field(description="A JPEG, in base64.")
    proposals: list[Polygon] = Field(description="`masks` around what stood still as long as it was looked at.")


class ProposalOut(BaseModel):
    """Something that stood in one place."""

    mask: Polygon = Field(description="For a camera's `masks`: corners (x, y) as fractions of the picture.")
    tracklets: int
    seconds: float = Field(description="How long it stood, in all.")


@router.get("/cameras", summary="All cameras and how they do")
def cameras(who: Viewer) -> list[CameraOut]:
    """By name: those of the site file, those attached, and those that ever reported."""
    found = cameras_of(who)
    return [found[name] for name in sorted(found)]


@router.get("/cameras/{camera}", summary="One camera")
def camera_status(who: Viewer, camera: PathCamera) -> CameraOut:
    """How it does."""
    found = cameras_of(who).get(CameraId(camera))
    if found is None:
        raise not_found(f"camera {camera}")
    return found


@router.get("/cameras/{camera}/snapshot", summary="What it shows", response_class=Response, responses=JPEG)
def snapshot(
    who: Viewer,
    camera: PathCamera,
    full: Annotated[
        bool, Query(description="In the camera's own size: the first answers may still be smaller.")
    ] = False,
) -> Response:
    """The live picture where there is one, else the crop of whoever was seen last.

    A camera sends live pictures only while somebody asks for them: the first answer may be a crop.
    """
    camera_id = CameraId(camera)
    if camera_id not in cameras_of(who):
        raise not_found(f"camera {camera}")
    who.viewed("cameras.view", f"camera:{camera}")
    live = None if who.services.live is None else who.services.live.latest(camera_id, full=full)
    if live is not None:
        captured = moment(live.captured_at_ns).isoformat()
        return Response(live.jpeg, media_type="image/jpeg", headers={"X-Captured-At": captured, "X-Picture": "live"})
    for tracklet in who.services.listing().tracklets(scope=who.scope, wanted=Wanted(camera=camera_id), limit=5):
        jpeg = who.services.best_crop(tracklet.number)
        if jpeg is not None:
            headers = {"X-Captured-At": moment(tracklet.ended_at_ns).isoformat(), "X-Picture": "crop"}
            return Response(jpeg, media_type="image/jpeg", headers=headers)
    raise not_found(f"picture of camera {camera} yet")


@router.get("/cameras/{camera}/settings", summary="A camera's settings")
def settings(who: Admin, camera: PathCamera) -> AttachedCamera:
    """Without user and password in its URL."""
    _require(who, CameraId(camera))
    return _told(CameraId(camera), _manager(who).settings()[CameraId(camera)])


@router.get("/cameras/{camera}/proposals", summary="What might be masked in a camera")
def proposals(who: Admin, camera: PathCamera) -> list[ProposalOut]:
    """What is taken for a person and has not moved, by its latest tracklets; the longest first."""
    _require(who, CameraId(camera))
    found = stands_in(who.services.reader(), who.services.listing(), CameraId(camera))
    return [ProposalOut(mask=one.polygon, tracklets=one.times, seconds=one.seconds) for one in found]


@router.post("/cameras", summary="Attach a camera", status_code=201)
def attach(who: Admin, new: NewCamera) -> AttachedCamera:
    """It begins at once, and is there after a restart too; the site file is not touched."""
    camera_id, wanted = CameraId(new.id), _settings(new.settings)
    become = _manager(who).attach(camera_id, new.settings, actor=who.name, login=_login(new.login))
    who.did("cameras.attach", [f"camera:{camera_id}"])
    return _told(camera_id, wanted, become)


@router.post("/cameras/probe", summary="Look at a camera before it is attached")
def probe(who: Admin, new: ChangedCamera) -> ProbedCamera:
    """`url` may be a host alone: then the paths of common makers are tried. Takes some seconds."""
    _settings(new.settings)
    found = _manager(who).probe(new.settings, login=_login(new.login))
    who.did("cameras.probe", detail=found.url)
    return ProbedCamera(
        url=found.url,
        tried=list(found.tried),
        facts=dict(found.facts),
        picture=None if found.picture is None else base64.b64encode(found.picture).decode(),
        proposals=[one.polygon for one in stood_still(found.seen)],
    )


@router.put("/cameras/{camera}", summary="Let a camera be so")
def replace(who: Admin, camera: PathCamera, changed: ChangedCamera) -> AttachedCamera:
    """All of its settings; what is left out is as by default. A URL as it was shown stays what it is."""
    wanted = _settings(changed.settings)
    return _edited(who, CameraId(camera), msgspec.to_builtins(wanted), changed.login)


@router.patch("/cameras/{camera}", summary="Change a camera, pause or resume it")
def edit(who: Admin, camera: PathCamera, changed: CameraChanges) -> AttachedCamera:
    """Some of its settings; what is left out stays, its URL and password too."""
    return _edited(who, CameraId(camera), changed.settings, changed.login)


@router.delete("/cameras/{camera}", summary="End a camera", status_code=204)
def remove(who: Admin, camera: PathCamera) -> None:
    """It is looked at no more; what it has seen is kept."""
    _require(who, CameraId(camera))
    _manager(who).remove(CameraId(camera), actor=who.name)
    who.did("cameras.remove", [f"camera:{camera}"])


def cameras_of(who: Caller) -> dict[CameraId, CameraOut]:
    """Those that who asks may see."""
    services, now_ns = who.services, time.time_ns()
    attached = {} if services.cameras is None else services.cameras.settings()
    names = {*services.facts.cameras, *attached}
    reported = {stored.status.camera_id: stored for stored in services.reader().cameras()}
    return {
        name: _described(name, reported.get(name), now_ns=now_ns) for name in names | reported.keys() if who.sees(name)
    }


def _described(name: CameraId, stored: StoredStatus | None, *, now_ns: int) -> CameraOut:
    if stored is None:
        counts = ("frames", "skipped_frames", "reconnects", "stalls", "tracklets", "id_switches", "width", "height")
        blank = dict.fromkeys(counts, 0)
        return CameraOut(
            id=name, state="unknown", detail="", health=None, expected_fps=0.0, achieved_fps=0.0, last_frame_at=None,
            clock_source=None, clock_error_s=None, reported_at=None, edge=None, **blank,
        )  # fmt: skip
    status = stored.status
    silent = now_ns - stored.received_at_ns > _SILENT_NS
    state = "silent" if silent and status.state not in ("ended", "paused") else status.state
    return CameraOut(
        id=name,
        state=state,
        detail=redact(status.detail),
        health=grade_of(status) if state == "live" else None,
        expected_fps=status.expected_fps,
        achieved_fps=status.achieved_fps,
        width=status.width,
        height=status.height,
        frames=status.frames,
        skipped_frames=status.skipped_frames,
        reconnects=status.reconnects,
        stalls=status.stalls,
        tracklets=status.tracklets,
        id_switches=status.id_switches,
        last_frame_at=moment_or_none(status.last_frame_at_ns),
        clock_source=None if status.clock is None else status.clock.source,
        clock_error_s=None if status.clock is None else status.clock.error_ns / 1e9,
        reported_at=moment(stored.received_at_ns),
        edge=stored.edge_id,
    )


def _manager(who: Caller) -> Cameras:
    if who.services.cameras is None:
        raise ProblemError(404, "cameras are not attached at run time here; write them into the site file")
    return who.services.cameras


def _require(who: Caller, camera_id: CameraId) -> None:
    if camera_id not in _manager(who).settings():
        raise not_found(f"camera {camera_id}")


def _settings(given: Mapping[str, Any]) -> CameraSettings:
    try:
        return msgspec.convert(given, CameraSettings, strict=True)
    except msgspec.ValidationError as error:
        raise ConfigError(f"the camera's settings: {error}") from error


def _login(given: CameraLogin | None) -> Login | None:
    return None if given is None else (given.user, given.password)


def _edited(who: Caller, camera_id: CameraId, changes: Mapping[str, Any], login: CameraLogin | None) -> AttachedCamera:
    _require(who, camera_id)
    become = _manager(who).edit(camera_id, changes, actor=who.name, login=_login(login))
    who.did("cameras.edit", [f"camera:{camera_id}"], detail=", ".join(sorted(changes)))
    return _told(camera_id, _manager(who).settings()[camera_id], become)


def _told(camera_id: CameraId, one: CameraSettings, become: str = "") -> AttachedCamera:
    return AttachedCamera(
        id=camera_id, settings={**msgspec.to_builtins(one), "url": redact(one.url)}, become=redact(become)
    )

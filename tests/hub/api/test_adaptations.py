"""Adaptations and cameras, which others carry out, by way of the web."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from hub.api import make_api
from hub.camera_list import CameraLine
from hub.services import LivePicture, Login, Probed
from passerby.adaptation.job import Job, JobBook, JobProgress, JobRequest
from passerby.adaptation.schedule import Plan, ScheduleBook
from passerby.config import AdaptationSettings, CameraSettings
from passerby.config.changing import changed_settings
from passerby.errors import DataError, SourceRefusedError
from passerby.ids import CameraId, ModelId, TrackletId
from passerby.messages import Marked
from tests.hub.api.serving import crop, fill, served, services_of, token_of
from tests.hub.people import BOOT


class Room:
    """Keeps jobs on record, and does none."""

    def __init__(self, data: Path) -> None:
        self._book = JobBook(data)
        self._schedule = ScheduleBook(data, AdaptationSettings(min_new_tracklets=2))

    def start(self, *, actor: str, minutes: float | None = None, recipe: str | None = None) -> Job:
        return self._book.ask(
            JobRequest(
                number=0,
                asked_at_ns=time.time_ns(),
                actor=actor,
                trigger="hand",
                parent="net",
                parent_id=ModelId("net@1"),
                recipe=recipe or "passerby",
                minutes=minutes or 10.0,
                seed=1,
                threads=1,
                memory_mib=512,
                most_crops=100,
                newest_tracklet=0,
            )
        )

    def jobs(self) -> Sequence[Job]:
        return self._book.jobs()

    def job(self, number: int) -> Job:
        return self._book.job(number)

    def cancel(self, number: int, *, actor: str) -> None:
        self._book.job(number).cancel()

    def compare(self, number: int) -> str:
        return f"<h1>{number}</h1>"

    def promote(self, number: int, *, actor: str, cameras: Sequence[CameraId] = ()) -> str:
        raise DataError(f"adaptation {number} was not passed")

    def rollback(self, *, actor: str) -> str:
        return "the former model is used again"

    def plan(self, *, newest_tracklet: int) -> Plan:
        now = datetime.now(UTC).astimezone()
        return self._schedule.plan(self.jobs(), newest_tracklet=newest_tracklet, now=now)

    def tell_schedule(self, *, actor: str, schedule: str | None = None, min_new_tracklets: int | None = None) -> None:
        self._schedule.tell(actor=actor, at_ns=time.time_ns(), schedule=schedule, min_new_tracklets=min_new_tracklets)

    def forget_schedule(self) -> None:
        self._schedule.forget()


class Attached:
    """Cameras in mind."""

    def __init__(self) -> None:
        self._settings = {CameraId("hall"): CameraSettings(url="rtsp://u:secret@10.0.0.5/sub")}

    def settings(self) -> Mapping[CameraId, CameraSettings]:
        return dict(self._settings)

    def lines(self) -> Sequence[CameraLine]:
        return []

    def attach(
        self, camera_id: CameraId, settings: Mapping[str, object], *, actor: str, login: Login | None = None
    ) -> str:
        if camera_id in self._settings:
            raise DataError(f"there is a camera {camera_id} already")
        self._settings[camera_id] = changed_settings(camera_id, None, settings)
        return "saved"

    def edit(
        self, camera_id: CameraId, changes: Mapping[str, object], *, actor: str, login: Login | None = None
    ) -> str:
        self._settings[camera_id] = changed_settings(camera_id, self._settings[camera_id], changes)
        return "saved"

    def remove(self, camera_id: CameraId, *, actor: str) -> str:
        del self._settings[camera_id]
        return "saved"

    def probe(
        self, settings: Mapping[str, object], *, login: Login | None = None, tell: Callable[[str], None] = print
    ) -> Probed:
        raise SourceRefusedError(f"nobody listens at {settings['url']}")


class Live:
    """One picture, and one of full size."""

    def latest(self, camera_id: CameraId, *, full: bool = False) -> LivePicture | None:
        people = [
            Marked(tracklet_id=TrackletId(number), box_xyxy=(1.0, 2.0, 30.5, 60.0 + number)) for number in (1, 99)
        ]
        if camera_id != "hall":
            return None
        return LivePicture(1_700_000_000 * 10**9, crop(98 if full else 99), boot_id=BOOT, people=people)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


@pytest.fixture
def ada(tmp_path: Path, room: Room) -> Iterator[httpx.Client]:
    fill(tmp_path)
    services = services_of(tmp_path, users=["ada"], adaptations=room, cameras=Attached(), live=Live())
    with (
        served(make_api(services)) as address,
        httpx.Client(base_url=f"{address}/api/v1", headers=token_of(services, "ada"), timeout=30) as client,
    ):
        yield client
    services.close()


def test_an_adaptation_is_begun_watched_and_ended(ada: httpx.Client, room: Room) -> None:
    begun = ada.post("/adaptations", json={"minutes": 2})
    assert (begun.status_code, begun.headers["location"]) == (202, "/api/v1/adaptations/1")
    assert (begun.json()["state"], begun.json()["minutes"]) == ("queued", 2.0)
    assert ada.post("/adaptations", json={}).status_code == 409
    told: list[str] = []
    thread = threading.Thread(target=lambda: told.append(ada.get("/adaptations/1/stream").text))
    thread.start()
    room.job(1).tell(JobProgress(state="running", at_ns=time.time_ns(), phase="learning", share=0.5))
    assert ada.post("/adaptations/1/cancel").status_code == 202
    assert room.job(1).is_cancelled
    room.job(1).tell(JobProgress(state="cancelled", at_ns=time.time_ns()))
    thread.join(20)
    assert '"state": "cancelled"' in told[0]
    assert ada.get("/adaptations/1").json()["state"] == "cancelled"
    assert [one["number"] for one in ada.get("/adaptations").json()] == [1]


def test_a_comparison_is_a_page_that_runs_nothing(ada: httpx.Client) -> None:
    ada.post("/adaptations", json={})
    page = ada.get("/adaptations/1/compare")
    assert page.text == "<h1>1</h1>"
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "sandbox" in page.headers["content-security-policy"]
    assert ada.get("/adaptations/2/compare").status_code == 404


def test_what_was_not_passed_is_not_promoted(ada: httpx.Client) -> None:
    ada.post("/adaptations", json={})
    refused = ada.post("/adaptations/1/promote")
    assert (refused.status_code, refused.json()["detail"]) == (409, "adaptation 1 was not passed")
    assert ada.post("/models/rollback").json() == {"detail": "the former model is used again"}


def test_when_one_begins_by_itself_is_set_and_put_down(ada: httpx.Client) -> None:
    before = ada.get("/adaptations/schedule").json()
    assert (before["schedule"], before["due_at"], before["told_by"]) == ("manual", None, None)
    assert (before["new_tracklets"], before["lacks"]) == (3, 0)
    set_to = ada.patch("/adaptations/schedule", json={"schedule": "every 12 h", "min_new_tracklets": 50}).json()
    assert (set_to["schedule"], set_to["lacks"], set_to["told_by"]) == ("every 12 h", 47, "ada")
    due = datetime.fromisoformat(set_to["due_at"]) - datetime.now(UTC)
    assert timedelta(hours=11.9) < due <= timedelta(hours=12)
    less = ada.patch("/adaptations/schedule", json={"min_new_tracklets": 4}).json()
    assert (less["schedule"], less["lacks"]) == ("every 12 h", 1)
    for wrong, said in (
        ({"schedule": "daily 25:00"}, "schedule 'daily 25:00': expected `daily HH:MM`, `every N h` (1 to 9999)"),
        ({}, "nothing is said of the schedule"),
    ):
        refused = ada.patch("/adaptations/schedule", json=wrong)
        assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
        assert refused.json()["detail"].startswith(said)
    assert ada.patch("/adaptations/schedule", json={"min_new_tracklets": 0}).status_code == 422
    assert ada.delete("/adaptations/schedule").json()["schedule"] == "manual"
    told = [entry["detail"] for entry in ada.get("/audit", params={"action": "adaptations.schedule"}).json()["items"]]
    assert told == ["by hand alone", *(f"every 12 h, once {least} sightings are new" for least in (4, 50))]


def test_cameras_are_attached_and_passwords_never_told(ada: httpx.Client) -> None:
    attached = ada.post("/cameras", json={"id": "yard", "settings": {"url": "rtsp://u:secret@10.0.0.9/s", "fps": 4}})
    assert (attached.status_code, attached.json()["settings"]["url"]) == (201, "rtsp://***@10.0.0.9/s")
    again = ada.post("/cameras", json={"id": "yard", "settings": {"url": "a.mp4"}})
    assert again.status_code == 422
    for settings in ({}, {"url": "a.mp4", "fsp": 3}, {"url": "a.mp4", "fps": 0}, {"url": 5}):
        assert ada.post("/cameras", json={"id": "door", "settings": settings}).status_code == 422
    assert [one["id"] for one in ada.get("/cameras").json()] == ["hall", "lobby", "yard"]
    assert ada.put("/cameras/yard", json={"settings": {"url": "b.mp4"}}).json()["settings"]["fps"] == 5.0
    paused = ada.patch("/cameras/yard", json={"settings": {"enabled": False}}).json()
    assert (paused["settings"]["enabled"], paused["settings"]["url"], paused["become"]) == (False, "b.mp4", "saved")
    assert ada.patch("/cameras/nowhere", json={"settings": {}}).status_code == 404
    assert ada.get("/cameras/hall/proposals").json() == []
    refused = ada.post("/cameras/probe", json={"settings": {"url": "rtsp://u:secret@10.0.0.9/s"}})
    assert refused.status_code == 422
    told = "".join(ada.get(f"/cameras/{name}/settings").text for name in ("hall", "yard"))
    assert "secret" not in told + refused.text + attached.text
    assert ada.delete("/cameras/yard").status_code == 204
    assert ada.delete("/cameras/yard").status_code == 404


def test_a_snapshot_is_live_where_there_is_one(ada: httpx.Client) -> None:
    live = ada.get("/cameras/hall/snapshot")
    assert (live.content, live.headers["x-picture"]) == (crop(99), "live")
    assert ada.get("/cameras/hall/snapshot", params={"full": "true"}).content == crop(98)
    assert ada.get("/cameras/lobby/snapshot").headers["x-picture"] == "crop"


def test_live_pictures_come_one_after_the_other_and_say_who_is_in_them(ada: httpx.Client) -> None:
    with ada.stream("GET", "/cameras/hall/live", params={"most": 1}) as told:
        assert told.headers["content-type"] == "multipart/x-mixed-replace; boundary=picture"
        head, _, body = told.read().partition(b"\r\n\r\n")
    assert head.startswith(b"--picture\r\nContent-Type: image/jpeg\r\n")
    assert body == crop(99) + b"\r\n"
    now = ada.get("/cameras/hall/people").json()
    assert now["captured_at"] == "2023-11-14T22:13:20Z"
    assert [(one["box_xyxy"], one["identity"]) for one in now["people"]] == [
        ([1.0, 2.0, 30.5, 61.0], 1),
        ([1.0, 2.0, 30.5, 159.0], None),
    ]
    assert ada.get("/cameras/lobby/people").status_code == 404
    assert ada.get("/cameras/nowhere/live").status_code == 404

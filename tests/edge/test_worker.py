"""The edge process without its network: cameras in, messages out, commands obeyed."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import cv2
import msgspec
import numpy as np
import pytest

from edge.cameras import Cameras
from edge.commands import only_region_changed
from edge.embedders import Embedders
from edge.frames import Frame
from edge.pipeline import CameraPipeline
from edge.previews import Previews
from edge.worker import EdgeWorker
from passerby.config import CameraSettings
from passerby.config.changing import changed_settings
from passerby.errors import ConfigError, SpoolFullError
from passerby.ids import CameraId, TrackletId
from passerby.messages import (
    CameraCommand,
    Clock,
    CommandAnswer,
    Hello,
    HubMessage,
    Marked,
    Preview,
    Status,
    TrackletUpdate,
)
from tests.edge.engines import BrightnessDetector, MeanColourEmbedder
from tests.edge.footage import picture, textured_picture, write_film

HALL, DOOR = CameraId("hall"), CameraId("door")


class RecordedLink:
    """The hub's end, in memory: everything sent is kept, commands are handed out in turn."""

    def __init__(self) -> None:
        self.sent: list[TrackletUpdate | Status] = []
        self.offered: list[Preview] = []
        self.hellos: list[Hello] = []
        self.commands: list[HubMessage] = []
        self.full = threading.Event()

    def publish(self, message: TrackletUpdate | Status, *, timeout_s: float) -> int:
        if self.full.is_set():
            raise SpoolFullError("the spool holds 1 MiB, its bound")
        self.sent.append(message)
        return len(self.sent)

    def offer(self, message: Preview) -> bool:
        self.offered.append(message)
        return True

    def receive(self, timeout_s: float) -> HubMessage | None:
        return self.commands.pop(0) if self.commands else None

    def say_hello(self, hello: Hello) -> None:
        self.hellos.append(hello)

    def stats(self) -> SimpleNamespace:
        return SimpleNamespace(spooled_messages=len(self.sent), spooled_bytes=0, refused=0)

    @property
    def updates(self) -> list[TrackletUpdate]:
        return [message for message in self.sent if isinstance(message, TrackletUpdate)]

    @property
    def answers(self) -> list[CommandAnswer]:
        return [answer for message in self.sent if isinstance(message, Status) for answer in message.answers]

    def states(self, camera_id: CameraId) -> list[str]:
        found = [
            camera.state
            for message in self.sent
            if isinstance(message, Status)
            for camera in message.cameras
            if camera.camera_id == camera_id
        ]
        return [state for state, before in zip(found, ["", *found], strict=False) if state != before]


class Edge:
    """A worker on recordings, run in a thread until stopped."""

    def __init__(self, cameras: dict[CameraId, CameraSettings], *, until_ended: bool = False) -> None:
        detector, embedder = BrightnessDetector(), MeanColourEmbedder()
        self.detector = detector
        self.link = RecordedLink()
        self.stop = threading.Event()
        self.cameras = Cameras(cameras, detector=detector, embedders=Embedders(embedder))
        self.worker = EdgeWorker(
            self.cameras,
            detector=detector,
            link=self.link,
            stop=self.stop,
            until_ended=until_ended,
        )
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        self.worker.startup()
        self.worker.main_loop()
        self.worker.shutdown()

    def __enter__(self) -> "Edge":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.join()

    def join(self) -> None:
        self._thread.join(20)
        assert not self._thread.is_alive()

    def command(self, camera_id: CameraId, action: str, **settings: object) -> None:
        self.link.commands.append(
            CameraCommand(command_id=1, camera_id=camera_id, action=action, settings=settings)  # type: ignore[arg-type]
        )


def until(condition: Callable[[], bool], *, timeout_s: float = 15.0) -> None:
    deadline = time.monotonic() + timeout_s
    waiting = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        waiting.wait(0.01)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(tmp_path_factory.mktemp("film") / "f.mp4", frames=40)


def on(film: Path, **changes: object) -> CameraSettings:
    return CameraSettings(url=str(film), **{"fps": 10.0, **changes})


@pytest.fixture
def textured(tmp_path: Path) -> Path:
    """A film in which crops of the walker are usable."""
    return write_film(tmp_path / "t.mp4", frames=20, draw=textured_picture)


def test_recordings_are_told_of_to_their_end(textured: Path) -> None:
    edge = Edge({HALL: on(textured), DOOR: on(textured)}, until_ended=True)
    with edge:
        edge.join()
    finals = [update for update in edge.link.updates if update.final]
    assert sorted(update.camera_id for update in finals) == [DOOR, HALL]
    assert len({update.tracklet_id for update in finals}) == 2
    # A film may be open before the first word about it.
    assert [state for state in edge.link.states(HALL) if state != "connecting"] == ["live", "ended"]
    assert isinstance(edge.link.sent[-1], Status)


def test_stopping_closes_open_tracklets(textured: Path) -> None:
    with Edge({HALL: on(textured)}) as edge:
        until(lambda: bool(edge.link.updates))
        assert not edge.link.updates[-1].final
    assert edge.link.updates[-1].final


def test_cameras_are_attached_paused_resumed_edited_and_removed(film: Path) -> None:
    with Edge({HALL: on(film)}) as edge:
        until(lambda: "live" in edge.link.states(HALL))
        edge.command(DOOR, "attach", url=str(film), fps=10.0)
        until(lambda: "live" in edge.link.states(DOOR))
        assert edge.link.hellos[-1].cameras == [DOOR, HALL]
        edge.command(DOOR, "pause")
        until(lambda: edge.link.states(DOOR)[-1] == "paused")
        edge.command(DOOR, "resume")
        until(lambda: edge.link.states(DOOR)[-1] == "live")
        edge.command(DOOR, "edit", fps=5.0)
        until(lambda: edge.link.states(DOOR)[-2:] == ["connecting", "live"])
        edge.command(DOOR, "remove")
        until(lambda: edge.cameras.ids == [HALL])
        assert edge.link.hellos[-1].cameras == [HALL]


def test_every_command_is_answered_and_one_that_changes_nothing_leaves_the_camera_alone(film: Path) -> None:
    with Edge({HALL: on(film)}) as edge:
        until(lambda: "live" in edge.link.states(HALL))
        same = msgspec.to_builtins(on(film))
        edge.link.commands += [
            CameraCommand(command_id=7, camera_id=HALL, action="attach", settings=same),
            CameraCommand(command_id=8, camera_id=HALL, action="preview", settings={"seconds": 1}),
            CameraCommand(command_id=9, camera_id=DOOR, action="remove"),
        ]
        until(lambda: len(edge.link.answers) == 2)
        assert "connecting" not in edge.link.states(HALL)[1:]
    assert [(answer.command_id, bool(answer.refused)) for answer in edge.link.answers] == [(7, False), (9, True)]
    assert "door: not one of this edge's" in edge.link.answers[1].refused


def test_new_zones_do_not_connect_anew(film: Path) -> None:
    with Edge({HALL: on(film)}) as edge:
        until(lambda: "live" in edge.link.states(HALL))
        edge.command(HALL, "zones", zones=[[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]])
        until(lambda: not edge.link.commands)
    assert "connecting" not in edge.link.states(HALL)[1:]


def test_wrong_commands_change_nothing_and_are_logged_without_secrets(film: Path, caplog) -> None:
    with caplog.at_level(logging.WARNING), Edge({HALL: on(film)}) as edge:
        edge.command(CameraId("nowhere"), "pause")
        edge.command(HALL, "edit", fps="rtsp://u:secret@x")
        edge.command(HALL, "edit", colour="red")
        edge.command(DOOR, "attach", fps=5.0)
        edge.command(HALL, "preview", seconds="long")
        until(lambda: len(caplog.records) >= 5)
        assert edge.cameras.ids == [HALL]
    assert "secret" not in caplog.text
    assert "nowhere: not one of this edge's (hall)" in caplog.text


def test_full_previews_are_sent_where_they_are_asked_for(textured: Path) -> None:
    with Edge({HALL: on(textured)}) as edge:
        edge.command(HALL, "preview", seconds=30)
        until(lambda: bool(edge.link.offered))
        small = len(edge.link.offered[0].jpeg)
        edge.command(HALL, "preview", seconds=30, full=True)
        until(lambda: len(edge.link.offered[-1].jpeg) > 1.3 * small)


def test_how_often_people_were_exchanged_is_told_with_the_status(film: Path) -> None:
    detector, embedder = BrightnessDetector(), MeanColourEmbedder()
    cameras = Cameras({HALL: on(film)}, detector=detector, embedders=Embedders(embedder))
    cameras.start()
    found: list[CameraPipeline] = []

    def came() -> bool:
        found.extend(pipeline for pipeline, _ in cameras.next_frames(1, wait_s=0.1))
        return bool(found)

    until(came)
    assert cameras.statuses()[0].id_switches == 0
    found[0].switches = 2
    assert cameras.statuses()[0].id_switches == 2
    cameras.stop()


def test_previews_are_sent_only_while_somebody_watches(film: Path) -> None:
    with Edge({HALL: on(film)}) as edge:
        until(lambda: "live" in edge.link.states(HALL))
        assert edge.link.offered == []
        edge.command(HALL, "preview", seconds=30)
        until(lambda: bool(edge.link.offered))
        assert edge.link.offered[0].jpeg[:2] == b"\xff\xd8"


def test_a_full_spool_is_waited_for_and_then_work_goes_on(textured: Path) -> None:
    edge = Edge({HALL: on(textured)})
    edge.link.full.set()
    with edge:
        until(lambda: edge.cameras.statuses()[0].frames > 5)
        assert edge.link.sent == []
        edge.link.full.clear()
        until(lambda: "ended" in edge.link.states(HALL))
    assert edge.cameras.statuses()[0].skipped_frames > 0


def test_an_edge_with_a_full_spool_can_be_stopped(film: Path) -> None:
    edge = Edge({HALL: on(film)})
    edge.link.full.set()
    with edge:
        until(lambda: edge.cameras.statuses()[0].frames > 2)


def test_a_disabled_camera_waits_for_its_resume(film: Path) -> None:
    with Edge({HALL: on(film, enabled=False)}) as edge:
        until(lambda: edge.link.states(HALL) == ["paused"])
        edge.command(HALL, "resume")
        until(lambda: "live" in edge.link.states(HALL))


def test_more_cameras_than_a_batch_all_have_their_turn(film: Path) -> None:
    names = [CameraId(f"c{number}") for number in range(5)]
    detector, embedder = BrightnessDetector(), MeanColourEmbedder()
    cameras = Cameras({name: on(film) for name in names}, detector=detector, embedders=Embedders(embedder))
    cameras.start()
    seen: set[CameraId] = set()

    def all_seen() -> bool:
        work = cameras.next_frames(2, wait_s=0.1)
        assert len(work) <= 2
        seen.update(frame.camera_id for _, frame in work)
        return seen == set(names)

    until(all_seen)
    cameras.stop()


class BatchDetector(BrightnessDetector):
    batch_limit = 4


def first_batch(cameras: Cameras) -> list[CameraId]:
    """The cameras whose frames come together first."""
    cameras.start()
    found: list[CameraId] = []

    def came() -> bool:
        found.extend(frame.camera_id for _, frame in cameras.next_frames(8, wait_s=0.1))
        return bool(found)

    until(came)
    cameras.stop()
    return sorted(found)


def test_a_frame_waits_for_other_cameras_where_the_detector_gains_by_it(film: Path) -> None:
    films = {CameraId(f"c{number}"): on(film) for number in range(3)}
    cameras = Cameras(films, detector=BatchDetector(), embedders=Embedders(MeanColourEmbedder()), batch_latency_s=10.0)
    assert first_batch(cameras) == sorted(films)


def test_a_frame_waits_for_nobody_where_the_detector_takes_one_at_a_time(film: Path) -> None:
    films = {HALL: on(film), CameraId("dark"): on(film, enabled=False)}
    cameras = Cameras(
        films, detector=BrightnessDetector(), embedders=Embedders(MeanColourEmbedder()), batch_latency_s=10_000.0
    )
    assert first_batch(cameras) == [HALL]


def test_settings_are_merged_and_checked() -> None:
    before = CameraSettings(url="a.mp4", fps=3.0)
    after = changed_settings(HALL, before, {"min_person_height": 80})
    assert (after.url, after.fps, after.min_person_height) == ("a.mp4", 3.0, 80)
    assert only_region_changed(before, after)
    assert not only_region_changed(before, changed_settings(HALL, before, {"fps": 2.0}))
    with pytest.raises(ConfigError, match="url"):
        changed_settings(HALL, None, {"fps": 2.0})
    with pytest.raises(ConfigError, match="fps"):
        changed_settings(HALL, before, {"fps": -1.0})


def test_previews_are_bounded_in_time_rate_and_size() -> None:
    previews = Previews()
    frame = Frame(HALL, 1, 1, Clock(source="file", error_ns=0), picture(1))
    assert previews.preview(frame, (), now=0.0) is None
    previews.ask(HALL, 10, now=0.0)
    assert previews.preview(frame, (), now=0.0) is not None
    assert previews.preview(frame, (), now=0.1) is None
    assert previews.preview(frame, (), now=9.0) is not None
    assert previews.preview(frame, (), now=10.0) is None
    previews.ask(HALL, 10, now=20.0)
    previews.ask(HALL, 0, now=21.0)
    assert previews.preview(frame, (), now=21.0) is None


def test_full_previews_are_as_large_as_the_picture_and_rarer() -> None:
    previews = Previews()
    wide = Frame(HALL, 1, 1, Clock(source="file", error_ns=0), np.zeros((1080, 1920, 3), np.uint8))
    box = [(TrackletId(3), np.array([10.0, 100.0, 201.0, 900.0], np.float32))]
    previews.ask(HALL, 10, now=0.0)
    previews.ask(HALL, 10, now=0.0, full=True)
    preview = previews.preview(wide, box, now=0.0)
    assert preview is not None
    assert size_of(preview) == (1920, 1080)
    assert preview.people == [Marked(tracklet_id=TrackletId(3), box_xyxy=(10.0, 100.0, 201.0, 900.0))]
    assert previews.preview(wide, (), now=0.5) is None
    previews.ask(HALL, 10, now=0.6)
    small = previews.preview(wide, (), now=0.6)
    assert small is not None
    assert size_of(small) == (960, 540)


def test_a_full_preview_that_no_message_could_carry_is_a_small_one() -> None:
    previews = Previews()
    previews.ask(HALL, 10, now=0.0, full=True)
    snow = np.random.default_rng(0).integers(0, 256, (3840, 3840, 3), np.uint8)
    preview = previews.preview(Frame(HALL, 1, 1, Clock(source="file", error_ns=0), snow), (), now=0.0)
    assert preview is not None
    assert size_of(preview) == (960, 960)


def size_of(preview: Preview) -> tuple[int, int]:
    height, width = cv2.imdecode(np.frombuffer(preview.jpeg, np.uint8), cv2.IMREAD_COLOR).shape[:2]
    return width, height


def test_people_are_marked_where_they_are_in_the_preview_which_may_be_smaller() -> None:
    previews = Previews()
    previews.ask(HALL, 10, now=0.0)
    wide = Frame(HALL, 1, 1, Clock(source="file", error_ns=0), np.zeros((1080, 1920, 3), np.uint8))
    people = [(TrackletId(3), np.array([-8.0, 100.0, 201.0, 900.0], np.float32))]
    preview = previews.preview(wide, people, now=0.0)
    assert preview is not None
    assert cv2.imdecode(np.frombuffer(preview.jpeg, np.uint8), cv2.IMREAD_COLOR).shape == (540, 960, 3)
    assert preview.people == [Marked(tracklet_id=TrackletId(3), box_xyxy=(0.0, 50.0, 100.5, 450.0))]

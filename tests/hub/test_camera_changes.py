"""Cameras attached, edited, paused and removed while hub and edges run, and pictures for whoever watches."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from hub.camera_changes import choose
from hub.camera_news import CameraNews, read_news, wait_for_news
from hub.live_pictures import LivePictures, picture, watch
from hub.reader import SiteReader
from passerby.config import Site, load_site
from passerby.config.attaching import attach, edit, remove
from passerby.errors import DataError, StoreError
from passerby.ids import BootId, CameraId, EdgeId, ModelId
from passerby.messages import CameraCommand, HubMessage, Preview
from passerby.transport import ConnectedEdge
from tests.edge.footage import textured_picture, write_film
from tests.hub.live_site import PATIENCE_S, running_edge, running_hub
from tests.system.processes import free_port

HALL, DOOR = CameraId("hall"), CameraId("door")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(tmp_path_factory.mktemp("film") / "f.mp4", frames=45, draw=textured_picture)


@pytest.fixture
def site(tmp_path: Path, film: Path) -> Site:
    file = tmp_path / "site.yaml"
    file.write_text(
        f"site: test\ndata: data\nhub: {{listen: 'tcp://127.0.0.1:{free_port()}'}}\n"
        f"defaults: {{fps: 10}}\ncameras: {{hall: {{url: {film}}}}}\n"
    )
    return load_site(file)


def news_of(site: Site, camera_id: CameraId, changed_at_ns: int) -> CameraNews:
    news = wait_for_news(
        site.data, camera_id, changed_at_ns=changed_at_ns, timeout_s=PATIENCE_S, keep_waiting=lambda: True
    )
    assert news is not None
    return news


def until(condition: Callable[[], object], *, timeout_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.02)


def seen_by(site: Site, camera_id: CameraId) -> int:
    try:
        with SiteReader(site.data) as reader:
            return sum(tracklet.camera_id == camera_id for tracklet in reader.tracklets())
    except StoreError:
        return 0


def state_of(site: Site, camera_id: CameraId) -> str:
    with SiteReader(site.data) as reader:
        return next((one.status.state for one in reader.cameras() if one.status.camera_id == camera_id), "")


def test_a_camera_is_attached_changed_and_removed_while_all_runs(site: Site, film: Path) -> None:
    with running_hub(site), running_edge(site) as cameras:
        until(lambda: state_of(site, HALL) == "live")
        saved = attach(site, DOOR, {"url": str(film), "fps": 10.0})
        news = news_of(site, DOOR, saved.changed_at_ns)
        assert (news.progress, news.edges) == ("taken", ["edge"])
        until(lambda: seen_by(site, DOOR))

        saved = edit(site, DOOR, {"enabled": False})
        assert news_of(site, DOOR, saved.changed_at_ns).progress == "taken"
        until(lambda: state_of(site, DOOR) == "paused")
        saved = edit(site, DOOR, {"enabled": True})
        assert news_of(site, DOOR, saved.changed_at_ns).progress == "taken"
        until(lambda: state_of(site, DOOR) in ("live", "ended"))

        saved = edit(site, HALL, {"enabled": False})
        assert news_of(site, HALL, saved.changed_at_ns).progress == "taken"
        until(lambda: state_of(site, HALL) == "paused")

        saved = remove(site, DOOR)
        assert news_of(site, DOOR, saved.changed_at_ns).progress == "taken"
        until(lambda: cameras.ids == [HALL])
        assert seen_by(site, DOOR), "whom it has seen stays known"


def test_both_may_be_away_and_start_anew(site: Site, film: Path) -> None:
    attach(site, DOOR, {"url": str(film), "fps": 10.0})
    with running_edge(site) as cameras:
        assert cameras.ids == [DOOR, HALL], "taken by the start"
        with running_hub(site):
            until(lambda: state_of(site, DOOR) in ("live", "ended"))
        saved = edit(site, DOOR, {"fps": 5.0})
        removed = remove(site, HALL)
        with running_hub(site):
            assert news_of(site, DOOR, saved.changed_at_ns).progress == "taken"
            assert news_of(site, HALL, removed.changed_at_ns).progress == "taken"
            until(lambda: cameras.ids == [DOOR])
    with running_hub(site), running_edge(site) as cameras:
        assert news_of(site, DOOR, saved.changed_at_ns).progress == "taken"
        assert cameras.ids == [DOOR]


def test_a_camera_goes_to_the_edge_that_may_speak_for_it(site: Site, film: Path) -> None:
    with running_hub(site), running_edge(site, name="edge-hall", may=["hall"]) as first:
        until(lambda: state_of(site, HALL) == "live")
        saved = attach(site, DOOR, {"url": str(film)})
        news = news_of(site, DOOR, saved.changed_at_ns)
        assert news.progress == "waiting"
        assert "no edge that is here may speak for camera door" in news.reason
        with running_edge(site, name="gate", may=["door"]) as second:
            until(lambda: read_news(site.data)[DOOR].progress == "taken")
            assert (first.ids, second.ids) == ([HALL], [DOOR])
        until(lambda: read_news(site.data)[DOOR].progress == "waiting")
        assert read_news(site.data)[DOOR].reason == "edge gate, whose camera it is, is not here"
        assert first.ids == [HALL]


def test_a_site_may_begin_with_no_camera_at_all(site: Site, film: Path) -> None:
    bare = msgspec.structs.replace(site, cameras={})
    with running_hub(bare), running_edge(bare) as cameras:
        assert cameras.ids == []
        saved = attach(bare, DOOR, {"url": str(film), "fps": 10.0})
        assert news_of(bare, DOOR, saved.changed_at_ns).progress == "taken"
        until(lambda: seen_by(bare, DOOR))


def test_what_an_edge_refuses_is_told(site: Site, film: Path) -> None:
    with running_hub(site), running_edge(site):
        until(lambda: state_of(site, HALL) == "live")
        saved = edit(site, HALL, {"fps": 8.0})
        assert news_of(site, HALL, saved.changed_at_ns).progress == "taken"
        file = site.data / "cameras" / "hall.yaml"  # as a later version may write it
        file.write_text(file.read_text().replace(str(saved.changed_at_ns), "7").replace("fps: 8.0", "colour: red"))
        news = news_of(site, HALL, 7)
        assert (news.progress, "colour" in news.reason) == ("refused", True)


def test_pictures_appear_while_somebody_watches_and_vanish_afterwards(site: Site, film: Path) -> None:
    long_film = write_film(film.with_name("long.mp4"), frames=200, draw=lambda number: textured_picture(number % 45))
    edit(site, HALL, {"url": str(long_film)})
    with running_hub(site, watched_s=1.5), running_edge(site):
        until(lambda: state_of(site, HALL) == "live")
        assert picture(site.data, HALL) is None
        taken: set[int] = set()

        def watched() -> bool:
            watch(site.data, [HALL, DOOR])
            found = picture(site.data, HALL)
            if found is not None:
                assert found.jpeg[:2] == b"\xff\xd8"
                assert abs(time.time_ns() - found.captured_at_ns) < 60 * 10**9
                taken.add(found.captured_at_ns)
            return len(taken) >= 3

        until(watched)
        assert picture(site.data, DOOR) is None
        until(lambda: picture(site.data, HALL) is None)
        until(lambda: not list((site.data / "live").glob("*.watch")))


class SilentPort:
    """Takes what is sent, and has one edge."""

    def __init__(self, *edges: ConnectedEdge) -> None:
        self.here = list(edges)
        self.sent: list[tuple[EdgeId, HubMessage]] = []

    def edges(self) -> list[ConnectedEdge]:
        return self.here

    def send(self, edge_id: EdgeId, message: HubMessage) -> bool:
        self.sent.append((edge_id, message))
        return True


EDGE = ConnectedEdge(
    edge_id=EdgeId("edge"),
    boot_id=BootId(bytes(16)),
    address="127.0.0.1",
    software="test",
    cameras=(HALL,),
    model_id=ModelId("m@1"),
    camera_models={},
    connected_at_ns=1,
    last_heard_ns=1,
    clock_offset_ns=None,
    window=64,
    unsettled=0,
)


def test_a_folder_that_cannot_be_written_costs_the_pictures_and_nothing_else(tmp_path: Path, caplog) -> None:
    watch(tmp_path, [HALL])
    (tmp_path / "live" / ".hall.picture.new").mkdir()  # what is written first cannot be
    port = SilentPort(EDGE)
    with LivePictures(tmp_path, port) as pictures:
        until(lambda: port.sent)
        assert isinstance(port.sent[0][1], CameraCommand)
        pictures.take(Preview(camera_id=HALL, captured_at_ns=5, jpeg=b"\xff\xd8"), EDGE.boot_id)
        until(lambda: "live pictures cannot be kept" in caplog.text)
        (tmp_path / "live" / ".hall.picture.new").rmdir()
        pictures.take(Preview(camera_id=HALL, captured_at_ns=6, jpeg=b"\xff\xd8"), EDGE.boot_id)
        until(lambda: (kept := picture(tmp_path, HALL)) is not None and kept.captured_at_ns == 6)
    assert picture(tmp_path, HALL) is None


def test_pictures_in_the_cameras_own_size_are_asked_for_at_once_and_only_as_long_as_they_are_wished(
    tmp_path: Path,
) -> None:
    port = SilentPort(EDGE)

    def wished() -> list[object]:
        return [sent.settings.get("full") for _, sent in port.sent if isinstance(sent, CameraCommand)]

    watch(tmp_path, [HALL])
    with LivePictures(tmp_path, port, watched_s=1.0):
        until(lambda: wished() == [None])
        watch(tmp_path, [HALL], full=True)
        until(lambda: wished() == [None, True])
        deadline = time.monotonic() + 20
        while wished() != [None, True, None]:
            assert time.monotonic() < deadline, wished()
            watch(tmp_path, [HALL])
            time.sleep(0.05)


@pytest.mark.parametrize("name", ["../x", "", ".watch", "a/b"])
def test_names_that_are_none_reach_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="not a camera's name"):
        watch(tmp_path, [CameraId(name)])
    with pytest.raises(DataError, match="not a camera's name"):
        picture(tmp_path, CameraId(name))


def test_who_gets_a_new_camera() -> None:
    few = replace(EDGE, edge_id=EdgeId("few"), cameras=())
    other = replace(EDGE, edge_id=EdgeId("other"), cameras=(HALL, DOOR))
    everybody = {EDGE.edge_id, few.edge_id, other.edge_id}
    assert choose(DOOR, [EDGE, few, other], allowed=everybody) == "other"
    assert choose(CameraId("yard"), [EDGE, few, other], allowed=everybody) == "few"
    assert choose(DOOR, [EDGE, few, other], allowed={EDGE.edge_id}) == "edge"
    assert choose(DOOR, [EDGE], allowed=set()) is None
    assert choose(DOOR, [], allowed=everybody) is None


def test_a_command_does_not_show_its_settings() -> None:
    command = CameraCommand(
        command_id=1, camera_id=HALL, action="attach", settings={"url": "rtsp://u:s3c@h/x", "fps": 2.0}
    )
    assert repr(command) == "CameraCommand(1, hall, attach, ['fps', 'url'])"
    assert msgspec.to_builtins(command)["settings"]["fps"] == 2.0

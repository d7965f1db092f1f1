"""Which cameras are told of: a return at once, an absence once it has lasted, each once."""

from hypothesis import given
from hypothesis import strategies as st

from hub.outgoing.camera_watch import HOLD_NS, SILENT_NS, CameraWatch, cameras_now
from hub.outgoing.news import CameraNews
from hub.reader import StoredStatus
from passerby.ids import CameraId
from passerby.messages import CameraStatus

HALL, YARD = CameraId("hall"), CameraId("yard")


def stored(state: str, *, at_ns: int = 0, detail: str = "") -> StoredStatus:
    status = CameraStatus(
        camera_id=HALL,
        state=state,  # type: ignore[arg-type]
        detail=detail,
        expected_fps=5.0,
        achieved_fps=4.96,
        frames=100,
    )
    return StoredStatus(status, "edge", at_ns)


def test_a_camera_is_online_while_its_pictures_come_and_its_edge_says_so() -> None:
    live = cameras_now([stored("live")], [HALL, YARD], now_ns=SILENT_NS)
    assert (live[HALL].online, live[HALL].fps, live[HALL].health) == (True, 5.0, "excellent")
    assert (live[YARD].online, live[YARD].state, live[YARD].health) == (False, "unknown", None)
    assert cameras_now([stored("live")], [HALL], now_ns=SILENT_NS + 1)[HALL].state == "silent"
    failed = cameras_now([stored("failed", detail="rtsp://me:pw@10.0.0.5/a refuses")], [HALL], now_ns=0)[HALL]
    assert (failed.online, failed.fps, failed.detail) == (False, 0.0, "rtsp://***@10.0.0.5/a refuses")
    assert cameras_now([stored("paused")], [HALL], now_ns=10 * SILENT_NS)[HALL].state == "paused"
    assert list(cameras_now([stored("live")], [], now_ns=0)) == []


def looks(states: list[bool], *, step_ns: int) -> list[bool]:
    watch, told = CameraWatch(), []
    for number, online in enumerate(states):
        news = CameraNews(camera=HALL, online=online, state="", detail="", fps=0, expected_fps=0, health=None)
        watch, some = watch.after({HALL: news}, now_ns=number * step_ns)
        told += [one.online for one in some]
    return told


def test_a_short_absence_is_not_told_of_a_long_one_once_and_its_end() -> None:
    step = HOLD_NS // 2
    assert looks([True, False, False, True, False, True], step_ns=step) == []
    assert looks([True, False, False, False, False, False, True, True], step_ns=step) == [False, True]
    assert looks([False, False, False], step_ns=step) == [False]  # it never came


@given(st.lists(st.booleans(), max_size=60))
def test_absences_and_returns_are_told_by_turns(states: list[bool]) -> None:
    told = looks(states, step_ns=HOLD_NS // 3)
    assert told == [bool(number % 2) for number in range(len(told))]


def test_a_camera_that_was_removed_is_forgotten() -> None:
    gone = cameras_now([], [HALL], now_ns=0)
    watch, _ = CameraWatch().after(gone, now_ns=0)
    watch, told = watch.after(gone, now_ns=HOLD_NS)
    assert [news.camera for news in told] == [HALL]
    watch, told = watch.after({}, now_ns=HOLD_NS + 1)
    assert (watch.offline, list(watch.since), list(told)) == (frozenset(), [], [])

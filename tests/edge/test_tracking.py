"""Who is who from frame to frame."""

import numpy as np
import pytest

from edge.returns import LastSeen, doubtful_returns
from edge.takeovers import Seen, takeovers
from edge.tracking import UNTRACKED, CameraTracker
from passerby.arrays import Detections
from passerby.config import CameraSettings
from tests.edge.engines import people

MS = 1_000_000
TRACKERS = pytest.mark.parametrize("tracker", ["bytetrack", "ocsort"])


def settings(tracker: str = "bytetrack", **changes: object) -> CameraSettings:
    return CameraSettings(url="x", tracker=tracker, **changes)


def tracker_of(camera: CameraSettings) -> CameraTracker:
    return CameraTracker(camera, fps=5, min_confidence=0.5)


def walk(x: float) -> list[float]:
    return [x, 100, x + 60, 300]


@TRACKERS
def test_a_walker_keeps_one_key_from_the_second_sighting_on(tracker: str) -> None:
    tracking = tracker_of(settings(tracker))
    tracks = [tracking.update(people(walk(20 * i)), i * 200 * MS) for i in range(20)]
    assert tracks[0].keys.tolist() == [UNTRACKED]
    assert {key for track in tracks[1:] for key in track.keys.tolist()} == {1}
    assert tracks[1].previous_rows.tolist() == [0]
    assert tracks[2].previous_rows.tolist() == [-1]


@TRACKERS
def test_two_cameras_count_their_own(tracker: str) -> None:
    first, second = (
        tracker_of(settings(tracker)),
        tracker_of(settings(tracker)),
    )
    for i in range(4):
        assert (
            first.update(people(walk(5 * i)), i * 200 * MS).keys.tolist()
            == second.update(people(walk(5 * i)), i * 200 * MS).keys.tolist()
        )


def test_a_low_confidence_prolongs_a_track_but_starts_none() -> None:
    tracking = tracker_of(settings())
    for i in range(4):
        assert tracking.update(people(walk(0), confidence=0.35), i * 200 * MS).keys.tolist() == [UNTRACKED]
    tracking.update(people(walk(0)), 800 * MS)
    tracking.update(people(walk(0)), 1000 * MS)
    assert tracking.update(people(walk(0), confidence=0.35), 1200 * MS).keys.tolist() == [1]


def test_time_and_not_the_frame_count_ends_a_track() -> None:
    for gap_ms, same in ((1500, True), (4000, False)):
        tracking = tracker_of(settings(lost_after_s=2.0))
        for i in range(4):
            tracking.update(people(walk(0)), i * 200 * MS)
        keys = tracking.update(people(walk(0)), (600 + gap_ms) * MS).keys.tolist()
        assert (keys == [1]) == same


@TRACKERS
def test_times_that_stand_still_or_run_backwards_are_survived(tracker: str) -> None:
    tracking = tracker_of(settings(tracker))
    for at_ms in (0, 200, 200, 100, 300):
        tracks = tracking.update(people(walk(0)), at_ms * MS)
    assert tracks.keys.tolist() == [1]


@TRACKERS
def test_nobody_and_huge_boxes_are_survived(tracker: str) -> None:
    tracking = tracker_of(settings(tracker))
    assert tracking.update(Detections.empty(), 0).keys.shape == (0,)
    for i in range(1, 4):
        tracking.update(people([0, 0, 1e6, 1e6], walk(0)), i * 200 * MS)
    assert tracking.update(Detections.empty(), 1000 * MS).keys.shape == (0,)


@TRACKERS
def test_many_duplicates_of_one_box_get_a_key_each_at_most(tracker: str) -> None:
    tracking = tracker_of(settings(tracker))
    for i in range(5):
        keys = tracking.update(people(walk(0), walk(0), walk(0)), i * 200 * MS).keys
    tracked = keys[keys != UNTRACKED]
    assert len(set(tracked.tolist())) == len(tracked)


def seen(box: list[float], *, confidence: float = 0.9, sightings: int = 10) -> Seen:
    return Seen(np.array(box, np.float32), confidence, sightings)


def test_the_one_in_front_who_vanishes_into_anothers_box_was_taken_over() -> None:
    before = {1: seen([100, 80, 160, 260]), 2: seen([90, 100, 190, 340])}
    now = {1: seen([95, 90, 185, 335])}
    assert takeovers(before, now, min_confidence=0.5) == [(2, 1)]


@pytest.mark.parametrize(
    ("lost", "why"),
    [
        (seen([100, 80, 160, 250]), "stood behind: it is natural to vanish there"),
        (seen([300, 100, 400, 340]), "was somewhere else"),
        (seen([90, 100, 190, 340], confidence=0.4), "was never sure"),
        (seen([90, 100, 190, 340], sightings=2), "was hardly seen"),
    ],
)
def test_no_takeover_if_the_lost_one(lost: Seen, why: str) -> None:
    before = {1: seen([100, 80, 160, 260]), 2: lost}
    assert takeovers(before, {1: seen([95, 90, 185, 335])}, min_confidence=0.5) == [], why


def test_after_a_takeover_both_go_on_under_new_keys() -> None:
    tracking = tracker_of(settings())
    back, front = [400, 80, 520, 500], [400, 220, 560, 720]
    for i in range(6):
        keys = tracking.update(people(back, front), i * 200 * MS).keys.tolist()
    assert sorted(keys) == [1, 2]
    merged = [tracking.update(people([402, 100, 530, 560]), (1200 + i * 200) * MS).keys.tolist() for i in range(3)]
    assert merged == [[3], [3], [3]]


LOST = np.array(walk(100), np.float32)
RETURNED = np.array(walk(120), np.float32)
BESIDE = np.array(walk(170), np.float32)
FAR = np.array(walk(500), np.float32)


@pytest.mark.parametrize(
    ("other", "last_ms", "doubtful"),
    [
        (BESIDE, 2000, True),
        (BESIDE, 700, True),
        (BESIDE, 400, False),
        (FAR, 2000, False),
        (np.array([120, 0, 160, 150], np.float32), 2000, False),
    ],
    ids=["beside now", "lost a moment before", "gone long before", "elsewhere", "farther back"],
)
def test_a_return_is_doubtful_with_somebody_near(other: np.ndarray, last_ms: int, doubtful: bool) -> None:
    last = {1: LastSeen(LOST, 1000 * MS), 2: LastSeen(other, last_ms * MS)}
    now = {1: RETURNED, 2: other} if last_ms == 2000 else {1: RETURNED}
    assert doubtful_returns(last, now, at_ns=2000 * MS, unseen_ns=300 * MS) == ([1] if doubtful else [])


def test_a_return_after_a_moment_is_not_doubtful_and_neither_is_that_of_somebody_new() -> None:
    last = {1: LastSeen(LOST, 1800 * MS), 2: LastSeen(BESIDE, 1900 * MS)}
    now = {1: RETURNED, 2: BESIDE, 3: FAR}
    assert doubtful_returns(last, now, at_ns=2000 * MS, unseen_ns=300 * MS) == []


@TRACKERS
@pytest.mark.parametrize(("companions", "key"), [([walk(60)], 3), ([], 1)], ids=["beside somebody", "alone"])
def test_who_comes_back_goes_on_only_if_alone(tracker: str, companions: list[list[float]], key: int) -> None:
    tracking = tracker_of(settings(tracker))
    for i in range(4):
        tracking.update(people(*companions, walk(0)), i * 200 * MS)
    for i in range(4, 8):
        tracking.update(people(*companions) if companions else Detections.empty(), i * 200 * MS)
    found = [tracking.update(people(*companions, walk(0)), i * 200 * MS).keys.tolist() for i in range(8, 10)]
    assert [keys[-1] for keys in found] == [key, key]


def test_where_nothing_is_to_be_cut_everybody_who_comes_back_goes_on() -> None:
    tracking = tracker_of(settings(cut_id_switches=False))
    for i in range(10):
        tracks = tracking.update(people(walk(60), *([] if 4 <= i < 8 else [walk(0)])), i * 200 * MS)
    assert tracks.keys[-1] == 2

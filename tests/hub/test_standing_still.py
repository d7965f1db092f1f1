"""What never moves is found, by a short look and by tracklets of a long time, and masked by its feet."""

import contextlib
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge.zones import Region
from hub.listing import Listing
from hub.reader import SiteReader
from hub.site_hub import Hub
from hub.standing_still import Still, _overlaps, stands_in, stands_still, stood_still
from passerby.arrays import Detections
from passerby.config import CameraSettings
from passerby.ids import CameraId
from tests.hub.people import Sender, at, seen

POSTER = np.array([0.1, 0.2, 0.2, 0.8])
WALK = np.array([[0.3 + 0.05 * step, 0.2, 0.4 + 0.05 * step, 0.8] for step in range(8)])


def jittered(box: np.ndarray, count: int, *, by: float = 0.004) -> np.ndarray:
    """The box as a detector sees it again and again."""
    return box + np.random.default_rng(5).uniform(-by, by, (count, 4))


def counts(box: np.ndarray, still: Still) -> bool:
    """Whether the edge still takes a box for a person where the proposal is a mask."""
    region = Region(CameraSettings(url="rtsp://h/x", masks=[still.polygon], min_person_height=8))
    seen = Detections((box[None] * 1000).astype(np.float32), np.ones(1, np.float32))
    return bool(region.watched(seen, width=1000, height=1000)[0])


def test_a_short_look_finds_the_poster_and_not_who_walks_by() -> None:
    looks = [
        np.stack([poster, step]).astype(np.float32) for poster, step in zip(jittered(POSTER, 8), WALK, strict=True)
    ]
    (still,) = stood_still(looks)
    assert still.times == 8
    assert not counts(POSTER, still)
    assert all(counts(step, still) for step in WALK)


def test_a_look_too_short_or_at_nobody_says_nothing() -> None:
    assert stood_still([]) == []
    assert stood_still([POSTER[None].astype(np.float32)] * 3) == []
    assert stood_still([np.empty((0, 4), np.float32)] * 9) == []


def test_of_many_tracklets_those_that_never_moved_are_one_place() -> None:
    posters = [jittered(POSTER, 5, by=0.003) for _ in range(4)]
    other = jittered(POSTER + np.array([0.5, 0, 0.5, 0]), 5)
    found = stands_still([*posters, WALK, other], [30.0, 40.0, 50.0, 5.0, 600.0, 61.0])
    assert [(one.times, one.seconds) for one in found] == [(4, 125.0), (1, 61.0)]
    assert not counts(POSTER, found[0])


def test_who_rested_for_less_than_a_minute_is_let_alone() -> None:
    assert stands_still([jittered(POSTER, 5)], [59.0]) == []
    assert stands_still([], []) == []
    assert stands_still([np.empty((0, 4))], [90.0]) == []


def test_by_what_a_hub_has_stored_it_is_found_in_its_own_camera_alone(tmp_path: Path) -> None:
    sender = Sender()
    with Hub.open(tmp_path) as hub:  # everybody of these tests stands on one spot of 640 x 480 pixels
        told = [("hall", 0, 45), ("hall", 50, 95), ("lobby", 0, 40)]
        for number, (camera, begin, end) in enumerate(told):
            update = seen(number, camera, tracklet=number, begin_s=begin, end_s=end, final=True)
            hub.ingest(sender.send(update), now_ns=at(end))
    with SiteReader(tmp_path) as reader, contextlib.closing(Listing(tmp_path)) as listing:
        (still,) = stands_in(reader, listing, CameraId("hall"))
        assert stands_in(reader, listing, CameraId("lobby")) == []
    assert (still.times, still.seconds) == (2, 90.0)
    assert np.allclose(still.box_xyxy, (10 / 640, 20 / 480, 60 / 640, 180 / 480), atol=1e-4)
    assert not counts(np.array([10 / 640, 20 / 480, 60 / 640, 180 / 480]), still)


@given(st.lists(st.tuples(*[st.floats(0, 1)] * 4), min_size=1, max_size=6))
def test_overlap_is_that_of_plain_arithmetic(corners: list[tuple[float, float, float, float]]) -> None:
    boxes = np.array([(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in corners])

    def plainly(one: np.ndarray, two: np.ndarray) -> float:
        wide = max(0.0, min(one[2], two[2]) - max(one[0], two[0]))
        tall = max(0.0, min(one[3], two[3]) - max(one[1], two[1]))
        areas = (one[2] - one[0]) * (one[3] - one[1]) + (two[2] - two[0]) * (two[3] - two[1])
        return wide * tall / max(areas - wide * tall, 1e-12)

    assert np.allclose(_overlaps(boxes[0], boxes), [plainly(boxes[0], box) for box in boxes])

"""Where a tracklet was: the same path however its sightings came, also when it was let go of in between."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path as Folder

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.database.deferred import DeferredStorage
from hub.database.storage import DatabaseStorage
from hub.paths import NOWHERE, PACED, STEP_NS, Path, paces
from hub.rehearsal import MemoryStorage
from hub.site_hub import Hub
from hub.state import PATHS_KEPT_NS
from hub.storage import Storage
from passerby.ids import TrackletId
from passerby.messages import Observations
from tests.hub.fingerprint import fingerprint
from tests.hub.people import BOOT, MODEL, SECOND, Sender, at, seen

HEIGHT = 480


def sightings(times_ns: list[int], bottoms: list[float] | None = None) -> Observations:
    """Boxes 60 px wide and 150 px high, each a little further right, ending at `bottoms`."""
    count = len(times_ns)
    left = np.arange(count, dtype=np.float32)
    bottom = np.full(count, 200.0) if bottoms is None else np.array(bottoms)
    boxes = np.stack([left, bottom - 150, left + 60, bottom], axis=1).astype(np.float32)
    return Observations(np.arange(count) + 1, np.array(times_ns, np.int64), boxes, np.ones(count, np.float32))


def part(whole: Observations, begin: int, end: int) -> Observations:
    return Observations(
        whole.frame_numbers[begin:end],
        whole.captured_at_ns[begin:end],
        whole.boxes_xyxy[begin:end],
        whole.confidence[begin:end],
    )


def same(first: Path, second: Path) -> bool:
    names = ("at_ns", "feet", "heights", "cut")
    return all(getattr(first, name).tobytes() == getattr(second, name).tobytes() for name in names)


# Also twice the same time, and times that run backwards, as when a clock is set.
TIMES = st.lists(st.integers(0, 12 * STEP_NS), max_size=30)


@settings(max_examples=300, deadline=None)
@given(times=TIMES | TIMES.map(sorted), cuts=st.lists(st.integers(0, 30), max_size=6), seed=st.integers(0, 99))
def test_however_sightings_are_cut_into_pieces_the_path_is_the_same(
    times: list[int], cuts: list[int], seed: int
) -> None:
    bottoms = np.random.default_rng(seed).uniform(300, 500, len(times)).tolist()
    whole = sightings(times, bottoms)
    bounds = [0, *sorted(cuts), len(times)]
    piece_by_piece = NOWHERE
    for begin, end in itertools.pairwise(bounds):
        piece_by_piece = piece_by_piece.extended(part(whole, begin, end), frame_height=HEIGHT)
    assert same(piece_by_piece, NOWHERE.extended(whole, frame_height=HEIGHT))


@settings(max_examples=100, deadline=None)
@given(times=TIMES.filter(bool))
def test_the_path_has_the_first_of_each_half_second_and_the_last_of_all(times: list[int]) -> None:
    path = NOWHERE.extended(sightings(times), frame_height=HEIGHT)
    firsts = {min(t for t in times if t // STEP_NS == step) for step in {t // STEP_NS for t in times}}
    assert set(path.at_ns.tolist()) == firsts | {max(times)}
    assert (np.diff(path.at_ns) >= 0).all()


def test_feet_are_in_the_middle_of_the_box_s_lower_edge_and_cut_at_the_picture_s() -> None:
    path = NOWHERE.extended(sightings([0, STEP_NS], [200.0, 478.0]), frame_height=HEIGHT)
    assert path.feet.tolist() == [[30.0, 200.0], [31.0, 478.0]]
    assert path.heights.tolist() == [150.0, 150.0]
    assert path.cut.tolist() == [False, True]


def test_where_the_picture_s_size_changes_the_latest_one_counts_for_all() -> None:
    path = NOWHERE.extended(sightings([0, STEP_NS], [200.0, 478.0]), frame_height=HEIGHT)
    assert path.extended(Observations.empty(), frame_height=2 * HEIGHT).cut.tolist() == [False, False]


def test_no_sightings_no_path() -> None:
    assert NOWHERE.extended(Observations.empty(), frame_height=HEIGHT) is NOWHERE


@pytest.mark.parametrize("kind", ["database", "deferred", "memory"])
def test_a_tracklet_that_comes_back_after_its_path_was_let_go_of_has_all_of_it(tmp_path: Folder, kind: str) -> None:
    makers: dict[str, Callable[[], Storage]] = {
        "database": lambda: DatabaseStorage(tmp_path),
        "deferred": lambda: DeferredStorage(tmp_path),
        "memory": MemoryStorage,
    }
    sender, late_s = Sender(), PATHS_KEPT_NS / SECOND + 20
    with Hub.on(makers[kind]()) as hub:
        hub.ingest(sender.send(seen(1, tracklet=1, end_s=2)), now_ns=at(2))
        hub.ingest(sender.send(seen(2, tracklet=2, begin_s=late_s - 2, end_s=late_s)), now_ns=at(late_s))
        assert 1 not in hub.state.paths
        again = seen(1, tracklet=1, revision=2, begin_s=2.2, end_s=late_s)
        hub.ingest(sender.send(again), now_ns=at(late_s + 1))
        path = hub.state.paths[hub.state.find(BOOT, TrackletId(1)).number]  # type: ignore[union-attr]
        assert path.at_ns[0] == at(0)
        assert path.at_ns[-1] == at(late_s)
        before = fingerprint(hub.state)
    if kind != "memory":
        with Hub.open(tmp_path) as hub:
            assert fingerprint(hub.state) == before


def test_a_picture_that_changes_its_size_makes_no_difference_to_a_restart(tmp_path: Folder) -> None:
    sender = Sender()
    with Hub.open(tmp_path) as hub:
        hub.ingest(sender.send(replace(seen(1), frame_size=(320, 182))), now_ns=at(2))
        assert hub.state.paths[1].cut.all()  # type: ignore[index]
        quiet = replace(seen(1, revision=2), observations=Observations.empty(), frame_size=(640, 480))
        hub.ingest(sender.send(quiet), now_ns=at(3))
        assert not hub.state.paths[1].cut.any()  # type: ignore[index]
        before = fingerprint(hub.state)
    with Hub.open(tmp_path) as hub:
        assert fingerprint(hub.state) == before
        assert MODEL in hub.state.spaces


def pace_of(times_s: list[float], feet: list[tuple[float, float]], known: list[bool] | None = None) -> list[float]:
    at_ns = np.array([[round(t * SECOND) for t in times_s]], np.int64)
    found = paces(at_ns, np.array([feet]), np.array([known or [True] * PACED]))
    return [float(value) for value in found[0]]


def test_who_goes_straight_on_has_the_pace_that_they_go_at_from_either_end() -> None:
    times = [0.0, 0.4, 0.8, 1.2]
    feet = [(40 * t, -10 * t) for t in times]
    assert pace_of(times, feet) == pytest.approx([40, -10], rel=0.02)
    assert pace_of([-t for t in times], [(-x, -y) for x, y in feet]) == pytest.approx([40, -10], rel=0.02)


def test_a_pace_is_of_what_is_known_and_of_a_second_or_so() -> None:
    times = [0.0, 0.5, 1.0, 5.0]
    feet = [(0.0, 0.0), (5.0, 0.0), (10.0, 0.0), (900.0, 900.0)]
    assert pace_of(times, feet) == pytest.approx([10, 0], rel=0.03)
    assert pace_of(times, feet, [True, True, False, False]) == pytest.approx([10, 0], rel=0.1)
    assert pace_of(times, feet, [True, False, False, False]) == [0.0, 0.0]


def test_a_box_that_trembles_is_no_step() -> None:
    assert abs(pace_of([0.0, 0.05, 0.1, 0.15], [(0, 0), (3, 0), (0, 0), (3, 0)])[0]) < 10

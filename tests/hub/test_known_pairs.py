"""Pairs whose truth is known by place or by operators: honest ones, of two cameras, each tracklet once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.association.place import SAME_VIEW, Floor
from hub.association.topology import Topology
from hub.association.view_map import ViewMap
from hub.known_pairs import KnownPairs, known_pairs
from hub.paths import Path
from hub.records import Tracklet, TrackletNumber
from passerby.config import TransitSettings
from passerby.ids import BootId, CameraId, IdentityId, TrackletId
from tests.hub.people import MODEL, SECOND, START, look

EAST, WEST, YARD = CameraId("east"), CameraId("west"), CameraId("yard")
_HEIGHT = 100.0


class Scene:
    """Two views of one floor, which are the same picture, and a yard; people stand where they are put, in pixels."""

    def __init__(self) -> None:
        self.floor = Floor(maps={"east|west": ViewMap(there=SAME_VIEW, back=SAME_VIEW, spread=0.1)})
        self.topology = Topology()
        self.topology.tell(TransitSettings(before=EAST, after=YARD, overlap=False))
        self.tracklets: list[Tracklet] = []
        self.paths: dict[TrackletNumber, Path] = {}

    def see(
        self, camera: CameraId, x: float, *, begin_s: float = 0.0, end_s: float = 5.0, clock_error_s: float = 0.0
    ) -> TrackletNumber:
        """Somebody who stands at x."""
        number = TrackletNumber(len(self.tracklets) + 1)
        begin, end = (START + round(s * SECOND) for s in (begin_s, end_s))
        self.tracklets.append(
            Tracklet(
                number=number,
                boot_id=BootId(bytes(16)),
                tracklet_id=TrackletId(number),
                camera_id=camera,
                model_id=MODEL,
                started_at_ns=begin,
                ended_at_ns=end,
                revision=1,
                final=True,
                open=False,
                exemplars=3,
                quality=0.8,
                clock_source="file",
                clock_error_ns=round(clock_error_s * SECOND),
                frame_width=640,
                frame_height=480,
                identity_id=IdentityId(number),  # The hub has linked nobody: that is not asked.
                prototype=False,
                opened_at_ns=begin,
                updated_at_ns=end,
                embedding=look(number),
            )
        )
        at_ns = np.arange(begin, end + 1, SECOND // 2, dtype=np.int64)
        feet = np.tile(np.array([x, 400], np.float32), (len(at_ns), 1))
        heights = np.full(len(at_ns), _HEIGHT, np.float32)
        self.paths[number] = Path(at_ns, feet, heights, np.zeros(len(at_ns), bool))
        return number

    def found(self, *joined: tuple[TrackletNumber, TrackletNumber]) -> KnownPairs:
        return known_pairs(self.tracklets, paths=self.paths, floor=self.floor, topology=self.topology, joined=joined)

    def told(self, *joined: tuple[TrackletNumber, TrackletNumber]) -> tuple[set[frozenset[int]], set[frozenset[int]]]:
        """Genuine pairs and impostors, by the numbers of the tracklets."""
        found = self.found(*joined)
        return _numbered(found.genuine), _numbered(found.impostors)


def _numbered(pairs: np.ndarray) -> set[frozenset[int]]:
    return {frozenset((a + 1, b + 1)) for a, b in pairs.tolist()}


def pair(*numbers: int) -> frozenset[int]:
    return frozenset(numbers)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_who_stands_on_one_spot_is_one_person_and_who_stands_elsewhere_another(scene: Scene) -> None:
    """Two people, whom both cameras see."""
    scene.see(EAST, 100), scene.see(WEST, 100), scene.see(EAST, 500), scene.see(WEST, 500)
    assert scene.told() == ({pair(1, 2), pair(3, 4)}, {pair(2, 3), pair(1, 4)})


def test_where_two_could_be_the_one_neither_is_taken(scene: Scene) -> None:
    scene.see(EAST, 100), scene.see(WEST, 100), scene.see(WEST, 105)
    scene.see(EAST, 500), scene.see(WEST, 500)
    assert scene.told()[0] == {pair(4, 5)}


def test_who_was_lost_and_found_meanwhile_is_no_rival_of_himself(scene: Scene) -> None:
    scene.see(EAST, 100, end_s=9), scene.see(WEST, 100, end_s=4), scene.see(WEST, 100, begin_s=5, end_s=9)
    scene.see(WEST, 500, end_s=9)
    genuine, impostors = scene.told()
    assert genuine <= {pair(1, 2), pair(1, 3)}
    assert len(genuine) == 1
    assert impostors == {pair(1, 4)}


def test_a_moment_together_may_be_the_clocks_doing(scene: Scene) -> None:
    scene.see(EAST, 100, end_s=1.4), scene.see(WEST, 100), scene.see(WEST, 500)
    assert scene.told() == (set(), set())
    exact, unsure = Scene(), Scene()
    for one, error in ((exact, 0.0), (unsure, 3.0)):
        one.see(EAST, 100, end_s=4, clock_error_s=error), one.see(WEST, 100), one.see(WEST, 500)
    assert exact.told() == ({pair(1, 2)}, {pair(1, 3)})
    assert unsure.told() == (set(), set())


def test_whoever_was_seen_beside_one_of_a_pair_is_another_than_the_other(scene: Scene) -> None:
    """Also where their place tells nothing: it is never seen."""
    scene.see(EAST, 100), scene.see(WEST, 100)
    del scene.paths[scene.see(EAST, 300)]
    assert scene.told() == ({pair(1, 2)}, {pair(2, 3)})


def test_all_pairs_may_be_asked_for(scene: Scene) -> None:
    scene.see(EAST, 100, end_s=9), scene.see(WEST, 100, end_s=4), scene.see(WEST, 100, begin_s=5, end_s=9)
    scene.see(WEST, 500, end_s=9)
    found = known_pairs(scene.tracklets, paths=scene.paths, floor=scene.floor, topology=scene.topology, each_once=False)
    assert _numbered(found.genuine) == {pair(1, 2), pair(1, 3)}
    assert _numbered(found.impostors) == {pair(1, 4)}


def test_an_operators_merge_gives_pairs_of_two_cameras(scene: Scene) -> None:
    east, yard, again = scene.see(EAST, 100), scene.see(YARD, 0, begin_s=60, end_s=65), scene.see(EAST, 1, begin_s=80)
    scene.see(YARD, 9, begin_s=80, end_s=85)
    scene.see(EAST, 9, begin_s=80, end_s=85)
    assert scene.told() == (set(), set())  # views apart have impostors, which are nothing without genuine pairs
    assert scene.told((east, yard)) == ({pair(1, 2)}, {pair(4, 5)})
    assert scene.told((east, again)) == (set(), set())  # one camera
    assert scene.told((east, TrackletNumber(77))) == (set(), set())  # it has gone


def test_views_that_may_overlap_say_nothing_of_who_is_in_both(scene: Scene) -> None:
    scene.topology.tell(TransitSettings(before=EAST, after=YARD, overlap=True))
    east, yard = scene.see(EAST, 100), scene.see(YARD, 0, begin_s=60, end_s=65)
    scene.see(YARD, 9, begin_s=80, end_s=85), scene.see(EAST, 9, begin_s=80, end_s=85)
    assert scene.told((east, yard)) == (set(), set())


def test_nothing_comes_of_nobody_and_of_one(scene: Scene) -> None:
    assert scene.told() == (set(), set())
    assert scene.found().genuine.shape == scene.found().impostors.shape == (0, 2)
    scene.see(EAST, 100)
    assert scene.told() == (set(), set())


_SEEN = st.tuples(
    st.sampled_from([EAST, WEST, YARD]), st.sampled_from([100.0, 300.0, 500.0]), st.integers(0, 20), st.integers(1, 9)
)


@settings(max_examples=60)
@given(st.lists(_SEEN, max_size=14), st.data())
def test_pairs_are_of_two_cameras_of_one_kind_and_each_tracklet_is_once(
    seen: list[tuple[CameraId, float, int, int]], data: st.DataObject
) -> None:
    scene = Scene()
    for camera, x, begin, lasts in seen:
        scene.see(camera, x, begin_s=begin, end_s=begin + lasts)
    numbers = st.integers(1, max(len(seen), 1)).map(TrackletNumber)
    joined = data.draw(st.lists(st.tuples(numbers, numbers).filter(lambda two: two[0] != two[1]), max_size=3))
    if len(seen) < 2:
        joined = []
    found = scene.found(*joined)
    for kind in (found.genuine, found.impostors):
        assert len(np.unique(kind)) == kind.size
        for a, b in kind.tolist():
            assert scene.tracklets[a].camera_id != scene.tracklets[b].camera_id
    assert not _numbered(found.genuine) & _numbered(found.impostors)
    assert bool(len(found.genuine)) == bool(len(found.impostors)) == bool(found.cameras)

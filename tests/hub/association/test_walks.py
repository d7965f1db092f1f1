"""Many pairs in one pass are where each pair by itself is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.association.place import Floor
from hub.association.walks import Walks, evidence_of_pairs
from hub.paths import NOWHERE, Path
from passerby.ids import CameraId
from tests.hub.association.two_views import FIRST, SECOND_VIEW, learned, pairs

EAST, WEST, YARD = CameraId("east"), CameraId("west"), CameraId("yard")
SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def floor() -> Floor:
    """East and west overlap, the yard is elsewhere; in the west people stand close together."""
    found = Floor()
    found.maps["east|west"] = learned(pairs(np.random.default_rng(1), 200, wrong=0.3))
    for away in np.random.default_rng(2).uniform(0.0, 1.5, 80).tolist():
        found.spacing(WEST).learn(away)
    return found


def path(rng: np.random.Generator, camera: CameraId, *, count: int, first: int) -> Path:
    """Somebody about the middle of the floor, half a second from sighting to sighting, at times half out of view."""
    floor = rng.normal(0, 0.8, 2) + np.cumsum(rng.normal(0, 0.1, (count, 2)), axis=0)
    feet, heights = (SECOND_VIEW if camera == WEST else FIRST).project(floor)
    at_ns = (1 + first) * SECOND + np.cumsum(rng.integers(1, SECOND, count))
    return Path(at_ns.astype(np.int64), feet.astype(np.float32), heights.astype(np.float32), rng.random(count) < 0.1)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 7))
def test_each_pair_is_where_it_is_by_itself(floor: Floor, seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    cameras = [(EAST, WEST, YARD)[i] for i in rng.integers(3, size=n)]
    walked = [
        path(rng, camera, count=int(rng.choice([0, 1, 2, 8, 60])), first=int(rng.integers(12))) for camera in cameras
    ]
    asked = np.stack(np.divmod(np.arange(n * n), n), axis=1)
    found = evidence_of_pairs(floor, Walks.of(walked), asked, cameras=cameras)
    for (a, b), value in zip(asked.tolist(), found.tolist(), strict=True):
        alone = floor.evidence(walked[a], walked[b], cameras=(cameras[a], cameras[b]))
        assert value == pytest.approx(np.nan if alone is None else alone, abs=1e-9, nan_ok=True)
    for row in range(0, n * n, 3):
        one = evidence_of_pairs(floor, Walks.of(walked), asked[row : row + 1], cameras=cameras)
        np.testing.assert_array_equal(one, found[row : row + 1])


def test_times_from_one_end_of_the_numbers_to_the_other_are_compared(floor: Floor) -> None:
    ends = [Path(np.array([at]), np.ones((1, 2), np.float32), np.ones(1, np.float32), np.zeros(1, bool))
            for at in (0, 2**63 - 1)]  # fmt: skip
    both = np.array([[0, 1], [1, 0], [0, 0]])
    found = evidence_of_pairs(floor, Walks.of(ends), both, cameras=[EAST, EAST])
    assert np.isnan(found[:1]).all()
    assert found[2] == floor.evidence(ends[0], ends[0], cameras=(EAST, EAST))


def test_where_nobody_walked_or_nothing_is_asked_nothing_is_said(floor: Floor) -> None:
    assert np.isnan(evidence_of_pairs(floor, Walks.of([NOWHERE] * 2), np.array([[0, 1]]), cameras=[EAST, EAST])).all()
    nobody = evidence_of_pairs(floor, Walks.of([NOWHERE]), np.zeros((0, 2), np.int64), cameras=[EAST])
    assert nobody.shape == (0,)

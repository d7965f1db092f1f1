"""Many identities in one pass fit as well as each by itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.association.appearance import Known, fit, predict
from hub.association.shares import Shares, shares_of
from hub.association.standing import Standing, fits
from passerby.arrays import Float32Array
from passerby.errors import DataError
from passerby.ids import CameraId, ModelId

AXES = 16
SHARES = [Shares(), shares_of(ModelId("passerby-sim-reid@1")), Shares(common=0.0)]


def unit(rng: np.random.Generator, *, alike: float = 0.0) -> Float32Array:
    drawn = rng.normal(size=AXES) + alike
    return np.asarray(drawn / np.linalg.norm(drawn), np.float32)


def standing_of(known: dict[int, list[Known]]) -> Standing:
    """By owner, those of each camera together."""
    rows = [(owner, one) for owner in sorted(known) for one in sorted(known[owner], key=lambda one: one.camera_id)]
    return Standing(
        np.array([owner for owner, _ in rows], np.int64),
        np.array([int(one.camera_id) for _, one in rows], np.int64),
        np.array([one.pictures for _, one in rows], np.int64),
        np.array([one.unit for _, one in rows], np.float32).reshape(-1, AXES),
    )


@st.composite
def sites(draw: st.DrawFn) -> dict[int, list[Known]]:
    """Up to five identities, some of many tracklets of one camera, some of none."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    counts = draw(st.lists(st.integers(0, 6), max_size=5))
    return {
        owner: [Known(CameraId(str(rng.integers(3))), unit(rng, alike=0.5), int(rng.integers(0, 9))) for _ in range(n)]
        for owner, n in enumerate(counts)
        if n
    }


@settings(max_examples=150, deadline=None)
@given(
    known=sites(),
    camera=st.integers(0, 3),
    pictures=st.integers(0, 9),
    shares=st.sampled_from(SHARES),
    seed=st.integers(0, 2**32 - 1),
)
def test_each_fits_as_its_twin_of_one_by_one_says(
    known: dict[int, list[Known]], camera: int, pictures: int, shares: Shares, seed: int
) -> None:
    new = unit(np.random.default_rng(seed), alike=0.5)
    owners, values, seen_here = fits(standing_of(known), new, camera=camera, pictures=pictures, shares=shares)
    assert owners.tolist() == sorted(known)
    for owner, value, here in zip(owners.tolist(), values.tolist(), seen_here.tolist(), strict=True):
        prediction = predict(known[owner], CameraId(str(camera)), shares=shares)
        assert value == pytest.approx(fit(prediction, new, pictures=pictures, shares=shares), rel=1e-4, abs=1e-4)
        assert here == prediction.seen_here


@settings(max_examples=60, deadline=None)
@given(known=sites(), camera=st.integers(0, 3), seed=st.integers(0, 2**32 - 1))
def test_what_it_comes_to_is_the_same_to_the_last_bit_whoever_else_is_asked(
    known: dict[int, list[Known]], camera: int, seed: int
) -> None:
    new = unit(np.random.default_rng(seed))
    together = fits(standing_of(known), new, camera=camera, pictures=3, shares=Shares())[1]
    for index, owner in enumerate(sorted(known)):
        alone = fits(standing_of({owner: known[owner]}), new, camera=camera, pictures=3, shares=Shares())[1]
        assert alone.tolist() == [together[index]]


def test_where_nothing_stands_nothing_fits() -> None:
    owners, values, seen_here = fits(
        standing_of({}), unit(np.random.default_rng(0)), camera=0, pictures=3, shares=Shares()
    )
    assert owners.tolist() == values.tolist() == seen_here.tolist() == []


def test_shapes_that_do_not_fit_are_refused() -> None:
    one = np.zeros(1, np.int64)
    with pytest.raises(DataError, match="pictures"):
        Standing(one, one, np.zeros(2, np.int64), np.zeros((1, 4), np.float32))
    with pytest.raises(DataError, match="units"):
        Standing(one, one, one, np.zeros((2, 4), np.float32))

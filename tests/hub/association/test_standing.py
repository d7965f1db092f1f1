"""Many identities in one pass fit as well as each by itself."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.association.appearance import Known, fit, predict
from hub.association.shares import Shares, shares_of
from hub.association.standing import Fits, Looks, Standing, fits
from passerby.arrays import Float32Array
from passerby.errors import DataError
from passerby.ids import CameraId, ModelId

AXES = 16
SHARES = [Shares(), shares_of(ModelId("passerby-sim-reid@1")), Shares(common=0.0, brief=2.0)]


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


def fitted(
    known: dict[int, list[Known]],
    asked: Sequence[tuple[Float32Array, int, int]],
    *,
    pairs: Sequence[tuple[int, int]],
    shares: Shares,
) -> Fits:
    """Fits of `pairs` of a tracklet (unit, camera, pictures) and the place of an owner."""
    return fits(
        Looks.of(standing_of(known), shares),
        np.array([row for row, _ in pairs], np.int64),
        np.array([owner for _, owner in pairs], np.int64),
        units=np.array([new for new, _, _ in asked], np.float32).reshape(-1, AXES),
        cameras=np.array([camera for _, camera, _ in asked], np.int64),
        pictures=np.array([pictures for _, _, pictures in asked], np.int64),
        shares=shares,
    )


@settings(max_examples=150, deadline=None)
@given(
    known=sites(),
    places=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=3),
    shares=st.sampled_from(SHARES),
    seed=st.integers(0, 2**32 - 1),
)
def test_each_fits_as_its_twin_of_one_by_one_says(
    known: dict[int, list[Known]], places: list[tuple[int, int]], shares: Shares, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    asked = [(unit(rng, alike=0.5), camera, pictures) for camera, pictures in places]
    pairs = [(row, owner) for row in range(len(asked)) for owner in range(len(known)) if rng.random() < 0.8]
    found = fitted(known, asked, pairs=pairs, shares=shares)
    for index, (row, place) in enumerate(pairs):
        new, camera, pictures = asked[row]
        mine = known[sorted(known)[place]]
        prediction = predict(mine, CameraId(str(camera)), shares=shares)
        alone = fit(prediction, new, pictures=pictures, shares=shares)
        assert found.values[index] == pytest.approx(alone, rel=1e-4, abs=1e-4)
        assert found.seen_here[index] == prediction.seen_here
        others = [one for one in mine if one.camera_id != str(camera)]
        if not others:
            assert np.isnan(found.elsewhere[index])
            continue
        without = predict(others, CameraId(str(camera)), shares=shares)
        alone = fit(without, new, pictures=pictures, shares=shares)
        assert found.elsewhere[index] == pytest.approx(alone, rel=1e-4, abs=1e-4)


@settings(max_examples=60, deadline=None)
@given(known=sites(), camera=st.integers(0, 3), seed=st.integers(0, 2**32 - 1))
def test_what_it_comes_to_is_the_same_to_the_last_bit_whoever_else_is_asked(
    known: dict[int, list[Known]], camera: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    new, other = (unit(rng), camera, 3), (unit(rng), 0, 1)
    everybody = [(row, owner) for row in (0, 1) for owner in range(len(known))]
    together = fitted(known, [other, new], pairs=everybody, shares=Shares()).values[len(known) :]
    for index, owner in enumerate(sorted(known)):
        alone = fitted({owner: known[owner]}, [new], pairs=[(0, 0)], shares=Shares()).values
        assert alone.tolist() == [together[index]]


def test_where_nothing_stands_nothing_fits() -> None:
    found = fitted({}, [(unit(np.random.default_rng(0)), 0, 3)], pairs=[], shares=Shares())
    assert found.values.tolist() == found.elsewhere.tolist() == found.seen_here.tolist() == []


def test_shapes_that_do_not_fit_are_refused() -> None:
    one = np.zeros(1, np.int64)
    with pytest.raises(DataError, match="pictures"):
        Standing(one, one, np.zeros(2, np.int64), np.zeros((1, 4), np.float32))
    with pytest.raises(DataError, match="units"):
        Standing(one, one, one, np.zeros((2, 4), np.float32))

"""What looks say agrees with the whole multivariate Gaussian, computed the long way."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.association.appearance import Known, fit, fit_of_sets, predict
from hub.association.shares import Shares, shares_of
from passerby.arrays import Float32Array
from passerby.ids import CameraId, ModelId
from tests.hub.association.reference_appearance import Float64Array, conditional, log_ratio

AXES = 24
EXACT = Shares(common=0.0, axes=float(AXES))
CAMERAS = [CameraId(name) for name in ("hall", "lobby", "yard")]


def unit(rng: np.random.Generator, toward: Float32Array | None = None) -> Float32Array:
    drawn = rng.normal(size=AXES) + (0.0 if toward is None else 3.0 * toward)
    return np.asarray(drawn / np.linalg.norm(drawn), np.float32)


def lifted(plain: Float32Array, common: float) -> Float32Array:
    return np.append(np.sqrt(1.0 - common) * plain, np.sqrt(common)).astype(np.float32)


@st.composite
def known_tracklets(draw: st.DrawFn) -> list[Known]:
    """Up to two of each camera: there the bound on what a camera counts for does not bite."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    counts = draw(st.lists(st.integers(0, 2), min_size=3, max_size=3).filter(any))
    centre = unit(rng)
    return [
        Known(camera, unit(rng, centre), draw(st.integers(1, 9)))
        for camera, count in zip(CAMERAS, counts, strict=True)
        for _ in range(count)
    ]


@settings(max_examples=100, deadline=None)
@given(known=known_tracklets(), camera=st.sampled_from([*CAMERAS, CameraId("door")]))
def test_a_prediction_is_the_conditional_of_the_whole_gaussian(known: list[Known], camera: CameraId) -> None:
    found, expected = predict(known, camera, shares=EXACT), conditional(known, camera, shares=EXACT)
    np.testing.assert_allclose(found.direction, expected.mean, rtol=1e-5, atol=1e-6)
    assert found.variance == pytest.approx(expected.variance)
    assert found.length == pytest.approx(float(expected.mean @ expected.mean), rel=1e-5)
    assert found.seen_here == any(one.camera_id == camera for one in known)


@settings(max_examples=100, deadline=None)
@given(known=known_tracklets(), seed=st.integers(0, 2**32 - 1), pictures=st.integers(1, 9))
def test_a_fit_is_the_log_likelihood_ratio(known: list[Known], seed: int, pictures: int) -> None:
    new = Known(CAMERAS[0], unit(np.random.default_rng(seed), known[0].unit), pictures)
    prediction = predict(known, new.camera_id, shares=EXACT)
    value = fit(prediction, new.unit, pictures=pictures, shares=EXACT)
    assert value == pytest.approx(log_ratio(known, [new], shares=EXACT), rel=1e-4, abs=1e-4)


@settings(max_examples=60, deadline=None)
@given(known=known_tracklets(), cut=st.integers(1, 5))
def test_the_fit_of_sets_is_theirs_together_against_apart(known: list[Known], cut: int) -> None:
    first, second = known[:cut], known[cut:]
    expected = log_ratio(first, second, shares=EXACT) if second else 0.0
    assert fit_of_sets(first, second, shares=EXACT) == pytest.approx(expected, rel=1e-4, abs=1e-3)
    if second:
        assert fit_of_sets(second, first, shares=EXACT) == pytest.approx(expected, rel=1e-4, abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(known=known_tracklets(), common=st.floats(0.01, 0.9), seed=st.integers(0, 2**32 - 1))
def test_what_is_common_to_everybody_says_nothing(known: list[Known], common: float, seed: int) -> None:
    new = unit(np.random.default_rng(seed), known[0].unit)
    plain = fit(predict(known, CAMERAS[1], shares=EXACT), new, pictures=3, shares=EXACT)
    shares = replace(EXACT, common=common)
    higher = [one._replace(unit=lifted(one.unit, common)) for one in known]
    value = fit(predict(higher, CAMERAS[1], shares=shares), lifted(new, common), pictures=3, shares=shares)
    assert value == pytest.approx(plain, rel=1e-3, abs=1e-2)


def test_the_order_of_what_is_known_makes_no_difference_to_what_is_expected() -> None:
    rng = np.random.default_rng(5)
    known = [Known(camera, unit(rng), 2) for camera in (*CAMERAS, CAMERAS[0])]
    values = [
        fit(predict(order, CAMERAS[0], shares=EXACT), known[0].unit, pictures=2, shares=EXACT)
        for order in itertools.permutations(known)
    ]
    assert values == pytest.approx([values[0]] * len(values))


def test_the_ratio_is_worth_what_it_says() -> None:
    """Of people as the model has them: e to the ratio is on average 1 for another person (it is a density ratio)."""
    rng = np.random.default_rng(1)
    shares = replace(EXACT, axes=4.0)

    def drawn(person: Float64Array, camera: Float64Array) -> Float64Array:
        noise = np.sqrt(shares.noise(1) / 4.0) * rng.normal(size=(len(person), 4))
        return np.asarray(person + camera + noise)

    def people(count: int, share: float) -> Float64Array:
        return np.asarray(np.sqrt(share / 4.0) * rng.normal(size=(count, 4)))

    count, energy = 4000, shares.energy(1)
    person, other = people(count, shares.person), people(count, shares.person)
    first = drawn(person, people(count, shares.in_camera))
    again = drawn(person, people(count, shares.in_camera))
    another = drawn(other, people(count, shares.in_camera))

    def ratio(known: Float64Array, new: Float64Array) -> float:
        # The formula takes every tracklet to be as long as expected; here they are not, so the two ends are added.
        one = Known(CAMERAS[0], (known / np.sqrt(energy)).astype(np.float32), 1)
        prediction = predict([one], CAMERAS[1], shares=shares)
        variance = prediction.variance + shares.noise(1)
        away = new - prediction.direction
        return float(2.0 * np.log(energy / variance) + 2.0 * (new @ new / energy - away @ away / variance))

    others = [ratio(a, b) for a, b in zip(first, another, strict=True)]
    same = [ratio(a, b) for a, b in zip(first, again, strict=True)]
    assert np.exp(others).mean() == pytest.approx(1.0, abs=0.1)
    assert np.mean(same) > 0 > np.mean(others)


def test_more_of_one_camera_counts_for_no_more_than_three() -> None:
    rng = np.random.default_rng(2)
    look = unit(rng)
    elsewhere = [predict([Known(CAMERAS[0], look, 4)] * count, CAMERAS[1], shares=EXACT) for count in (1, 2, 3, 30)]
    variances = [one.variance for one in elsewhere]
    assert variances[0] > variances[1] > variances[2]
    assert variances[3] == pytest.approx(variances[2])


def test_a_brief_look_says_less_and_takes_nothing_from_a_long_one() -> None:
    shares, rng = replace(EXACT, brief=2.0), np.random.default_rng(3)
    look = unit(rng)
    long, brief = Known(CAMERAS[0], look, 5), Known(CAMERAS[0], look, 1)
    one, other, both = (predict(known, CAMERAS[1], shares=shares) for known in ([long], [brief], [brief] * 9 + [long]))
    assert both.variance <= one.variance < other.variance
    alone = [fit(one, look, pictures=pictures, shares=shares) for pictures in (1, 3, 5, 9)]
    assert alone == sorted(alone)
    assert fit(one, look, pictures=1, shares=EXACT) > 1.5 * alone[0] > 0.0


def test_where_an_edge_keeps_one_picture_of_everybody_nobody_was_seen_briefly() -> None:
    brief = replace(EXACT, brief=2.0)
    assert brief.where_most_have(0).noise(1) == brief.where_most_have(1).noise(1) == EXACT.noise(1)
    assert brief.where_most_have(3).noise(3) == EXACT.noise(3) < brief.noise(3)
    assert brief.where_most_have(64).noise(3) == brief.noise(3)
    assert brief.where_most_have(3).noise(1) == brief.noise(1) == EXACT.noise(1) + 2.0


def test_the_same_look_again_fits_better_than_anything_else_and_its_opposite_worst() -> None:
    rng = np.random.default_rng(3)
    look = unit(rng)
    prediction = predict([Known(CAMERAS[0], look, 5)], CAMERAS[0], shares=EXACT)
    values = [fit(prediction, one, pictures=5, shares=EXACT) for one in (look, unit(rng, look), unit(rng), -look)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0 > values[2]


@pytest.mark.parametrize("pictures", [0, 1, 10**9])
def test_any_number_of_pictures_gives_a_number(pictures: int) -> None:
    look = unit(np.random.default_rng(4))
    prediction = predict([Known(CAMERAS[0], look, pictures)], CAMERAS[0], shares=Shares(common=0.0))
    assert np.isfinite(fit(prediction, look, pictures=pictures, shares=Shares(common=0.0)))


def test_shares_go_by_the_name_of_the_model_whatever_its_version() -> None:
    known = shares_of(ModelId("person-reidentification-retail-0277@abc"))
    assert known == shares_of(ModelId("person-reidentification-retail-0277@2"))
    assert known.person > shares_of(ModelId("who@1")).person

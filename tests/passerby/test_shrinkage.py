"""How far a camera's statistics are believed."""

import numpy as np
import pytest

from passerby.features.people import PeopleSeen
from passerby.features.shrinkage import (
    CAMERA_PER_SITE_OFFSET,
    PEOPLE_PER_CAMERA_OFFSET,
    Estimates,
    Moments,
    moments_of,
)
from tests.passerby.reference_shrinkage import posterior_shift


def _seen(means, weights=None):
    means = np.asarray(means, np.float32).astype(np.float64)
    weights = np.ones(len(means)) if weights is None else np.asarray(weights, np.float64)
    return PeopleSeen(means, weights, (means**2).sum(axis=1))


def _standardized(cameras, *, prior):
    estimates = Estimates(prior)
    for name in sorted(cameras, reverse=True):  # In whatever order they come.
        estimates.put((name, 0), cameras[name])
    site = estimates.site()
    shifts = dict(zip([name for name, _ in estimates.keys], estimates.shifts(site), strict=True))
    return shifts, {name: estimates.scale((name, 0)) for name in cameras}, site


@pytest.mark.parametrize("people", [(1, 1), (2, 0), (0, 7), (3, 40, 1), (5, 5, 5, 5, 5), (128,)])
def test_shifts_are_the_posterior_of_the_random_effects_model(people):
    random = np.random.default_rng(sum(people))
    prior = random.normal(size=6)
    cameras = {f"c{i}": moments_of(_seen(random.normal(3.0, 2.0, (n, 6)))) for i, n in enumerate(people)}

    known, _, unknown = _standardized(cameras, prior=prior)

    shifts, site = posterior_shift(
        np.stack([camera.mean for camera in cameras.values()]),
        [camera.evidence for camera in cameras.values()],
        prior,
        people_per_camera=PEOPLE_PER_CAMERA_OFFSET,
        camera_per_site=CAMERA_PER_SITE_OFFSET,
    )
    np.testing.assert_allclose(np.stack(list(known.values())), shifts, atol=1e-9)
    np.testing.assert_allclose(unknown, site, atol=1e-9)


def test_nobody_and_one_person_leave_everything_as_it_was():
    prior = np.array([1.0, -2.0])
    nobody = moments_of(PeopleSeen(np.zeros((0, 2)), np.zeros(0), np.zeros(0)))
    one = moments_of(_seen([[5.0, 6.0]]))
    shifts, scales, unknown = _standardized({"a": nobody, "b": one}, prior=prior)
    for shift in (*shifts.values(), unknown):
        np.testing.assert_array_equal(shift, prior)
    for scale in scales.values():
        np.testing.assert_array_equal(scale, [1.0, 1.0])


def test_no_cameras_give_the_prior():
    shifts, _, unknown = _standardized({}, prior=np.array([1.0, 2.0]))
    assert shifts == {}
    np.testing.assert_array_equal(unknown, [1.0, 2.0])


def test_a_camera_that_is_removed_leaves_the_others_as_without_it():
    cameras = {f"c{i}": moments_of(_seen(np.random.default_rng(i).normal(size=(9, 4)))) for i in range(3)}
    prior = np.zeros(4)
    estimates = Estimates(prior)
    for name, moments in cameras.items():
        estimates.put((name, 0), moments)
    estimates.remove(("c1", 0))
    expected, _, site = _standardized({name: cameras[name] for name in ("c0", "c2")}, prior=prior)
    assert ("c1", 0) not in estimates
    np.testing.assert_array_equal(estimates.shifts(estimates.site()), np.stack(list(expected.values())))
    np.testing.assert_array_equal(estimates.site(), site)


def test_many_people_are_believed_nearly_as_they_are():
    random = np.random.default_rng(0)
    people = random.normal([10.0, -3.0, 0.0], [1.0, 2.0, 3.0], (100_000, 3))
    shifts, scales, _ = _standardized({"a": moments_of(_seen(people))}, prior=np.zeros(3))
    np.testing.assert_allclose(shifts["a"], [10.0, -3.0, 0.0], atol=0.05)
    np.testing.assert_allclose(scales["a"] / scales["a"][0], [1.0, 2.0, 3.0], rtol=0.02)


def test_moments_are_the_textbook_ones_for_whole_people():
    people = np.random.default_rng(1).normal(size=(9, 4)).astype(np.float32)
    moments = moments_of(_seen(people, np.full(9, 3.5)))
    assert moments.people == pytest.approx(9.0)
    np.testing.assert_allclose(moments.mean, people.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(moments.variance, people.var(axis=0, ddof=1), atol=1e-5)


def test_a_person_badly_seen_counts_for_less():
    means = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    assert moments_of(_seen(means, [1.0, 1.0, 0.2])).people < 2.5
    assert moments_of(_seen(means, [0.3, 0.3, 0.3])).people == pytest.approx(0.9)


def test_people_who_look_all_the_same_have_no_scale_of_their_own():
    moments = moments_of(_seen(np.ones((4, 3))))
    _, scales, _ = _standardized({"a": moments}, prior=np.zeros(3))
    np.testing.assert_array_equal(scales["a"], np.ones(3))


def test_an_axis_that_never_moves_keeps_a_scale_above_zero():
    moments = Moments(100_000.0, np.zeros(2), np.array([0.0, 4.0]))
    _, scales, _ = _standardized({"a": moments}, prior=np.zeros(2))
    assert scales["a"][0] > 0.01

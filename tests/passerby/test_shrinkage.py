"""How far a camera's statistics are believed."""

import numpy as np
import pytest

from passerby.features.people import PeopleSeen
from passerby.features.shrinkage import (
    CAMERA_PER_SITE_OFFSET,
    PEOPLE_PER_CAMERA_OFFSET,
    Moments,
    moments_of,
    standardize_cameras,
)
from tests.passerby.reference_shrinkage import posterior_shift


def _seen(means, weights=None):
    means = np.asarray(means, np.float32)
    weights = np.ones(len(means)) if weights is None else np.asarray(weights, np.float64)
    return PeopleSeen(means, weights, (means.astype(np.float64) ** 2).sum(axis=1))


@pytest.mark.parametrize("people", [(1, 1), (2, 0), (0, 7), (3, 40, 1), (5, 5, 5, 5, 5), (128,)])
def test_shifts_are_the_posterior_of_the_random_effects_model(people):
    random = np.random.default_rng(sum(people))
    prior = random.normal(size=6)
    cameras = {f"c{i}": moments_of(_seen(random.normal(3.0, 2.0, (n, 6)))) for i, n in enumerate(people)}

    known, unknown = standardize_cameras(cameras, prior=prior)

    shifts, site = posterior_shift(
        np.stack([camera.mean for camera in cameras.values()]),
        [camera.evidence for camera in cameras.values()],
        prior,
        people_per_camera=PEOPLE_PER_CAMERA_OFFSET,
        camera_per_site=CAMERA_PER_SITE_OFFSET,
    )
    np.testing.assert_allclose(np.stack([each.shift for each in known.values()]), shifts, atol=1e-9)
    np.testing.assert_allclose(unknown.shift, site, atol=1e-9)


def test_nobody_and_one_person_leave_everything_as_it_was():
    prior = np.array([1.0, -2.0])
    nobody = moments_of(PeopleSeen(np.zeros((0, 2), np.float32), np.zeros(0), np.zeros(0)))
    one = moments_of(_seen([[5.0, 6.0]]))
    known, unknown = standardize_cameras({"a": nobody, "b": one}, prior=prior)
    for each in (*known.values(), unknown):
        np.testing.assert_array_equal(each.shift, prior)
        np.testing.assert_array_equal(each.scale, [1.0, 1.0])


def test_no_cameras_give_the_prior():
    known, unknown = standardize_cameras({}, prior=np.array([1.0, 2.0]))
    assert known == {}
    np.testing.assert_array_equal(unknown.shift, [1.0, 2.0])


def test_many_people_are_believed_nearly_as_they_are():
    random = np.random.default_rng(0)
    people = random.normal([10.0, -3.0, 0.0], [1.0, 2.0, 3.0], (100_000, 3))
    known, _ = standardize_cameras({"a": moments_of(_seen(people))}, prior=np.zeros(3))
    np.testing.assert_allclose(known["a"].shift, [10.0, -3.0, 0.0], atol=0.05)
    np.testing.assert_allclose(known["a"].scale / known["a"].scale[0], [1.0, 2.0, 3.0], rtol=0.02)


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
    known, _ = standardize_cameras({"a": moments}, prior=np.zeros(3))
    np.testing.assert_array_equal(known["a"].scale, np.ones(3))


def test_an_axis_that_never_moves_keeps_a_scale_above_zero():
    moments = Moments(100_000.0, np.zeros(2), np.array([0.0, 4.0]))
    known, _ = standardize_cameras({"a": moments}, prior=np.zeros(2))
    assert known["a"].scale[0] > 0.01

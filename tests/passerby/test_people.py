"""Counting the people of one camera."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerby.features.people import MAX_OPEN_TRACKLETS, MAX_PEOPLE, People, PeopleSeen

_D = 32


def _people(known=None):
    return People(_D, same_person_distance=lambda _: 1.0, known=known)


def _axis(index, length=2.0):
    vector = np.zeros(_D, np.float32)
    vector[index] = length
    return vector


def _near(vector, random, distance=0.3):
    step = random.normal(size=_D)
    return (vector + distance * step / np.linalg.norm(step)).astype(np.float32)


def test_nobody_was_seen():
    seen = _people().seen()
    assert len(seen) == 0
    assert seen.means.shape == (0, _D)


def test_a_loiterer_is_one_person_however_often_he_comes():
    people, random = _people(), np.random.default_rng(0)
    for key in range(500):
        people.observe(key, _near(_axis(0), random), quality=1.0)
    for index in range(1, 6):
        people.observe(f"other {index}", _axis(index), quality=1.0)
    assert len(people) == 6
    np.testing.assert_allclose(people.seen().means[0], _axis(0), atol=0.1)


def test_a_growing_tracklet_replaces_what_it_said():
    people = _people()
    people.observe("t", _axis(0), quality=1.0)
    people.observe("t", _axis(1), quality=0.5)
    seen = people.seen()
    np.testing.assert_array_equal(seen.means, [_axis(1)])
    np.testing.assert_array_equal(seen.weights, [0.5])


def test_replacing_one_of_two_tracklets_leaves_the_other_as_it_was():
    people = _people()
    people.observe("a", _axis(0), quality=1.0)
    people.observe("b", _axis(0, 2.2), quality=1.0)
    assert len(people) == 1
    people.observe("b", _axis(1), quality=1.0)
    np.testing.assert_allclose(people.seen().means, [_axis(0), _axis(1)], atol=1e-6)


def test_identical_tracklets_are_one_person():
    people = _people()
    for key in range(3):
        people.observe(key, _axis(0), quality=1.0)
    np.testing.assert_array_equal(people.seen().means, [_axis(0)])


def test_two_groups_that_a_third_tracklet_joins_become_one():
    people = _people()
    people.observe(1, _axis(0, 0.0), quality=1.0)
    people.observe(2, _axis(0, 1.05), quality=1.0)
    assert len(people) == 2
    people.observe(2, _axis(0, 0.9), quality=1.0)
    assert len(people) == 1


def test_a_mixed_group_does_not_attract_everybody():
    """With distances to means, the mean of a merged crowd is nearer to each newcomer than any person of it."""
    random = np.random.default_rng(3)
    people = People(_D, same_person_distance=lambda _: 1.0)
    crowd = random.normal(size=(60, _D))
    crowd *= 0.85 / np.linalg.norm(crowd, axis=1, keepdims=True)  # Pairs at 1.4 squared, give or take a quarter.
    for key, vector in enumerate(crowd.astype(np.float32)):
        people.observe(key, vector, quality=1.0)
    assert len(people) > 20


def test_the_least_recently_seen_person_is_forgotten_first():
    people = _people()
    random = np.random.default_rng(0)
    vectors = random.normal(0.0, 5.0, (MAX_PEOPLE + 1, _D)).astype(np.float32)
    for key, vector in enumerate(vectors[:-1]):
        people.observe(key, vector, quality=1.0)
    people.observe("again", vectors[0], quality=1.0)
    people.observe("new", vectors[-1], quality=1.0)
    assert len(people) == MAX_PEOPLE
    means = people.seen().means
    assert (means == vectors[0]).all(axis=1).any()
    assert not (means == vectors[1]).all(axis=1).any()


def test_a_tracklet_of_long_ago_is_no_longer_replaced_but_still_counts():
    people = _people()
    people.observe("early", _axis(0), quality=1.0)
    for key in range(MAX_OPEN_TRACKLETS):
        people.observe(key, _axis(1), quality=1.0)
    people.observe("early", _axis(2), quality=1.0)
    assert len(people) == 3


def test_an_old_loiterer_follows_his_new_clothes():
    people = _people()
    for key in range(2000):
        people.observe(key, _axis(0), quality=1.0)
    for key in range(2000, 3000):
        people.observe(key, _axis(0, 2.5), quality=1.0)
    np.testing.assert_allclose(people.seen().means, [_axis(0, 2.5)], atol=1e-3)


def test_known_people_go_on_as_they_were():
    before = _people()
    random = np.random.default_rng(1)
    for key in range(40):
        before.observe(key, _near(_axis(key % 7), random), quality=0.7)
    after = _people(before.seen())
    for expected, actual in zip(
        (before.seen().means, before.seen().weights), (after.seen().means, after.seen().weights), strict=True
    ):
        np.testing.assert_array_equal(actual, expected)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 4), st.floats(0.01, 1.0), st.floats(0.5, 1.5)),
        max_size=60,
    )
)
def test_weight_is_never_lost_while_tracklets_are_open(calls):
    """Each key counts once, with its last quality, whatever was replaced and merged in between."""
    people, last = _people(), {}
    for key, axis, quality, length in calls:
        people.observe(key, _axis(axis, length), quality=quality)
        last[key] = quality
    seen = people.seen()
    assert seen.weights.sum() == pytest.approx(sum(last.values()))
    assert (seen.weights > 0).all()


def test_the_arrays_of_people_fit_each_other():
    seen = PeopleSeen(np.zeros((2, 3), np.float32), np.ones(2), np.zeros(2))
    assert len(seen) == 2

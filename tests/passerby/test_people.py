"""Counting the people of one camera."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerby.features.people import MAX_PEOPLE, People
from tests.passerby.reference_people import NaivePeople

_D = 32


class _People(People):
    """Tracklets within a distance of one are of one person; each is a moment later than the one before."""

    def see(self, vector, *, quality=1.0):
        return self.observe(vector, quality=quality, at_ns=len(self), same_person_distance=1.0)

    def seen_arrays(self):
        seen = self.seen()
        return seen.means, seen.weights, seen.energies


def _people(known=()):
    return _People(_D, known=known)


def _everybody(people):
    return [people.person(slot) for slot in reversed(people.latest_first().tolist())]


def _means(people):
    return np.stack([person.mean for person in _everybody(people)])


def _axis(index, length=2.0):
    vector = np.zeros(_D, np.float32)
    vector[index] = length
    return vector


def _near(vector, random, distance=0.3):
    step = random.normal(size=_D)
    return (vector + distance * step / np.linalg.norm(step)).astype(np.float32)


def test_nobody_was_seen():
    seen = _people().seen()
    assert len(_people()) == 0
    assert seen.means.shape == (0, _D)
    assert seen.weights.shape == seen.energies.shape == (0,)


def test_a_loiterer_is_one_person_however_often_he_comes():
    people, random = _people(), np.random.default_rng(0)
    assert people.see(_near(_axis(0), random)) is True
    for _ in range(499):
        assert people.see(_near(_axis(0), random)) is False
    for index in range(1, 6):
        people.see(_axis(index))
    assert len(people) == 6
    np.testing.assert_allclose(_means(people)[0], _axis(0), atol=0.1)


def test_identical_tracklets_are_one_person():
    people = _people()
    for _ in range(3):
        people.see(_axis(0))
    np.testing.assert_array_equal(_means(people), [_axis(0)])


def test_two_groups_that_a_third_tracklet_joins_become_one_seen_just_now():
    people = _people()
    people.see(_axis(0, 0.1))
    people.see(_axis(0, 1.15), quality=0.5)
    people.see(_axis(1))
    assert len(people) == 3
    people.see(_axis(0, 0.7))
    assert len(people) == 2
    assert _everybody(people)[-1].weight == pytest.approx(2.5)
    np.testing.assert_allclose(people.person(people.latest_first()[0]).mean, _axis(0, 0.55), atol=1e-6)


def test_a_mixed_group_does_not_attract_everybody():
    """With distances to means, the mean of a merged crowd is nearer to each newcomer than any person of it."""
    random = np.random.default_rng(3)
    people = _people()
    crowd = random.normal(size=(60, _D))
    crowd *= 0.85 / np.linalg.norm(crowd, axis=1, keepdims=True)  # Pairs at 1.4 squared, give or take a quarter.
    for vector in crowd.astype(np.float32):
        people.see(vector)
    assert len(people) > 20


def test_the_least_recently_seen_person_is_forgotten_first():
    people = _people()
    random = np.random.default_rng(0)
    vectors = random.normal(0.0, 5.0, (MAX_PEOPLE + 1, _D)).astype(np.float32)
    for vector in vectors[:-1]:
        people.see(vector)
    people.see(vectors[0])
    people.see(vectors[-1])
    assert len(people) == MAX_PEOPLE
    means = _means(people)
    assert (means == vectors[0]).all(axis=1).any()
    assert not (means == vectors[1]).all(axis=1).any()
    assert len(people.seen().means) <= MAX_PEOPLE + 1


def test_an_old_loiterer_follows_his_new_clothes():
    people = _people()
    for _ in range(2000):
        people.see(_axis(0))
    for _ in range(100):
        people.see(_axis(0, 2.5))
    np.testing.assert_allclose(_means(people), [_axis(0, 2.5)], atol=1e-3)


def test_somebody_at_the_same_distance_of_two_is_the_one_not_seen_for_longest():
    people = _people()
    for vector in (_axis(0), -_axis(0)):
        people.see(vector)
    people.observe(_axis(1, 1.0), quality=1.0, at_ns=0, same_person_distance=10.0)
    np.testing.assert_array_equal(people.person(0).mean, 0.5 * (_axis(0) + _axis(1, 1.0)))
    np.testing.assert_array_equal(people.person(1).mean, -_axis(0))


def test_who_was_seen_when_is_known():
    people = _people()
    for at_ns, index in enumerate((0, 1, 2, 0)):
        people.observe(_axis(index), quality=1.0, at_ns=at_ns, same_person_distance=1.0)
    assert [person.seen_at_ns for person in _everybody(people)] == [1, 2, 3]
    assert people.latest_ns == 3
    np.testing.assert_array_equal(people.rows(people.latest_first()), [_axis(0), _axis(2), _axis(1)])


def test_people_go_over_to_another_group_in_the_order_in_which_they_were_seen():
    day, night = _people(), _people()
    for index in range(5):
        day.see(_axis(index), quality=0.5)
    night.see(_axis(9))
    night.adopt(day.release(day.latest_first()[:2].tolist()))
    assert len(day) == 3
    np.testing.assert_array_equal(_means(night), [_axis(9), _axis(3), _axis(4)])
    assert _everybody(night)[-1].weight == 0.5


def test_a_slot_that_becomes_free_is_used_again_and_changes_are_named():
    people = _people()
    for index in range(3):
        people.see(_axis(index))
    people.changed.clear()
    people.release([1])
    assert people.changed == {1}
    assert people.person(1) is None
    people.see(_axis(7))
    assert people.changed == {1}
    np.testing.assert_array_equal(people.person(1).mean, _axis(7))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.floats(0.01, 1.0), st.floats(0.5, 1.5)), max_size=60),
    st.integers(0, 60),
)
def test_known_people_go_on_as_they_were_to_the_last_bit(calls, when):
    """In whatever moment they are stored and taken up again."""
    running = restarted = _people()
    for number, (axis, quality, length) in enumerate(calls):
        if number == when:
            restarted = _people([(slot, running.person(slot)) for slot in running.slots() if running.person(slot)])
        for people in {id(running): running, id(restarted): restarted}.values():
            people.see(_axis(axis, length), quality=quality)
    for ours, theirs in zip(running.seen_arrays(), restarted.seen_arrays(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert [running.person(slot) is None for slot in range(8)] == [restarted.person(slot) is None for slot in range(8)]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.floats(0.01, 1.0), st.floats(0.5, 1.5)), max_size=60))
def test_it_is_the_naive_grouping(calls):
    people, naive = _people(), NaivePeople(limit=1.0)
    for axis, quality, length in calls:
        people.see(_axis(axis, length), quality=quality)
        naive.see(_axis(axis, length), quality=quality)
    assert len(people) == len(naive.people)
    for ours, (mean, weight) in zip(_everybody(people), naive.summary(), strict=True):
        np.testing.assert_allclose(ours.mean, mean, atol=1e-5)
        assert ours.weight == pytest.approx(weight)

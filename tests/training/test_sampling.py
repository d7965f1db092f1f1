"""Batches of people: who is in them, how often, from which cameras."""

from itertools import islice

import numpy as np
import pytest

from passerby.errors import DataError
from training.sampling import people_batches


def test_a_batch_holds_so_many_people_with_so_many_images_each() -> None:
    people, cameras = np.repeat(np.arange(10), 8), np.tile(np.arange(8) % 3, 10)
    for batch in islice(people_batches(people, cameras, people_per_batch=4, images_per_person=4, seed=0), 20):
        assert len(np.unique(batch)) == 16
        assert sorted(np.unique(people[batch], return_counts=True)[1].tolist()) == [4, 4, 4, 4]


def test_everybody_has_a_turn_before_anybody_has_another() -> None:
    people, cameras = np.repeat(np.arange(10), 2), np.zeros(20, np.int64)
    batches = people_batches(people, cameras, people_per_batch=4, images_per_person=1, seed=3)
    turns = np.bincount(people[np.concatenate(list(islice(batches, 25)))], minlength=10)
    assert turns.max() - turns.min() <= 1


def test_a_person_s_cameras_take_turns() -> None:
    people, cameras = np.zeros(40, np.int64), np.array([0] * 36 + [1] * 3 + [2])
    for batch in islice(people_batches(people, cameras, people_per_batch=1, images_per_person=6, seed=1), 10):
        assert np.bincount(cameras[batch]).tolist() == [2, 2, 2]


def test_a_single_image_is_repeated() -> None:
    batches = people_batches(np.array([7]), np.array([1]), people_per_batch=1, images_per_person=4, seed=0)
    assert next(batches).tolist() == [0, 0, 0, 0]


def test_the_seed_decides() -> None:
    people, cameras = np.repeat(np.arange(6), 5), np.tile(np.arange(5), 6)

    def first(seed: int) -> list[int]:
        batches = people_batches(people, cameras, people_per_batch=3, images_per_person=2, seed=seed)
        return np.concatenate(list(islice(batches, 5))).tolist()

    assert first(1) == first(1)
    assert first(1) != first(2)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_too_few_people_are_refused(count: int) -> None:
    with pytest.raises(DataError, match=f"{count} people in {count} images, a batch needs 4"):
        people_batches(np.arange(count), np.zeros(count, np.int64), people_per_batch=4, images_per_person=1, seed=0)


def test_without_repetition_further_people_fill_the_batch() -> None:
    people = np.array([0] * 6 + [1, 2, 3, 4, 5, 6])  # one with many images, six with one
    batches = people_batches(people, people % 2, people_per_batch=3, images_per_person=2, seed=1, repeat=False)
    for batch in islice(batches, 20):
        assert len(batch) == len(set(batch.tolist())) == 6
        assert (people[batch] == 0).sum() <= 2


def test_without_repetition_a_batch_is_no_larger_than_what_there_is() -> None:
    people = np.array([0, 0, 0, 1])
    batches = people_batches(people, np.zeros(4, int), people_per_batch=2, images_per_person=2, seed=1, repeat=False)
    assert {len(batch) for batch in islice(batches, 5)} == {3}


def test_without_repetition_a_camera_with_more_images_fills_in_for_one_that_has_no_other() -> None:
    cameras = np.array([0, 1, 1, 1])
    batches = people_batches(np.zeros(4, int), cameras, people_per_batch=1, images_per_person=4, seed=1, repeat=False)
    assert sorted(next(batches).tolist()) == [0, 1, 2, 3]

"""Which images a batch holds: a few people, several images of each, from as many cameras as they have."""

from collections.abc import Iterator

import numpy as np

from passerby.arrays import Int64Array, require_shape
from passerby.errors import DataError


def people_batches(
    people: Int64Array,
    cameras: Int64Array,
    *,
    people_per_batch: int,
    images_per_person: int,
    seed: int,
    repeat: bool = True,
) -> Iterator[Int64Array]:
    """Endless batches of image indices (people_per_batch * images_per_person,), one person after the other.

    The P x K batches that batch-hard triplets need (Hermans, Beyer and Leibe 2017). `people` and `cameras` (n,).
    Everybody has a turn before anybody has another. Of one person the cameras take turns; an image comes twice only
    where a camera has no other left. Without `repeat` none does: whoever has fewer comes with these alone, and further
    people fill the batch, the last of them with as many as fit. Raises DataError where there are fewer people than a
    batch needs.
    """
    require_shape("cameras", cameras, people.shape)
    names = np.unique(people)
    if people_per_batch < 1 or images_per_person < 1:
        raise DataError(f"a batch of {people_per_batch} people x {images_per_person} images, expected at least 1 x 1")
    if len(names) < people_per_batch:
        raise DataError(f"{len(names)} people in {len(people)} images, a batch needs {people_per_batch}")
    draw = np.random.default_rng(seed)
    views = [
        [np.flatnonzero((people == name) & (cameras == camera)) for camera in np.unique(cameras[people == name])]
        for name in names
    ]
    if repeat:
        return _batches(views, people_per_batch, images_per_person, draw)
    return _without_repetition(views, people_per_batch * images_per_person, images_per_person, draw)


def _batches(
    views: list[list[Int64Array]], people_per_batch: int, images_per_person: int, draw: np.random.Generator
) -> Iterator[Int64Array]:
    waiting: list[int] = []
    while True:
        if len(waiting) < people_per_batch:
            # Whoever is left over has no second turn in the same batch, but does have one in the new round.
            left = set(waiting)
            waiting += sorted(draw.permutation(len(views)).tolist(), key=lambda person: person in left)
        chosen, waiting = waiting[:people_per_batch], waiting[people_per_batch:]
        yield np.concatenate([_images_of(views[person], images_per_person, draw) for person in chosen])


def _without_repetition(
    views: list[list[Int64Array]], images_per_batch: int, images_per_person: int, draw: np.random.Generator
) -> Iterator[Int64Array]:
    most = [min(sum(map(len, each)), images_per_person) for each in views]
    images_per_batch = min(images_per_batch, sum(most))
    waiting: list[int] = []
    while True:
        batch: list[int] = []
        chosen: set[int] = set()
        while len(batch) < images_per_batch:
            person = next((each for each in waiting if each not in chosen), None)
            if person is None:
                waiting += draw.permutation(len(views)).tolist()
                continue
            waiting.remove(person)
            chosen.add(person)
            count = min(most[person], images_per_batch - len(batch))
            batch += _images_of(views[person], count, draw, repeat=False).tolist()
        yield np.array(batch, np.int64)


def _images_of(views: list[Int64Array], count: int, draw: np.random.Generator, *, repeat: bool = True) -> Int64Array:
    """`count` images of one person, whose images are given by camera; without `repeat` there must be so many."""
    order = draw.permutation(len(views)).tolist()
    taken: list[int] = []
    turn = 0
    while len(taken) < count:
        view = views[order[turn % len(views)]].tolist()
        fresh = [image for image in view if image not in taken]
        if fresh or repeat:
            taken.append(int(draw.choice(fresh or view)))
        turn += 1
    return np.array(taken, np.int64)

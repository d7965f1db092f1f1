"""Which images a batch holds: a few people, several images of each, from as many cameras as they have."""

from collections.abc import Iterator

import numpy as np

from passerby.arrays import Int64Array, require_shape
from passerby.errors import DataError


def people_batches(
    people: Int64Array, cameras: Int64Array, *, people_per_batch: int, images_per_person: int, seed: int
) -> Iterator[Int64Array]:
    """Endless batches of image indices (people_per_batch * images_per_person,), one person after the other.

    The P x K batches that batch-hard triplets need (Hermans, Beyer and Leibe 2017). `people` and `cameras` (n,).
    Everybody has a turn before anybody has another. Of one person the cameras take turns; an image comes twice only
    where a camera has no other left. Raises DataError where there are fewer people than a batch needs.
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
    return _batches(views, people_per_batch, images_per_person, draw)


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


def _images_of(views: list[Int64Array], count: int, draw: np.random.Generator) -> Int64Array:
    """`count` images of one person, whose images are given by camera."""
    order = draw.permutation(len(views))
    taken: list[int] = []
    for turn in range(count):
        view = views[order[turn % len(views)]]
        fresh = [image for image in view.tolist() if image not in taken]
        taken.append(int(draw.choice(fresh or view.tolist())))
    return np.array(taken, np.int64)

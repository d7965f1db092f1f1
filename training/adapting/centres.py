"""The centres of clusters on the unit sphere, and clusters made anew around them."""

import numpy as np

from passerby.arrays import Float32Array, Int64Array, l2_normalize


def centres_of(features: Float32Array, people: Int64Array) -> Float32Array:
    """Unit vectors (k, d): the mean direction of each cluster's `features` (n, d). `people` (n,), -1 for nobody."""
    known = people >= 0
    sums = np.zeros((int(people.max(initial=-1)) + 1, features.shape[1]), np.float32)
    np.add.at(sums, people[known], l2_normalize(features)[known])
    return l2_normalize(sums)


def similarities_to(features: Float32Array, people: Int64Array, centres: Float32Array) -> Float32Array:
    """Cosine similarity (n,) of each crop to the centre of its own cluster; -1 for who has none."""
    known = people >= 0
    found = np.full(len(people), -1.0, np.float32)
    found[known] = (l2_normalize(features)[known] * centres[people[known]]).sum(axis=1)
    return found


def k_means(features: Float32Array, people: Int64Array, *, iterations: int) -> Int64Array:
    """Lloyd's algorithm on the unit sphere, begun with the clusters `people` (n,): afterwards nobody is left out.

    A cluster that loses all its crops is gone; the others are numbered anew in their order. Without a cluster, nothing
    changes.

    >>> features = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]], np.float32)
    >>> k_means(features, np.array([0, -1, 1]), iterations=1).tolist()
    [0, 0, 1]
    """
    unit = l2_normalize(features)
    for _ in range(iterations if (people >= 0).any() else 0):
        nearest = np.argmax(unit @ centres_of(features, people).T, axis=1)
        people = np.unique(nearest, return_inverse=True)[1].astype(np.int64)
    return people

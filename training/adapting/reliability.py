"""Which clusters are to be believed: those that stay themselves when the cut is moved a little.

Ge et al., SpCL, NeurIPS 2020. Independent is a cluster that a looser cut does not join with others,
compact one that a tighter cut does not take apart.
"""

import math

import numpy as np

from passerby.arrays import Float32Array, Int64Array
from passerby.features.clustering.average import drop_small
from passerby.features.clustering.cut import alone

_FEWEST = 2
"""Crops that are left of a cluster, or it is none."""


def overlap(people: Int64Array, others: Int64Array) -> Float32Array:
    """Of each crop (n,): its cluster in one grouping and in the other, intersection over union. -1 is a group of one.

    >>> overlap(np.array([0, 0, 1, -1]), np.array([0, 0, 2, 2])).tolist()
    [1.0, 1.0, 0.5, 0.5]
    """
    some, other = alone(people), alone(others)
    _, row, both = np.unique(np.stack([some, other], axis=1), axis=0, return_inverse=True, return_counts=True)
    shared = both[row]
    sizes, other_sizes = (np.unique(each, return_inverse=True, return_counts=True)[1:] for each in (some, other))
    union = sizes[1][sizes[0]] + other_sizes[1][other_sizes[0]] - shared
    return (shared / union).astype(np.float32)


def independence_of(people: Int64Array, looser: Int64Array) -> Float32Array:
    """Of each cluster (k,): the least overlap of its crops with their clusters at a looser cut, 0-1."""
    known = people >= 0
    least = np.ones(int(people.max(initial=-1)) + 1, np.float32)
    np.minimum.at(least, people[known], overlap(people, looser)[known])
    return least


def least_independence(people: Int64Array, looser: Int64Array, *, share: float) -> float:
    """The independence that all but this share of the clusters have; 0 where there is no cluster."""
    found = np.sort(independence_of(people, looser))
    return float(found[min(math.floor(share * len(found)), len(found) - 1)]) if len(found) else 0.0


def believed(people: Int64Array, *, tighter: Int64Array, looser: Int64Array, least: float) -> Int64Array:
    """`people` (n,) without clusters of less than the `least` independence, nor crops that a tighter cut would part
    from the core of their cluster; numbered anew, -1 for nobody."""
    known = people >= 0
    compact = overlap(people, tighter)
    best = np.zeros(int(people.max(initial=-1)) + 1, np.float32)
    np.maximum.at(best, people[known], compact[known])
    kept = known.copy()
    kept[known] = (independence_of(people, looser) >= least)[people[known]] & (compact[known] >= best[people[known]])
    return drop_small(np.where(kept, people, -1), min_images=_FEWEST)

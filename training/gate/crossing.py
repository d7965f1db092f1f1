"""Whom tracklets of other cameras are taken for: what a network is for, judged by what time and place allow.

Everything is of the h tracklets of a `Scene` and their features (h, d), unit rows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, Int64Array
from training.gate.known_pairs import Scene
from training.gate.separation import Pairs

Float64Array = NDArray[np.float64]

FEWEST_CANDIDATES = 5
"""Among fewer, it says little who is nearest."""

_SOONEST, _NOT_SOON, _FAR = 5, 20, 10
"""A tracklet's so many of other cameras that are soonest before or after it; after so many others are far in time, of
which so many are drawn."""

_ROWS_AT_ONCE = 512


@dataclass(frozen=True, slots=True, eq=False)
class Crossing:
    """Of each tracklet (h,) float64, NaN where there are too few of other cameras.

    `impossible`: 1 if the nearest of another camera cannot be the same
    person, else 0. `mutual`: 1 if that nearest has it as its own. `own_camera`: 1 if the nearest of all cameras is of
    its own, less the share of tracklets that is.
    """

    impossible: Float64Array
    mutual: Float64Array
    own_camera: Float64Array


def cross(features: Float32Array, scene: Scene) -> Crossing:
    """Look at everybody's neighbours."""
    size = len(scene)
    nearest, nearest_of_all = np.zeros(size, np.int64), np.zeros(size, np.int64)
    impossible = np.zeros(size)
    for part in _parts(scene):
        similarities = features[part] @ features.T
        rows = np.arange(len(similarities))
        similarities[rows, rows + part.start] = -np.inf
        nearest_of_all[part] = similarities.argmax(axis=1)
        similarities[scene.cameras[part, None] == scene.cameras] = -np.inf
        nearest[part] = similarities.argmax(axis=1)
        impossible[part] = scene.impossible(part)[rows, nearest[part]]
    others = _in_other_cameras(scene)
    mutual = (nearest[nearest] == np.arange(size)).astype(np.float64)
    own = (scene.cameras[nearest_of_all] == scene.cameras) - (size - 1 - others) / max(size - 1, 1)
    enough = others >= FEWEST_CANDIDATES
    return Crossing(*(np.where(enough, each, np.nan) for each in (impossible, mutual, own)))


def chance_of_impossible(scene: Scene) -> Float64Array:
    """(h,): the share of the tracklets of other cameras that cannot be the same person: what a network does that draws
    lots. NaN where there are too few."""
    others = _in_other_cameras(scene)
    counts = np.concatenate([np.zeros(0), *(scene.impossible(part).sum(axis=1) for part in _parts(scene))])
    share: Float64Array = np.where(others >= FEWEST_CANDIDATES, counts / np.maximum(others, 1), np.nan)
    return share


def pairs_in_time(scene: Scene, *, seed: int) -> tuple[Pairs, Pairs]:
    """Pairs of two cameras that are soon after one another, and pairs that are far in time or impossible.

    More of the first than of the second are one person. So the probability that a pair of the first is more alike is
    0.5 + (the one share - the other) * (the same probability for pairs of one person and of two - 0.5): it rises and
    falls with what nobody can measure without labels, whatever the network, if looks do not tell the time of day.
    """
    draw = np.random.default_rng(seed)
    soon: list[Int64Array] = [np.zeros((0, 2), np.int64)]
    far = soon.copy()
    for part in _parts(scene):
        elsewhere = scene.cameras[part, None] != scene.cameras
        ruled_out = scene.impossible(part)
        gaps = np.maximum(scene.gaps_ns(part), 0).astype(np.float64)
        order = np.argsort(np.where(elsewhere & ~ruled_out, gaps, np.inf), axis=1, kind="stable")
        possible = (elsewhere & ~ruled_out).sum(axis=1)
        rows = np.arange(part.start, part.start + len(order))
        for rank in range(min(_SOONEST, len(scene))):
            kept = possible > rank
            soon.append(np.stack([rows[kept], order[kept, rank]], axis=1))
        places = np.argsort(order, axis=1, kind="stable")
        distant = elsewhere & (ruled_out | (places >= _NOT_SOON))
        lots = np.where(distant, draw.random(distant.shape), np.inf)
        for column in np.argsort(lots, axis=1, kind="stable")[:, :_FAR].T:
            kept = distant[rows - part.start, column]
            far.append(np.stack([rows[kept], column[kept]], axis=1))
    one, other = (np.unique(np.sort(np.concatenate(each), axis=1), axis=0) for each in (soon, far))
    near = set(map(tuple, one.tolist()))
    other = other[[tuple(pair) not in near for pair in other.tolist()]].reshape(-1, 2)
    return scene.pairs(one), scene.pairs(other)


def similarities_of(features: Float32Array, pairs: Pairs) -> Float32Array:
    """(k,): cosines."""
    found: Float32Array = np.einsum("kd,kd->k", features[pairs.rows[:, 0]], features[pairs.rows[:, 1]])
    return found


def _parts(scene: Scene) -> list[slice]:
    return [slice(start, start + _ROWS_AT_ONCE) for start in range(0, len(scene), _ROWS_AT_ONCE)]


def _in_other_cameras(scene: Scene) -> Int64Array:
    counts = np.bincount(scene.cameras, minlength=1)
    found: Int64Array = len(scene) - counts[scene.cameras]
    return found

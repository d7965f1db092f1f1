"""A labelled set of other places: what a network could do before it must still be able to do."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, Image, Int64Array, l2_normalize, require_shape
from passerby.errors import DataError
from passerby.ids import CameraId
from training.gate.normalizing import statistics_of

CMC_RANKS = 20


@dataclass(frozen=True, slots=True, eq=False)
class GuardSet:
    """Element i of each is one crop: `people` and `cameras` (n,) int64, and its picture, BGR of any size.

    `name` is what they are of, in two words. Without pictures the set can only be judged by.
    """

    name: str
    people: Int64Array
    cameras: Int64Array
    pictures: tuple[Image, ...] = ()

    def __post_init__(self) -> None:
        require_shape("people", self.people, (None,))
        require_shape("cameras", self.cameras, self.people.shape)
        if self.pictures and len(self.pictures) != len(self.people):
            raise DataError(f"{len(self.pictures)} pictures of {len(self.people)} crops, expected one for each")

    def __len__(self) -> int:
        return len(self.people)

    @property
    def camera_ids(self) -> tuple[CameraId, ...]:
        """(n,): names that no site has, so that a network takes these cameras for unknown ones."""
        return tuple(CameraId(f"guard set, camera {camera}") for camera in self.cameras.tolist())


@dataclass(frozen=True, slots=True, eq=False)
class GuardSearch:
    """Every crop searches all others, same person and camera left out. `precisions` (n,) float64, NaN without match;
    `cmc` (20,): the share of searches with a match up to each rank."""

    precisions: NDArray[np.float64]
    cmc: NDArray[np.float64]


def guard_search(guard: GuardSet, raw: Float32Array, *, normalize: bool) -> GuardSearch:
    """With raw embeddings (n, d) of the set's crops, z-scored by camera as the hub would or as they are.

    Average precision is the mean over the hits of the precision at each; ties stay in the order of the crops. Raises
    DataError for another number of embeddings, and where nobody was in two cameras.
    """
    require_shape("embeddings of the guard set", raw, (len(guard), None))
    cameras = np.unique(guard.cameras, return_inverse=True)[1].astype(np.int64)
    if normalize:
        statistics = statistics_of(raw, cameras=cameras, people=guard.people, count=int(cameras.max(initial=-1)) + 1)
        features = statistics.normalize(raw, cameras)
    else:
        features = l2_normalize(raw)
    order = np.argsort(-(features @ features.T), axis=1, kind="stable")
    same = guard.people[order] == guard.people[:, None]
    kept = ~(same & (cameras[order] == cameras[:, None]))
    hits = same & kept
    places, found = np.cumsum(kept, axis=1), np.cumsum(hits, axis=1)
    matches = hits.sum(axis=1)
    if not matches.any():
        raise DataError(f"{guard.name}: none of {len(guard)} crops has a match in another camera; nothing is guarded")
    sums = (hits * found / np.maximum(places, 1)).sum(axis=1)
    precisions = np.divide(sums, matches, out=np.full(len(guard), np.nan), where=matches > 0)
    first = np.where(hits, places, np.iinfo(np.int64).max).min(axis=1)[matches > 0]
    return GuardSearch(precisions, (first[:, None] <= np.arange(1, CMC_RANKS + 1)).mean(axis=0))

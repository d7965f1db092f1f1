"""Multi-queries: several pictures of one person in one camera search together."""

import numpy as np

from passerby.arrays import l2_normalize
from passerby.errors import DataError
from training.evaluate.distances import RankedImages


def pool_queries(query: RankedImages, pool: RankedImages) -> RankedImages:
    """One query for each person and camera among `query`, in the order of their first pictures.

    Its features are the mean of the unit vectors of all images of `pool` with that person and camera, at unit length
    again (Zheng et al., Scalable Person Re-identification, ICCV 2015: average pooling). Raises DataError for a query of
    which the pool has none.
    """
    labels = np.stack([query.people, query.cameras], axis=1)
    _, first, group_of = np.unique(labels, axis=0, return_index=True, return_inverse=True)
    group = {tuple(label): index for label, index in zip(labels.tolist(), group_of.ravel().tolist(), strict=True)}
    sums, counts = np.zeros((len(first), query.features.shape[1])), np.zeros(len(first), np.int64)
    for feature, person, camera in zip(pool.features, pool.people.tolist(), pool.cameras.tolist(), strict=True):
        index = group.get((person, camera))
        if index is not None:
            sums[index] += feature
            counts[index] += 1
    if not counts.all():
        person, camera = labels[first[int(np.argmin(counts))]]
        raise DataError(f"person {person} in camera {camera} is a query, but there is no picture of them to average")
    order = np.argsort(first)
    rows = first[order]
    means = l2_normalize(sums[order] / counts[order, np.newaxis])
    return RankedImages(means, query.people[rows], query.cameras[rows])

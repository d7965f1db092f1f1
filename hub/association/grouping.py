"""Groups of like things among which some pairs are known to be different."""

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Int64Array


def constrained_groups(
    similarity: NDArray[np.float64], cannot_link: NDArray[np.bool_], *, threshold: float
) -> Int64Array:
    """Agglomerative grouping by average linkage under cannot-link constraints.

    `similarity` (n, n) symmetric, NaN where unknown (then it speaks neither for nor against); `cannot_link` (n, n)
    symmetric. The two groups with the highest mean similarity are joined, while it is at least `threshold` and no pair
    between them is forbidden; of equal ones, those with the lowest members. Gives group numbers (n,) from 0 in the
    order of first use.

    >>> s = np.array([[1, 0.9, 0.8], [0.9, 1, 0.2], [0.8, 0.2, 1]])
    >>> constrained_groups(s, np.zeros((3, 3), bool), threshold=0.7).tolist()
    [0, 0, 1]
    """
    groups: list[list[int]] = [[item] for item in range(len(similarity))]
    while (best := _best_pair(groups, similarity, cannot_link)) is not None and best[0] >= threshold:
        _, first, second = best
        groups[first] = sorted(groups[first] + groups.pop(second))
    labels = np.zeros(len(similarity), np.int64)
    for label, members in enumerate(sorted(groups)):
        labels[members] = label
    return labels


def _best_pair(
    groups: list[list[int]], similarity: NDArray[np.float64], cannot_link: NDArray[np.bool_]
) -> tuple[float, int, int] | None:
    best: tuple[float, int, int] | None = None
    for first in range(len(groups)):
        for second in range(first + 1, len(groups)):
            between = np.ix_(groups[first], groups[second])
            known = similarity[between]
            known = known[~np.isnan(known)]
            if not len(known) or cannot_link[between].any():
                continue
            mean = float(known.mean())
            if best is None or mean > best[0]:
                best = (mean, first, second)
    return best

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
    n = len(similarity)
    known = ~np.isnan(similarity)
    # Between two groups: the sum over the known pairs, their number, and whether a pair is forbidden. A group is kept
    # at its lowest member; rows and columns of members that have joined one are closed by -inf.
    total = np.where(known, similarity, 0.0)
    count = known.astype(np.int64)
    forbidden = cannot_link | ~np.triu(np.ones((n, n), bool), 1)
    labels = np.arange(n)
    while n > 1:
        mean = np.divide(total, count, out=np.full((n, n), -np.inf), where=(count > 0) & ~forbidden)
        first, second = divmod(int(mean.argmax()), n)
        if not mean[first, second] >= threshold:
            break
        labels[labels == second] = first
        total[first] += total[second]
        total[:, first] += total[:, second]
        count[first] += count[second]
        count[:, first] += count[:, second]
        apart = _symmetric(forbidden, first) | _symmetric(forbidden, second)
        forbidden[first, first + 1 :] = apart[first + 1 :]
        forbidden[:first, first] = apart[:first]
        forbidden[second, :] = forbidden[:, second] = True
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def _symmetric(upper: NDArray[np.bool_], item: int) -> NDArray[np.bool_]:
    """Row `item` of the symmetric matrix of which only what lies above the diagonal counts; false for itself."""
    row = np.concatenate([upper[:item, item], [False], upper[item, item + 1 :]])
    return row.astype(bool)

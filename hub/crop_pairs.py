"""Of the pictures of two tracklets the two that look most alike: what an eye compares first."""

import numpy as np

from passerby.arrays import Float32Array, l2_normalize


def most_alike(first: Float32Array, second: Float32Array) -> tuple[int, int] | None:
    """The rows of two sets of raw embeddings (n, d) and (m, d) between which the cosine is greatest.

    Of pairs that are as like, the one with the lowest row of the first, then of the second; None where a set is empty.

    >>> most_alike(np.float32([[1, 0], [0, 2]]), np.float32([[3, 1], [1, 9]]))
    (1, 1)
    """
    if not len(first) or not len(second):
        return None
    mine, theirs = (l2_normalize(rows).astype(np.float64) for rows in (first, second))
    # Each cosine is a sum by itself: a matrix product may round that of two equal rows differently.
    cosine = np.stack([(theirs * row).sum(axis=1) for row in mine])
    row, column = divmod(int(cosine.argmax()), len(second))
    return row, column

"""How well a grouping into people explains the embeddings: a nested random-effects model, without labels.

An embedding is the person + what a camera makes of the person + noise, each Gaussian about 0 with one variance in all
axes. Two groupings of the same rows are compared by how likely the rows are under each, with the variances that fit
it: a person split in two leaves halves too alike for strangers, strangers joined leave too much noise. That somebody
looks alike within one camera is no reason to split them by cameras, as the model knows of it. Variances are estimated
from moments, as in Searle, Casella and McCulloch 1992, chapter 3.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.sparse import csr_array

from passerby.arrays import Float32Array, Int64Array, require_shape

Float64Array = NDArray[np.float64]

_LEAST_NOISE = 1e-6
"""Of the mean square of the rows; equal rows would be infinitely likely."""

_LEAST_PERSON = 1e-4
"""Variance between people over that of noise, at least."""


_AXES = 64
_ROWS_OF_AXES = 50_000


def strongest_axes(rows: Float32Array) -> Float32Array:
    """Rows (n, at most 64) about 0, along the axes in which `rows` (n, d) differ most.

    What the other axes hold is noise mostly: on simulated sites the same cuts follow from all of them, in a multiple of
    the time. Of many rows some tell the axes.
    """
    centred = (rows - rows.mean(axis=0)).astype(np.float32) if len(rows) else rows
    if rows.shape[1] <= _AXES:
        return centred
    some = centred[:: max(1, len(rows) // _ROWS_OF_AXES)]
    # In float64: of fewer rows than axes most eigenvalues are zero, and float32 spends seconds on numbers near it.
    products = (some.T @ some).astype(np.float64)
    _, axes = eigh(products, subset_by_index=[len(products) - _AXES, len(products) - 1])
    strongest: Float32Array = centred @ np.ascontiguousarray(axes, np.float32)
    return strongest


def cells(labels: Int64Array, cameras: Int64Array) -> Int64Array:
    """A number (n,) for each group in each camera; `labels` and `cameras` (n,) are any whole numbers.

    >>> cells(np.array([0, 0, 1, 0]), np.array([7, 9, 9, 7])).tolist()
    [0, 1, 2, 0]
    """
    require_shape("cameras", cameras, (len(labels),))
    _, numbers = np.unique(np.stack([labels, cameras]), axis=1, return_inverse=True)
    return numbers.reshape(-1).astype(np.int64)


def log_likelihood(rows: Float32Array, levels: Sequence[Int64Array]) -> float:
    """Of embeddings `rows` (n, d) about 0, per row and axis, up to what is the same for every grouping of these rows.

    `levels` are groupings (n,), the finest first, each made of whole groups of the one before; the last are the people.
    Each has a variance of its own. -infinity where no group has two rows: nothing tells people from noise then.
    """
    n, axes = rows.shape
    means: NDArray[np.floating] = rows
    errors = np.zeros(n)
    least = max(
        _LEAST_NOISE * float(np.mean(np.square(rows, dtype=np.float64))) if n else 0.0, np.finfo(np.float32).tiny
    )
    noise, total = None, 0.0
    inside = np.arange(n)
    for level in levels:
        _, first, parents = np.unique(level[inside], return_index=True, return_inverse=True)
        if len(first) == len(inside):
            continue  # The same groups again: no variance of their own.
        counts = np.bincount(parents).astype(np.float64)
        share = (1.0 - 1.0 / counts)[parents]
        centres = _sums(means, parents, np.ones(len(parents))) / counts[:, None]
        spread = float(_squares(means - centres[parents]).sum()) / axes
        between = (spread - float(share @ errors)) / float(share.sum())
        between = max(between, least if noise is None else 0.0)
        noise = between if noise is None else noise
        variances = between + errors
        errors = 1.0 / np.bincount(parents, weights=1.0 / variances)
        best = _sums(means, parents, 1.0 / variances) * errors[:, None]
        total += float(np.log(variances).sum() + (_squares(means - best[parents]) / variances).sum() / axes)
        total -= float(np.log(errors).sum())
        means, inside = best, inside[first]
    if noise is None:
        return -np.inf
    squares = _squares(means) / axes
    known = max(float((squares - errors).mean()), _LEAST_PERSON * noise) + errors
    total += float((np.log(known) + squares / known).sum())
    return float(-0.5 * total / n)


def _sums(rows: NDArray[np.floating], parents: Int64Array, weights: Float64Array) -> Float64Array:
    """Weighted, of the rows (n, d) of each parent."""
    gather = csr_array((weights, (parents, np.arange(len(rows)))), shape=(int(parents.max()) + 1, len(rows)))
    summed: Float64Array = np.asarray(gather @ rows, np.float64)
    return summed


def _squares(rows: NDArray[np.floating]) -> Float64Array:
    """Squared length (n,) of each row."""
    squared: Float64Array = np.einsum("nd,nd->n", rows, rows, dtype=np.float64)
    return squared

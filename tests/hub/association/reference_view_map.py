"""Naive twin of the floor's map: points taken to the other view one by one, and its error by fitting it many times."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tests.hub.association.two_views import Row

Float64Array = NDArray[np.float64]


def mapped(matrix: Sequence[float], point: Sequence[float]) -> tuple[float, float]:
    """Where a homography (9,) takes a point (x, y)."""
    a, b, c, d, e, f, g, h, i = matrix
    x, y = point
    scale = g * x + h * y + i
    return (a * x + b * y + c) / scale, (d * x + e * y + f) / scale


def fitted(rows: Sequence[Row]) -> list[float]:
    """The homography (9,) through points of two views, of least algebraic error (Hartley and Zisserman, 4.1)."""
    points = np.array(rows, np.float64)
    before, after = _frame(points[:, :2]), _frame(points[:, 3:5])
    equations = []
    for row in points:
        x, y, _ = before @ (row[0], row[1], 1.0)
        u, v, _ = after @ (row[3], row[4], 1.0)
        equations.append([-x, -y, -1.0, 0.0, 0.0, 0.0, u * x, u * y, u])
        equations.append([0.0, 0.0, 0.0, -x, -y, -1.0, v * x, v * y, v])
    least = np.linalg.svd(np.array(equations))[2][-1].reshape(3, 3)
    matrix = np.linalg.inv(after) @ least @ before
    return [float(value) for value in (matrix / matrix[2, 2]).ravel()]


def spread_of_refits(
    rows: Sequence[Row], points: Float64Array, *, heights: Float64Array, times: int, rng: np.random.Generator
) -> Float64Array:
    """How far `points` (n, 2) go about when the map is fitted to as many points drawn again and again (bootstrap).

    The standard deviation (n,) in each direction, in body heights `heights` (n,) of the other view.
    """
    landings = []
    for _ in range(times):
        drawn = rng.integers(0, len(rows), len(rows)).tolist()
        matrix = fitted([rows[index] for index in drawn])
        landings.append([mapped(matrix, point) for point in points.tolist()])
    variance = np.array(landings).var(axis=0, ddof=1).mean(axis=1)
    return np.asarray(np.sqrt(variance) / heights, np.float64)


def _frame(points: Float64Array) -> Float64Array:
    """What takes points (n, 2) to a centre of zero and a size of one."""
    x, y = points.mean(axis=0)
    size = float(np.sqrt(((points - points.mean(axis=0)) ** 2).sum(axis=1).mean()))
    return np.array([[1.0 / size, 0.0, -x / size], [0.0, 1.0 / size, -y / size], [0.0, 0.0, 1.0]])

"""The floor that two views share, as a homography learned from who was seen in both at once.

Views that overlap see the same floor, and a plane seen by two cameras is mapped by a homography (Hartley and Zisserman,
chapter 13). It is learned from who was seen in both at once and looks alike: many of them are wrong, and robust
estimation (MAGSAC++, Barath et al. 2020) finds what the others agree on. A map counts only once it fits most of its
pairs, and fits them far better than pairs mixed at random.

A map is as good as the points that it was found from: beside them, or across the line on which they lie, it knows
little. So each place that is mapped has an error of its own, by the covariance of the estimate (Hartley and Zisserman,
chapter 5).
"""

import functools
from collections.abc import Sequence

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]

_KEPT = 800
"""Points that are kept of a pair of views, the latest."""

_LEAST_POINTS = 60
_REFIT_SHARE = 1.3
_NEAR = 0.35
"""Body heights: a point that is mapped so near fits."""

_LEAST_FIT = 0.3
_POINTS_OF_CHANCE = 10.0
_BETTER_THAN_CHANCE = 2.5

SPOT_SD = 0.10
"""Body heights: how exactly a box tells where its feet are, at best."""

_POINTS_AS_ONE = 3.0
"""Points of two tracklets are much alike: so many count as one that is independent."""

_PARAMETER_SD = 3.0
"""What the parameters of a map may be, on the scale of the pictures, as long as nothing is known."""


class Transfer(msgspec.Struct, frozen=True):
    """From feet in one view to feet in another, in pixels: `matrix` (9,).

    `covariance` (64,) is of its first eight entries, the last being one, where both pictures are brought to the scale
    of their points: centre x, y and size of the points `before`, and `after`.
    """

    matrix: tuple[float, ...]
    covariance: tuple[float, ...]
    before: tuple[float, float, float]
    after: tuple[float, float, float]

    def away(
        self, here: NDArray[np.floating], there: NDArray[np.floating], *, heights: NDArray[np.floating]
    ) -> tuple[Float64Array, Float64Array]:
        """Distance (n,) in body heights between feet `here` (n, 2) as they are mapped and feet `there` (n, 2), infinite
        behind the horizon; and the standard error (n,) of what is mapped, in each direction."""
        matrix, scaled, covariance = self.arrays()
        away = _away(here, there, matrix, heights=heights, seen=self.before[:2])
        x, y, size = self.before
        columns = _derivatives(scaled, (here - np.array([x, y])) / size)
        variance = ((columns @ covariance) * columns).sum(axis=(1, 2)) / 2.0
        return away, np.sqrt(variance) * self.after[2] / np.maximum(heights, 1.0)

    def arrays(self) -> tuple[Float64Array, Float64Array, Float64Array]:
        """The matrix (3, 3), the same between frames, and the covariance (8, 8) there; not to be changed."""
        return _arrays(self)


@functools.lru_cache(maxsize=1024)
def _arrays(transfer: Transfer) -> tuple[Float64Array, Float64Array, Float64Array]:
    matrix = np.array(transfer.matrix).reshape(3, 3)
    return matrix, _scaled(matrix, transfer.before, transfer.after), np.array(transfer.covariance).reshape(8, 8)


class ViewMap(msgspec.Struct):
    """Points (n, 6) of two views seen at once, as rows (x, y, height) of the first and of the second, and the map.

    `there` takes feet of the first view to the second, `back` those of the second to the first; None while no map is
    found. `spread` is the residual in body heights of the points that fit.
    """

    points: list[tuple[float, float, float, float, float, float]] = msgspec.field(default_factory=list)
    seen: int = 0
    fitted: int = 0
    there: Transfer | None = None
    back: Transfer | None = None
    spread: float = _NEAR
    fitting_share: float = 0.0

    def learn(self, points: Sequence[tuple[float, float, float, float, float, float]]) -> None:
        """Take points that may be one person's."""
        self.points += points
        del self.points[:-_KEPT]
        self.seen += len(points)

    def refit(self) -> bool:
        """Find the homography anew when enough points have come since; True if it was tried."""
        if self.seen < max(_LEAST_POINTS, self.fitted * _REFIT_SHARE):
            return False
        self.fitted = min(self.seen, 2 * _KEPT)
        self.seen = self.fitted
        rows = np.array(self.points, np.float64)
        here, there = rows[:, :2].astype(np.float64), rows[:, 3:5].astype(np.float64)
        near_px = 0.15 * float(np.median(rows[:, 5]))
        found, _ = cv2.findHomography(here, there, cv2.USAC_MAGSAC, near_px)
        self.there = self.back = None
        if found is None or not np.isfinite(found).all():
            return True
        matrix: Float64Array = found.astype(np.float64)
        middle = np.median(here, axis=0).tolist()
        away = _away(here, there, matrix, heights=rows[:, 5], seen=middle)
        mixed = _away(here, np.roll(there, len(there) // 2, axis=0), matrix, heights=rows[:, 5], seen=middle)
        self.fitting_share = float((away < _NEAR).mean())
        by_chance = float((mixed < _NEAR).mean())
        # Few points fit something by chance.
        enough = _LEAST_FIT + _POINTS_OF_CHANCE / len(away)
        if self.fitting_share >= max(enough, _BETTER_THAN_CHANCE * by_chance):
            fitting = away < _NEAR
            self.spread = max(SPOT_SD, 1.2 * float(np.sqrt((away[fitting] ** 2).mean() / 2.0)))
            kept = np.asarray(rows[fitting], np.float64)
            self.there = _transfer(matrix, kept[:, :3], kept[:, 3:], spread=self.spread)
            self.back = _transfer(
                np.asarray(np.linalg.inv(matrix), np.float64), kept[:, 3:], kept[:, :3], spread=self.spread
            )
        return True


def _transfer(matrix: Float64Array, here: Float64Array, there: Float64Array, *, spread: float) -> Transfer:
    """A homography with the covariance that it has from points (n, 3) of two views that fit it."""
    before, after = _frame(here[:, :2]), _frame(there[:, :2])
    scaled = (here[:, :2] - np.array(before[:2])) / before[2]
    columns = _derivatives(_scaled(matrix, before, after), scaled)
    weights = (after[2] / np.maximum(there[:, 2], 1.0)) ** 2 / (spread**2 * _POINTS_AS_ONE)
    curvature = np.einsum("n,nij,nik->jk", weights, columns, columns) + np.eye(8) / _PARAMETER_SD**2
    return Transfer(
        tuple((matrix / matrix[2, 2]).ravel().tolist()),
        tuple(np.linalg.inv(curvature).ravel().tolist()),
        before,
        after,
    )


def _frame(points: Float64Array) -> tuple[float, float, float]:
    """Centre and size of points (n, 2)."""
    x, y = points.mean(axis=0).tolist()
    return x, y, max(float(np.sqrt(((points - points.mean(axis=0)) ** 2).sum(axis=1).mean())), 1.0)


def _scaled(
    matrix: Float64Array, before: tuple[float, float, float], after: tuple[float, float, float]
) -> Float64Array:
    """A homography between pictures as one between their frames, the last entry being one."""
    into = np.array([[before[2], 0.0, before[0]], [0.0, before[2], before[1]], [0.0, 0.0, 1.0]])
    out = np.array([[after[2], 0.0, after[0]], [0.0, after[2], after[1]], [0.0, 0.0, 1.0]])
    scaled = np.linalg.inv(out) @ matrix @ into
    return np.asarray(scaled / scaled[2, 2], np.float64)


def _derivatives(matrix: Float64Array, points: Float64Array) -> Float64Array:
    """How mapped points (n, 2) change with the first eight entries of a matrix whose last is one: (n, 2, 8)."""
    ones = np.concatenate([points, np.ones((len(points), 1))], axis=1)
    mapped = ones @ matrix.T
    scale = mapped[:, 2:]
    x, y = (mapped[:, :2] / scale).T
    derivatives = np.zeros((len(points), 2, 8))
    derivatives[:, 0, :3] = derivatives[:, 1, 3:6] = ones / scale
    derivatives[:, 0, 6:] = -x[:, None] * points / scale
    derivatives[:, 1, 6:] = -y[:, None] * points / scale
    return derivatives


def _away(
    here: NDArray[np.floating],
    there: NDArray[np.floating],
    matrix: Float64Array,
    *,
    heights: NDArray[np.floating],
    seen: Sequence[float],
) -> Float64Array:
    """Distance (n,) in body heights between mapped feet and those that were seen; infinite behind the horizon.

    `seen` (x, y) is a place of the floor that both views see.
    """
    mapped = np.concatenate([here, np.ones((len(here), 1))], axis=1) @ matrix.T
    scale = mapped[:, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        away = np.linalg.norm(mapped[:, :2] / scale[:, None] - there, axis=1) / np.maximum(heights, 1.0)
    # All points of a floor that is seen lie on one side of the horizon.
    side = np.sign(matrix[2, 0] * seen[0] + matrix[2, 1] * seen[1] + matrix[2, 2])
    away[(scale * side <= 0.0) | ~np.isfinite(away)] = np.inf
    return np.asarray(away, np.float64)

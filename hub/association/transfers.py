"""Many places mapped between many views in one pass: `view_map.Transfer.away` of each.

What each number comes to does not depend on what else is asked about.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.association.view_map import Transfer
from passerby.arrays import Int64Array

Float64Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Transfers:
    """t ways from view to view: `matrices` and `scaled` (t, 3, 3), `covariances` (t, 8, 8), and the centre and size of
    the points they were found from, `before` and `after` (t, 3)."""

    matrices: Float64Array
    scaled: Float64Array
    covariances: Float64Array
    before: Float64Array
    after: Float64Array

    @classmethod
    def of(cls, transfers: Sequence[Transfer]) -> "Transfers":
        """At least one."""
        parts = [(*one.arrays(), np.array(one.before), np.array(one.after)) for one in transfers]
        return cls(*(np.stack(column) for column in zip(*parts, strict=True)))

    def away(
        self, which: Int64Array, here: Float64Array, there: Float64Array, *, heights: Float64Array
    ) -> Float64Array:
        """Distances (n,) in body heights between feet `here` (n, 2), mapped by the transfer `which` (n,) of each, and
        feet `there` (n, 2); infinite behind the horizon."""
        matrix = self.matrices.reshape(-1, 9)[which].T
        x, y, scale = (matrix[row] * here[:, 0] + matrix[row + 1] * here[:, 1] + matrix[row + 2] for row in (0, 3, 6))
        with np.errstate(divide="ignore", invalid="ignore"):
            away = np.sqrt((x / scale - there[:, 0]) ** 2 + (y / scale - there[:, 1]) ** 2) / np.maximum(heights, 1.0)
        third = self.matrices[:, 2]
        side = np.sign(third[:, 0] * self.before[:, 0] + third[:, 1] * self.before[:, 1] + third[:, 2])
        away[(scale * side[which] <= 0.0) | ~np.isfinite(away)] = np.inf
        return np.asarray(away, np.float64)

    def error(self, which: Int64Array, here: Float64Array, *, heights: Float64Array) -> Float64Array:
        """Standard errors (n,) of the places to which feet `here` (n, 2) are mapped, in each direction."""
        frame = self.before[which]
        u, v = ((here - frame[:, :2]) / frame[:, 2:]).T
        matrix = self.scaled.reshape(-1, 9)[which].T
        x, y, scale = (matrix[row] * u + matrix[row + 1] * v + matrix[row + 2] for row in (0, 3, 6))
        x, y = x / scale, y / scale
        columns = np.zeros((len(which), 2, 8))
        columns[:, 0, 0] = columns[:, 1, 3] = u / scale
        columns[:, 0, 1] = columns[:, 1, 4] = v / scale
        columns[:, 0, 2] = columns[:, 1, 5] = 1.0 / scale
        columns[:, 0, 6], columns[:, 0, 7] = -x * u / scale, -x * v / scale
        columns[:, 1, 6], columns[:, 1, 7] = -y * u / scale, -y * v / scale
        variance = ((columns @ self.covariances[which]) * columns).sum(axis=(1, 2)) / 2.0
        return np.asarray(np.sqrt(variance) * self.after[which, 2] / np.maximum(heights, 1.0), np.float64)

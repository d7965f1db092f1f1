"""A made-up floor under two cameras, and the naive twin of where somebody was at once in both."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.paths import Path

Float64Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class View:
    """A camera that looks down on a floor: `project` takes floor (x, y) in metres to its picture."""

    yaw: float
    focal_px: float = 500.0
    height_m: float = 3.0
    pitch: float = 0.35

    def project(self, floor: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Feet (n, 2) and heights (n,) in pixels of people of 1.75 m who stand on `floor` (n, 2)."""
        feet, heads = self._pixels(floor, up_m=0.0), self._pixels(floor, up_m=1.75)
        return feet, np.maximum(feet[:, 1] - heads[:, 1], 1.0)

    def _pixels(self, floor: Float64Array, *, up_m: float) -> Float64Array:
        cos, sin = np.cos(self.yaw), np.sin(self.yaw)
        # The camera stands 8 m before the floor's middle, on the side that its yaw says.
        right = cos * floor[:, 0] + sin * floor[:, 1]
        ahead = -sin * floor[:, 0] + cos * floor[:, 1] + 8.0
        down = self.height_m - up_m
        depth = np.cos(self.pitch) * ahead + np.sin(self.pitch) * down
        y = -np.sin(self.pitch) * ahead + np.cos(self.pitch) * down
        return np.stack([320 + self.focal_px * right / depth, 240 + self.focal_px * y / depth], axis=1)


def together(first: Path, second: Path) -> list[tuple[float, ...]]:
    """(x, y, height) of the first and of the second, at each time of the second when both were seen whole."""
    rows = []
    for index, at_ns in enumerate(second.at_ns.tolist()):
        later = [i for i, t in enumerate(first.at_ns.tolist()) if t >= at_ns]
        earlier = [i for i, t in enumerate(first.at_ns.tolist()) if t <= at_ns]
        if not later or not earlier or second.cut[index]:
            continue
        a, b = earlier[-1], later[0]
        if at_ns == first.at_ns[a]:
            b = a
        if first.cut[a] or first.cut[b]:
            continue
        share = 0.0 if a == b else (at_ns - first.at_ns[a]) / (first.at_ns[b] - first.at_ns[a])
        x, y = first.feet[a] + share * (first.feet[b] - first.feet[a])
        height = first.heights[a] + share * (first.heights[b] - first.heights[a])
        rows.append((float(x), float(y), float(height), *second.feet[index].tolist(), float(second.heights[index])))
    return rows

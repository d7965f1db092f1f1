"""A made-up floor under two cameras, and where people who stand on it are seen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.association.view_map import ViewMap

Float64Array = NDArray[np.float64]
Row = tuple[float, float, float, float, float, float]


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


FIRST, SECOND_VIEW = View(yaw=0.0), View(yaw=1.1)


def spots(rng: np.random.Generator, count: int) -> Float64Array:
    return rng.uniform(-2.5, 2.5, (count, 2))


def pairs(rng: np.random.Generator, count: int, *, wrong: float) -> list[Row]:
    """Places of people in both views, with two pixels of noise; of the `wrong` share they are two people."""
    here, there = spots(rng, count), spots(rng, count)
    right = rng.random(count) >= wrong
    there[right] = here[right]
    (feet, heights), (other_feet, other_heights) = FIRST.project(here), SECOND_VIEW.project(there)
    feet = feet + rng.normal(0, 2, feet.shape)
    other_feet = other_feet + rng.normal(0, 2, other_feet.shape)
    return rows_of(np.column_stack([feet, heights, other_feet, other_heights]))


def standing(rng: np.random.Generator, floor: Float64Array, *, noise: float) -> list[Row]:
    """People on `floor` (n, 2) in both views; in the second their feet are wrong by `noise` body heights."""
    (feet, heights), (other_feet, other_heights) = FIRST.project(floor), SECOND_VIEW.project(floor)
    wrong = rng.normal(0, noise, feet.shape) * other_heights[:, None]
    return rows_of(np.column_stack([feet, heights, other_feet + wrong, other_heights]))


def rows_of(array: Float64Array) -> list[Row]:
    return [(a, b, c, d, e, f) for a, b, c, d, e, f in array.tolist()]


def learned(rows: list[Row]) -> ViewMap:
    view_map = ViewMap()
    view_map.learn(rows)
    assert view_map.refit()
    return view_map

"""Light in rooms: lamps in the ceiling, windows by day, and corners that get less of both."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array
from simulation.plan import Furniture, Plan, Rect, Room, Window

LAMP_HALF = (0.6, 0.3)
"""Half length and half width of a lamp panel, metres."""


@dataclass(frozen=True, slots=True)
class RoomLight:
    """The lamps (n, 2) and windows of one room."""

    room: Room
    lamps: NDArray[np.float64]
    windows: tuple[Window, ...]
    furniture: tuple[Furniture, ...]
    ceiling_m: float

    @classmethod
    def of(cls, plan: Plan, room: int) -> "RoomLight":
        """The light of a room of the plan: a lamp for every 14 square metres or so."""
        rect = plan.rooms[room].rect
        columns, rows = max(1, round((rect.x1 - rect.x0) / 3.6)), max(1, round((rect.y1 - rect.y0) / 3.6))
        xs = rect.x0 + (np.arange(columns) + 0.5) * (rect.x1 - rect.x0) / columns
        ys = rect.y0 + (np.arange(rows) + 0.5) * (rect.y1 - rect.y0) / rows
        lamps = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
        return cls(
            plan.rooms[room],
            lamps,
            tuple(window for window in plan.windows if window.room == room),
            tuple(thing for thing in plan.furniture if thing.room == room),
            plan.ceiling_m,
        )

    def artificial(self, at: Float32Array, normal: Float32Array) -> Float32Array:
        """Lamp light (n,), about 0.4-1.1, on surfaces at (n, 3) that face `normal` (3,) or (n, 3)."""
        total = np.full(len(at), 0.44, np.float32)
        for x, y in self.lamps:
            away = np.array([x, y, self.ceiling_m], np.float32) - at
            square = np.einsum("ij,ij->i", away, away)
            cosine = np.maximum(_along(away, normal), 0) / np.sqrt(square)
            total += np.asarray(0.75 * (0.25 + 0.75 * cosine) / (1 + square / 4.0), np.float32)
        return total

    def daylight(self, at: Float32Array, normal: Float32Array) -> Float32Array:
        """Window light (n,), 0 where there is no window."""
        total = np.zeros(len(at), np.float32)
        for window in self.windows:
            middle = (window.start + window.end) / 2
            place = (middle, window.at) if window.along_x else (window.at, middle)
            away = np.array([*place, (window.low + window.high) / 2], np.float32) - at
            square = np.einsum("ij,ij->i", away, away)
            cosine = np.maximum(_along(away, normal), 0) / np.sqrt(square + 0.01)
            total += np.asarray(1.1 * (0.3 + 0.7 * cosine) / (1 + square / 2.5), np.float32)
        return total

    def corners(self, at: Float32Array) -> Float32Array:
        """How much of the light reaches (n, 3), 0-1: less beside walls, floors and furniture."""
        rect = self.room.rect
        x, y, z = at[:, 0], at[:, 1], at[:, 2]
        # The nearest of the six planes is the surface itself; the second nearest makes the corner.
        nearest, second = np.full(len(at), np.inf, np.float32), np.full(len(at), np.inf, np.float32)
        for gap in (x - rect.x0, rect.x1 - x, y - rect.y0, rect.y1 - y, z, self.ceiling_m - z):
            second = np.minimum(second, np.maximum(nearest, gap))
            nearest = np.minimum(nearest, gap)
        dark = 0.34 * np.exp(-np.maximum(second, 0) / 0.28)
        for thing in self.furniture:
            dark = np.maximum(dark, 0.5 * np.exp(-_outside(thing.rect, x, y) / 0.22) * np.exp(-z / 0.3))
        return np.asarray(1 - dark, np.float32)


def _along(vectors: Float32Array, normal: Float32Array) -> Float32Array:
    """Scalar products (n,) of (n, 3) with one normal or with a normal each."""
    return np.asarray(vectors @ normal if normal.ndim == 1 else np.einsum("ij,ij->i", vectors, normal))


def _outside(rect: Rect, x: Float32Array, y: Float32Array) -> Float32Array:
    """Distance of places to a rectangle; 0 inside."""
    return np.asarray(
        np.hypot(
            np.maximum(np.maximum(rect.x0 - x, x - rect.x1), 0), np.maximum(np.maximum(rect.y0 - y, y - rect.y1), 0)
        )
    )

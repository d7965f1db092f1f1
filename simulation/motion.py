"""From corner points to a walk: rounded, with its own speed, slower in bends and at its ends."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from simulation.navigation import Point

_STEP = 0.1
"""Metres between the points of a walk."""

_ROUNDING = 3.2
"""Standard deviation of the rounding, in steps."""

_ACCELERATION = 1.1
"""m/s^2 when starting and stopping."""

_BEND_ACCELERATION = 0.9
"""m/s^2 sideways that somebody puts up with in a bend."""


@dataclass(frozen=True, slots=True)
class Walk:
    """Places over time: all arrays (n,). `time` starts at 0; `walked` is metres since the start."""

    time: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    heading: NDArray[np.float64]
    """Radians from x towards y, without jumps of a whole turn."""
    walked: NDArray[np.float64]

    @property
    def duration(self) -> float:
        """Seconds."""
        return float(self.time[-1])


def make_walk(corners: Sequence[Point], *, speed_m_s: float, aside_m: float, halts: bool, starts: bool) -> Walk:
    """Walk along `corners`. `aside_m` keeps to the right of the line; it `starts` and `halts` at rest or in stride."""
    line = _resampled(np.asarray(corners, float))
    line = line + _sideways(line) * aside_m * _ease(len(line))[:, None]
    start, end = line[0].copy(), line[-1].copy()
    smooth = gaussian_filter1d(line, _ROUNDING, axis=0, mode="nearest")
    pull = np.minimum(1.0, np.arange(len(line)) / (3 * _ROUNDING))[:, None]
    smooth = start + pull * (smooth - start)
    smooth = end + pull[::-1] * (smooth - end)
    steps = np.linalg.norm(np.diff(smooth, axis=0), axis=1)
    walked = np.concatenate([[0.0], np.cumsum(steps)])
    tangent = np.gradient(smooth, axis=0)
    heading = np.unwrap(np.arctan2(tangent[:, 1], tangent[:, 0]))
    heading = gaussian_filter1d(heading, 2.0, mode="nearest")
    bend = np.abs(np.gradient(heading)) / np.maximum(np.gradient(walked), 1e-3)
    speed = np.minimum(speed_m_s, np.sqrt(_BEND_ACCELERATION / np.maximum(bend, 1e-3)))
    speed = gaussian_filter1d(np.maximum(speed, 0.35), 2.0, mode="nearest")
    if starts:
        speed = np.minimum(speed, np.sqrt(0.15**2 + 2 * _ACCELERATION * walked))
    if halts:
        speed = np.minimum(speed, np.sqrt(0.15**2 + 2 * _ACCELERATION * (walked[-1] - walked)))
    time = np.concatenate([[0.0], np.cumsum(steps / ((speed[1:] + speed[:-1]) / 2))])
    return Walk(time, smooth[:, 0], smooth[:, 1], heading, walked)


def _resampled(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(np.diff(corners, axis=0), axis=1)
    place = np.concatenate([[0.0], np.cumsum(lengths)])
    at = np.linspace(0.0, place[-1], max(4, round(place[-1] / _STEP) + 1))
    return np.stack([np.interp(at, place, corners[:, axis]) for axis in range(2)], axis=1)


def _sideways(line: NDArray[np.float64]) -> NDArray[np.float64]:
    tangent = np.gradient(gaussian_filter1d(line, 4.0, axis=0, mode="nearest"), axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    return np.stack([tangent[:, 1], -tangent[:, 0]], axis=1)


def _ease(count: int) -> NDArray[np.float64]:
    """0 at both ends, 1 from a metre and a half on."""
    ramp = np.minimum(np.arange(count), np.arange(count)[::-1]) * _STEP / 1.5
    return np.asarray(np.clip(ramp, 0, 1))

"""Naive twin of the line from fits to evidence: what is to be least, written out, and its curvature by differences."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_STEP = 1e-3


def cost(
    line: Sequence[float],
    genuine: Sequence[float],
    impostors: Sequence[float],
    *,
    expected: Sequence[float],
    deviation: Sequence[float],
) -> float:
    """Minus the logarithm of the probability of a line (slope, offset) and of all pairs, both kinds alike in weight."""
    rarer = min(len(genuine), len(impostors))
    total = sum(0.5 * ((have - want) / sd) ** 2 for have, want, sd in zip(line, expected, deviation, strict=True))
    for kind, sign in ((genuine, 1.0), (impostors, -1.0)):
        for fit in kind:
            margin = sign * (line[0] * fit + line[1])
            total += rarer / len(kind) * (math.log1p(math.exp(-abs(margin))) + max(-margin, 0.0))
    return total


def covariance(
    line: Sequence[float],
    genuine: Sequence[float],
    impostors: Sequence[float],
    *,
    expected: Sequence[float],
    deviation: Sequence[float],
) -> NDArray[np.float64]:
    """The inverse of the curvature (2, 2) of `cost` at a line."""
    curvature = np.zeros((2, 2))
    for i in range(2):
        for j in range(2):
            for a in (-1, 1):
                for b in (-1, 1):
                    moved = np.array(line, float)
                    moved[i] += a * _STEP
                    moved[j] += b * _STEP
                    value = cost(moved.tolist(), genuine, impostors, expected=expected, deviation=deviation)
                    curvature[i, j] += a * b * value / (4 * _STEP * _STEP)
    return np.asarray(np.linalg.inv(curvature), np.float64)

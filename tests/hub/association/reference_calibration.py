"""Naive twin of the line from fits to evidence: what is to be least, written out, and its curvature by differences."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

_STEP = 1e-3
MISTAKEN = (0.06, 0.01)
"""Share of genuine pairs, and of impostors, that are not what they are taken for."""
MISTAKEN_SD = 0.7
"""How far the first is from that, as logarithms of odds."""


def cost(
    line: Sequence[float],
    genuine: Sequence[float],
    impostors: Sequence[float],
    *,
    expected: Sequence[float],
    deviation: Sequence[float],
    mistaken: Sequence[float] = MISTAKEN,
) -> float:
    """Minus the logarithm of the probability of a line (slope, offset) and of all pairs, both kinds alike in weight.

    Of pairs with a likelihood ratio g, 1 - m of the genuine ones and m of the others are taken for genuine, and so on;
    `mistaken` is m, and that of impostors.
    """
    rarer = min(len(genuine), len(impostors))
    total = sum(0.5 * ((have - want) / sd) ** 2 for have, want, sd in zip(line, expected, deviation, strict=True))
    for kind, which in ((genuine, 0), (impostors, 1)):
        for fit in kind:
            ratio = math.exp(min(700.0, max(-700.0, line[0] * fit + line[1])))
            taken = [(1.0 - mistaken[0]) * ratio + mistaken[0], 1.0 - mistaken[1] + mistaken[1] * ratio]
            total -= rarer / len(kind) * math.log(taken[which] / sum(taken))
    return total


def surprise(mistaken: float) -> float:
    """Minus the logarithm of the probability of a share of genuine pairs that are mistaken."""
    return 0.5 * ((_logit(mistaken) - _logit(MISTAKEN[0])) / MISTAKEN_SD) ** 2


def _logit(share: float) -> float:
    return math.log(share / (1.0 - share))


def covariance(
    line: Sequence[float],
    genuine: Sequence[float],
    impostors: Sequence[float],
    *,
    expected: Sequence[float],
    deviation: Sequence[float],
) -> NDArray[np.float64]:
    """The inverse of the curvature (2, 2) of `cost` at a line, if all pairs are what they are taken for."""
    curvature = np.zeros((2, 2))
    for i in range(2):
        for j in range(2):
            for a in (-1, 1):
                for b in (-1, 1):
                    moved = np.array(line, float)
                    moved[i] += a * _STEP
                    moved[j] += b * _STEP
                    value = cost(
                        moved.tolist(),
                        genuine,
                        impostors,
                        expected=expected,
                        deviation=deviation,
                        mistaken=(0.0, 0.0),
                    )
                    curvature[i, j] += a * b * value / (4 * _STEP * _STEP)
    return np.asarray(np.linalg.inv(curvature), np.float64)


def plain(
    genuine: Sequence[float], impostors: Sequence[float], *, expected: Sequence[float], deviation: Sequence[float]
) -> tuple[float, float]:
    """The slope and offset that are found where nothing is taken to be mistaken."""

    def least(line: NDArray[np.float64]) -> float:
        return cost(line.tolist(), genuine, impostors, expected=expected, deviation=deviation, mistaken=(0.0, 0.0))

    found = minimize(least, np.array(expected, np.float64), method="Nelder-Mead").x
    return float(found[0]), float(found[1])

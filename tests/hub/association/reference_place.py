"""Naive twins of where somebody was at once in two views, and of what it says how far from each other two are seen."""

import math

import numpy as np

from hub.paths import Path

TRIALS = 200_000
FARTHEST = 4.0
STEPS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, FARTHEST)
ERROR_SHARE = 0.03


def tried_out(away: float, *, spread: float) -> float:
    """Log-likelihood ratio of one person against two, `away` body heights from each other where both are measured with
    an error of `spread` in each direction: two people stand evenly spread over a disk."""
    rng = np.random.default_rng(0)
    one = np.hypot(rng.normal(0, spread, TRIALS), rng.normal(0, spread, TRIALS))
    apart = FARTHEST * np.sqrt(rng.random(TRIALS))
    two = np.hypot(apart + rng.normal(0, spread, TRIALS), rng.normal(0, spread, TRIALS))
    step = max(index for index, begin in enumerate(STEPS) if begin <= away)
    low, high = STEPS[step], STEPS[step + 1]
    shares = [float(((values >= low) & (values < high)).mean()) for values in (one, two)]
    return math.log((1.0 - ERROR_SHARE) * shares[0] / shares[1] + ERROR_SHARE)


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

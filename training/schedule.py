"""Learning rates over a training."""

import math
from collections.abc import Callable, Mapping


def warm_up_and_steps(
    progress: float, *, warm_up: float = 10 / 90, steps: tuple[float, ...] = (40 / 90, 70 / 90)
) -> float:
    """The share of the full learning rate at `progress`, 0 at the start of a training and 1 at its end.

    From a tenth it rises in a line until `warm_up`, and is divided by ten at each of `steps`: the schedule of 90 epochs
    of A Strong Baseline for re-ID (Luo et al., CVPR workshops 2019), stretched to any length.

    >>> [round(warm_up_and_steps(epoch / 90), 3) for epoch in (0, 5, 10, 39, 40, 70)]
    [0.1, 0.55, 1.0, 1.0, 0.1, 0.01]
    """
    if progress < warm_up:
        return 0.1 + 0.9 * progress / warm_up
    return float(0.1 ** sum(progress >= step for step in steps))


def warm_up_and_cosine(progress: float, *, warm_up: float = 0.05, floor: float = 0.01) -> float:
    """The same, falling as half a cosine from one to `floor`.

    >>> [round(warm_up_and_cosine(progress), 3) for progress in (0, 0.05, 0.525, 1)]
    [0.1, 1.0, 0.505, 0.01]
    """
    if progress < warm_up:
        return 0.1 + 0.9 * progress / warm_up
    along = min(1.0, (progress - warm_up) / (1.0 - warm_up))
    return floor + (1.0 - floor) * 0.5 * (1.0 + math.cos(math.pi * along))


def constant(progress: float) -> float:
    """All of it, all the time."""
    del progress
    return 1.0


SCHEDULES: Mapping[str, Callable[[float], float]] = {
    "steps": warm_up_and_steps,
    "cosine": warm_up_and_cosine,
    "constant": constant,
}
"""By the names that recipes give them."""

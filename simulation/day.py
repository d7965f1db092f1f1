"""The light of the day, which changes slowly, and what each camera makes of the change."""

from dataclasses import dataclass

import numpy as np

from simulation.streams import stream

STEP_S = 5.0
"""Light is the same for so long; a step's change is too small to see."""

_DAY_S = 1800.0
"""A day of the simulated world: long enough to be slow, short enough to pass in a test."""


@dataclass(frozen=True, slots=True)
class Light:
    """Brightness of lamps and of daylight, 1 is usual."""

    lamps: float
    day: float


class Day:
    """The light at any step of time."""

    def __init__(self, seed: int) -> None:
        self._phase = float(stream(seed, "day").uniform(0, 2 * np.pi))
        self._seed = seed

    def light(self, step: int, camera: str) -> Light:
        """As `camera` sees it: its exposure wanders a little by itself."""
        draw = stream(self._seed, "exposure", camera)
        own, period = float(draw.uniform(0, 2 * np.pi)), float(draw.uniform(200, 500))
        time = step * STEP_S
        wander = 1 + 0.05 * np.sin(2 * np.pi * time / period + own)
        sun = 0.5 + 0.5 * np.sin(2 * np.pi * time / _DAY_S + self._phase)
        return Light(lamps=float(wander * (1.02 - 0.10 * sun)), day=float(wander * (0.05 + 0.75 * sun)))

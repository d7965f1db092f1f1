"""Everybody's way through a stretch of time, as arrays."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulation.site import SimulatedSite

_STEP_S = 0.4
"""Between two looks at the world. Who accelerates by 1 m/s^2 is 2 cm beside the straight line between them."""


@dataclass(frozen=True, slots=True)
class Trajectories:
    """Places of all people at fixed times: step k is `k * step_s` seconds; element (k, i) of each is person i then.

    `places` (steps, people, 2) metres and `headings` (steps, people) radians without jumps of a turn, NaN while away.
    `person_ids` (people,), `heights_m` (people,).
    """

    step_s: float
    person_ids: NDArray[np.int64]
    heights_m: NDArray[np.float64]
    places: NDArray[np.float64]
    headings: NDArray[np.float64]

    def at(self, times_s: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Places (n, people, 2) and headings (n, people) at times (n,) within the stretch; NaN while away."""
        steps = np.asarray(times_s, np.float64) / self.step_s
        low = np.clip(np.floor(steps).astype(int), 0, max(0, len(self.places) - 2))
        high = np.minimum(low + 1, len(self.places) - 1)
        share = np.clip(steps - low, 0, 1)
        places = self.places[low] * (1 - share[:, None, None]) + self.places[high] * share[:, None, None]
        headings = self.headings[low] * (1 - share[:, None]) + self.headings[high] * share[:, None]
        return places, headings


def follow(site: SimulatedSite, *, seconds: float, progress: Callable[[float], None]) -> Trajectories:
    """Look at the world from 0 to `seconds`. `progress` hears the share done, 0-1."""
    steps = int(np.ceil(seconds / _STEP_S)) + 2
    ids = np.array(site.person_ids, np.int64)
    column = {int(person_id): index for index, person_id in enumerate(ids)}
    places = np.full((steps, len(ids), 2), np.nan)
    headings = np.full((steps, len(ids)), np.nan)
    for step in range(steps):
        for state in site.people_at(step * _STEP_S):
            index = column[state.person.person_id]
            places[step, index] = state.x, state.y
            headings[step, index] = state.heading_rad
        if step % 256 == 0:
            progress(step / steps)
    for index in range(len(ids)):
        here = np.isfinite(headings[:, index])
        headings[here, index] = np.unwrap(headings[here, index])
    heights = np.array([person.look.body.height_m for person in site.people])
    return Trajectories(_STEP_S, ids, heights, places, headings)

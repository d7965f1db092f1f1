"""The state of the world at any time: who is where, which way they face, and in which step of their walk."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d
from scipy.spatial import cKDTree

from simulation.bodies.skeleton import Measures, Stance
from simulation.kinds import SiteKind
from simulation.looks import Person
from simulation.navigation import Navigation, Point
from simulation.plan import Plan
from simulation.schedules import Schedule, Visit

_BLOCK_S = 20.0
"""Seconds for which everybody's way is computed at once, so that they can avoid each other."""

_RATE = 10
"""Places a second in a block."""

_PERSONAL_M = 0.62
"""Nearer than this people make way for each other."""

_KEPT_BLOCKS = 8


@dataclass(frozen=True, slots=True)
class PersonState:
    """One person at one time. `phase` is the fraction of the walking cycle, `case_at` where a case was put down."""

    person: Person
    x: float
    y: float
    heading_rad: float
    phase: float
    stance: Stance
    carrying: bool
    case_at: Point | None = None


class World:
    """People on a plan. Times are seconds since the world's begin, at any order; the same time gives the same state."""

    def __init__(
        self, seed: int, plan: Plan, *, kind: SiteKind, people: Sequence[Person], watched: frozenset[int] = frozenset()
    ) -> None:
        navigation = Navigation(plan)
        self._people = tuple(people)
        self._schedules = [
            Schedule(seed, person, kind=kind, navigation=navigation, people=len(people), watched=watched)
            for person in people
        ]
        # Two steps make a cycle; a step is about 0.41 of the height.
        self._cycle_m = [2 * 0.405 * Measures.of(person.look.body).height * person.gait.stride for person in people]
        self._blocks: OrderedDict[int, NDArray[np.float32]] = OrderedDict()

    @property
    def people(self) -> tuple[Person, ...]:
        """Everybody who ever comes."""
        return self._people

    def at(self, time_s: float) -> list[PersonState]:
        """Everybody who is in the world at a time, by person id."""
        moved = self._moved(time_s)
        states = []
        for index, schedule in enumerate(self._schedules):
            visit = schedule.visit_at(time_s)
            if visit is not None:
                states.append(self._state(index, visit, time_s, moved[index]))
        return states

    def _state(self, index: int, visit: Visit, time_s: float, moved: NDArray[np.float32]) -> PersonState:
        person = self._people[index]
        x, y, heading, walked = (
            float(np.interp(time_s, visit.time, row)) for row in (visit.x, visit.y, visit.heading, visit.walked)
        )
        stay = next((stay for stay in visit.stays if stay.begin <= time_s <= stay.end), None)
        return PersonState(
            person=person,
            x=x + float(moved[0]),
            y=y + float(moved[1]),
            heading_rad=heading,
            phase=walked / self._cycle_m[index] % 1.0,
            stance=stay.stance if stay else "walk",
            carrying=person.look.bag.kind == "case" and (stay is None or stay.case_at is None),
            case_at=stay.case_at if stay else None,
        )

    def _moved(self, time_s: float) -> NDArray[np.float32]:
        """How far each person (n, 2) stands aside for others at a time, metres."""
        number = int(np.floor(time_s / _BLOCK_S))
        block = self._blocks.get(number)
        if block is None:
            block = self._avoid(number)
            self._blocks[number] = block
            while len(self._blocks) > _KEPT_BLOCKS:
                self._blocks.popitem(last=False)
        at = (time_s - number * _BLOCK_S) * _RATE
        low = min(int(at), block.shape[0] - 2)
        share = np.float32(at - low)
        moved: NDArray[np.float32] = block[low] * (1 - share) + block[low + 1] * share
        return moved

    def _avoid(self, number: int) -> NDArray[np.float32]:
        """Sideways steps (times, people, 2) of one block: neighbours push each other apart, smoothly over time.

        The steps fade to nothing at the block's ends, so that blocks join without knowing each other.
        """
        times = number * _BLOCK_S + np.arange(round(_BLOCK_S * _RATE) + 1) / _RATE
        places = np.full((len(times), len(self._people), 2), np.nan)
        for index, schedule in enumerate(self._schedules):
            for visit in {id(v): v for t in times[::20] if (v := schedule.visit_at(float(t)))}.values():
                here = (times >= visit.begin) & (times <= visit.end)
                places[here, index, 0] = np.interp(times[here], visit.time, visit.x)
                places[here, index, 1] = np.interp(times[here], visit.time, visit.y)
        pushes = np.zeros(places.shape, np.float32)
        for step, row in enumerate(places):
            present = np.flatnonzero(np.isfinite(row[:, 0]))
            if len(present) < 2:
                continue
            for a, b in sorted(cKDTree(row[present]).query_pairs(_PERSONAL_M)):
                one, other = present[a], present[b]
                apart = row[one] - row[other]
                away = float(np.hypot(*apart))
                unit = apart / away if away > 1e-6 else np.array([1.0, 0.0])
                push = 0.5 * (_PERSONAL_M - away) * unit
                pushes[step, one] += push
                pushes[step, other] -= push
        window = np.hanning(13)
        smooth = convolve1d(pushes, window / window.sum() * 1.6, axis=0, mode="constant")
        fade = np.clip(np.minimum(np.arange(len(times)), np.arange(len(times))[::-1]) / 8.0, 0, 1)
        return np.asarray(np.clip(smooth, -0.45, 0.45) * fade[:, None, None], dtype=np.float32)

"""A pose atlas, filled as it is needed: each person drawn once for every step, direction and height of view.

What is kept never changes what is drawn: a sprite depends on its bins alone.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from simulation.bodies.drawing import Sprite, draw
from simulation.bodies.figure import FINE_PX_PER_M, Figure
from simulation.bodies.skeleton import Stance
from simulation.looks import Person

PHASES, YAWS = 12, 30
"""Steps of the walking cycle, and directions of view."""

PITCH_BIN: float = math.radians(5.0)

_KEPT_BYTES = 128 * 2**20
_KEPT_FIGURES = 96


@dataclass(frozen=True, slots=True)
class View:
    """How a person is seen, in bins."""

    stance: Stance
    phase: int
    yaw: int
    pitch: int
    detail: int
    carrying: bool

    @property
    def pitch_rad(self) -> float:
        """The middle of the pitch bin."""
        return self.pitch * PITCH_BIN

    @property
    def px_per_m(self) -> float:
        """The resolution of its picture."""
        return FINE_PX_PER_M / (1 << self.detail)


def view_of(*, stance: Stance, phase: float, yaw_rad: float, pitch_rad: float, px_per_m: float, carrying: bool) -> View:
    """The bins of a view that needs `px_per_m`."""
    detail = 0 if px_per_m > 66 else 1 if px_per_m > 33 else 2
    return View(
        stance=stance,
        phase=int(phase * PHASES) % PHASES if stance == "walk" else 0,
        yaw=round(yaw_rad / (2 * np.pi) * YAWS) % YAWS,
        pitch=max(-3, min(16, round(pitch_rad / PITCH_BIN))),
        detail=detail,
        carrying=carrying,
    )


class SpriteBook:
    """Sprites of a site's people, the most recently used of them kept. Not thread-safe."""

    def __init__(self) -> None:
        self._sprites: OrderedDict[tuple[int, View | None, View], Sprite] = OrderedDict()
        self._bytes = 0
        self._figures: OrderedDict[tuple[int, int], Figure] = OrderedDict()

    def person(self, person: Person, view: View) -> Sprite:
        """The person in one view."""
        key = (person.person_id, None, view)
        found = self._sprites.get(key)
        if found is None:
            samples = self._figure(person, view.detail).sample(
                phase=(view.phase + 0.5) / PHASES,
                stance=view.stance,
                yaw=view.yaw * 2 * np.pi / YAWS,
                pitch=view.pitch_rad,
                carrying=view.carrying,
            )
            found = self._keep(key, draw(samples, px_per_m=view.px_per_m))
        else:
            self._sprites.move_to_end(key)
        return found

    def case(self, person: Person, view: View) -> Sprite:
        """The person's case standing on the floor."""
        key = (person.person_id, view, view)
        found = self._sprites.get(key)
        if found is None:
            samples = self._figure(person, view.detail).sample_case(
                yaw=view.yaw * 2 * np.pi / YAWS, pitch=view.pitch_rad
            )
            found = self._keep(key, draw(samples, px_per_m=view.px_per_m))
        return found

    def _figure(self, person: Person, detail: int) -> Figure:
        key = (person.person_id, detail)
        figure = self._figures.get(key)
        if figure is None:
            figure = self._figures[key] = Figure(person, detail=detail)
            while len(self._figures) > _KEPT_FIGURES:
                self._figures.popitem(last=False)
        else:
            self._figures.move_to_end(key)
        return figure

    def _keep(self, key: tuple[int, View | None, View], sprite: Sprite) -> Sprite:
        self._sprites[key] = sprite
        self._bytes += sprite.bgra.nbytes
        while self._bytes > _KEPT_BYTES:
            self._bytes -= self._sprites.popitem(last=False)[1].bgra.nbytes
        return sprite

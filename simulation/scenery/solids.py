"""Furniture, door frames and plants as boxes and balls."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simulation.looks import Colour
from simulation.plan import Door, Furniture, FurnitureKind, Plan
from simulation.streams import stream


@dataclass(frozen=True, slots=True)
class Box:
    """An upright box between two corners, metres. `lines` are grooves per metre of its faces, 0: none."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]
    colour: Colour
    lines: float = 0.0


@dataclass(frozen=True, slots=True)
class Ball:
    """Leaves: an ellipsoid."""

    centre: tuple[float, float, float]
    radii: tuple[float, float, float]
    colour: Colour


def solids_of(thing: Furniture) -> list[Box | Ball]:
    """The parts of a piece of furniture."""
    makers: dict[FurnitureKind, Callable[[Furniture], list[Box | Ball]]] = {
        "plant": _plant, "desk": _desk, "bench": _bench, "sofa": _sofa, "shelf": _shelf, "pillar": _pillar,
    }  # fmt: skip
    return makers.get(thing.kind, _chest)(thing)


def _pillar(thing: Furniture) -> list[Box | Ball]:
    r = thing.rect
    return [Box((r.x0, r.y0, 0), (r.x1, r.y1, thing.height), thing.colour)]


def _chest(thing: Furniture) -> list[Box | Ball]:
    """Cabinets and counters: a body with doors, and a top that stands over."""
    r, h = thing.rect, thing.height
    top = Box((r.x0 - 0.03, r.y0 - 0.03, h), (r.x1 + 0.03, r.y1 + 0.03, h + 0.04), _darker(thing.colour))
    return [Box((r.x0, r.y0, 0), (r.x1, r.y1, h), thing.colour, lines=2.0), top]


def _desk(thing: Furniture) -> list[Box | Ball]:
    r, h = thing.rect, thing.height
    legs = [
        Box((x - 0.03, y - 0.03, 0), (x + 0.03, y + 0.03, h - 0.04), _darker(thing.colour))
        for x in (r.x0 + 0.06, r.x1 - 0.06)
        for y in (r.y0 + 0.06, r.y1 - 0.06)
    ]
    top = Box((r.x0, r.y0, h - 0.05), (r.x1, r.y1, h), thing.colour)
    mx, my = r.centre
    screen = Box((mx - 0.22, my - 0.03, h), (mx + 0.22, my + 0.03, h + 0.36), (0.09, 0.10, 0.11))
    return [top, *legs, screen]


def _bench(thing: Furniture) -> list[Box | Ball]:
    r, h = thing.rect, thing.height
    ends = [
        Box((x, y, 0), (x + 0.08, y + 0.08, h - 0.07), _darker(thing.colour))
        for x in (r.x0 + 0.05, r.x1 - 0.13)
        for y in (r.y0 + 0.04, r.y1 - 0.12)
    ]
    return [Box((r.x0, r.y0, h - 0.07), (r.x1, r.y1, h), thing.colour, lines=8), *ends]


def _sofa(thing: Furniture) -> list[Box | Ball]:
    r = thing.rect
    wide = r.x1 - r.x0 > r.y1 - r.y0
    sides = (
        ((r.x0, r.y0, r.x0 + 0.16, r.y1), (r.x1 - 0.16, r.y0, r.x1, r.y1))
        if wide
        else ((r.x0, r.y0, r.x1, r.y0 + 0.16), (r.x0, r.y1 - 0.16, r.x1, r.y1))
    )
    arms = [Box((x0, y0, 0.05), (x1, y1, 0.6), _darker(thing.colour)) for x0, y0, x1, y1 in sides]
    return [Box((r.x0, r.y0, 0.05), (r.x1, r.y1, 0.43), thing.colour, lines=1.6), *arms]


def _darker(colour: Colour) -> Colour:
    return colour[0] * 0.6, colour[1] * 0.6, colour[2] * 0.6


def frame_of(door: Door) -> list[Box | Ball]:
    """Jambs and lintel, which give thin walls their thickness."""
    colour: Colour = (0.86, 0.85, 0.82) if door.number % 2 else (0.40, 0.30, 0.22)
    half, thick, deep, h = door.width / 2, 0.07, 0.09, door.height
    if door.along_x:
        return [
            Box((door.x - half - thick, door.y - deep, 0), (door.x - half, door.y + deep, h), colour),
            Box((door.x + half, door.y - deep, 0), (door.x + half + thick, door.y + deep, h), colour),
            Box((door.x - half - thick, door.y - deep, h), (door.x + half + thick, door.y + deep, h + thick), colour),
        ]
    return [
        Box((door.x - deep, door.y - half - thick, 0), (door.x + deep, door.y - half, h), colour),
        Box((door.x - deep, door.y + half, 0), (door.x + deep, door.y + half + thick, h), colour),
        Box((door.x - deep, door.y - half - thick, h), (door.x + deep, door.y + half + thick, h + thick), colour),
    ]


def all_solids(plan: Plan, rooms: set[int]) -> list[Box | Ball]:
    """Everything that stands in some rooms."""
    found: list[Box | Ball] = [solid for thing in plan.furniture if thing.room in rooms for solid in solids_of(thing)]
    return found + [solid for door in plan.doors if rooms & set(door.rooms) for solid in frame_of(door)]


def _plant(thing: Furniture) -> list[Box | Ball]:
    x, y = thing.rect.centre
    draw = stream(thing.room, "plant", round(x * 100), round(y * 100))
    leaves: list[Box | Ball] = []
    for _ in range(14):
        angle, away = draw.uniform(0, 2 * np.pi), draw.uniform(0.0, 0.24)
        green = float(draw.uniform(0.6, 1.2))
        leaves.append(
            Ball(
                (
                    x + away * float(np.cos(angle)),
                    y + away * float(np.sin(angle)),
                    float(draw.uniform(0.6, thing.height)),
                ),
                (float(draw.uniform(0.07, 0.15)), float(draw.uniform(0.07, 0.15)), float(draw.uniform(0.10, 0.22))),
                (0.16 * green, 0.34 * green, 0.14 * green),
            )
        )
    return [Box((x - 0.17, y - 0.17, 0), (x + 0.17, y + 0.17, 0.42), (0.62, 0.42, 0.32)), *leaves]


def _shelf(thing: Furniture) -> list[Box | Ball]:
    r, h, c = thing.rect, thing.height, thing.colour
    draw = stream(thing.room, "shelf", round(r.x0 * 100), round(r.y0 * 100))
    parts: list[Box | Ball] = [
        Box((r.x0, r.y0, z), (r.x1, r.y1, z + 0.035), c) for z in np.linspace(0.04, h - 0.035, 5).tolist()
    ]
    wide = r.x1 - r.x0 > r.y1 - r.y0
    for z in np.linspace(0.04, h - 0.035, 5).tolist()[:-1]:
        at = 0.04
        while at < 1.25:
            long, tall = float(draw.uniform(0.08, 0.3)), float(draw.uniform(0.18, 0.34))
            red, green, blue = draw.uniform(0.12, 0.75, 3).tolist()
            if wide:
                parts.append(
                    Box((r.x0 + at, r.y0 + 0.06, z), (r.x0 + at + long, r.y1 - 0.06, z + tall), (red, green, blue), 24)
                )
            else:
                parts.append(
                    Box((r.x0 + 0.06, r.y0 + at, z), (r.x1 - 0.06, r.y0 + at + long, z + tall), (red, green, blue), 24)
                )
            at += long + float(draw.uniform(0.0, 0.12))
    ends = ((r.x0, r.x0 + 0.03), (r.x1 - 0.03, r.x1)) if wide else ((r.y0, r.y0 + 0.03), (r.y1 - 0.03, r.y1))
    for low, high in ends:
        parts.append(Box((low, r.y0, 0), (high, r.y1, h), c) if wide else Box((r.x0, low, 0), (r.x1, high, h), c))
    return parts

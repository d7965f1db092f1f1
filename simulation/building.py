"""Makes floor plans of any size: wings of rooms on both sides of a corridor."""

import math

import numpy as np

from simulation.looks import Colour
from simulation.plan import OUTSIDE, Door, FloorKind, Furniture, FurnitureKind, Plan, Rect, Room, Window
from simulation.streams import stream

_NAMES = (
    "lobby", "office", "cafe", "lounge", "studio", "library", "shop", "gallery", "workshop", "reading room", "canteen",
    "archive", "classroom", "laboratory",
)  # fmt: skip
_FLOORS: tuple[tuple[FloorKind, Colour], ...] = (
    ("tiles", (0.74, 0.72, 0.68)), ("tiles", (0.56, 0.57, 0.58)), ("wood", (0.62, 0.45, 0.29)),
    ("wood", (0.48, 0.34, 0.22)), ("carpet", (0.36, 0.40, 0.46)), ("carpet", (0.48, 0.38, 0.36)),
    ("stone", (0.62, 0.60, 0.56)), ("carpet", (0.40, 0.44, 0.38)),
)  # fmt: skip
_WALLS: tuple[Colour, ...] = (
    (0.86, 0.84, 0.79), (0.80, 0.83, 0.84), (0.88, 0.86, 0.84), (0.78, 0.80, 0.74), (0.84, 0.77, 0.69),
    (0.72, 0.77, 0.82),
)  # fmt: skip
_COLUMNS_OF_A_WING = 8


def make_plan(seed: int, watched: int) -> Plan:
    """A building with at least `watched` rooms to watch, and some that nobody watches.

    Rooms are numbered so that the first `watched` are good to watch: corridor and rooms mixed.
    """
    draw = stream(seed, "plan")
    columns = max(2, math.ceil((watched + 2) / 2.5))
    wings = math.ceil(columns / _COLUMNS_OF_A_WING)
    rects: list[tuple[Rect, bool]] = []
    links: list[tuple[int, int]] = []
    outer: list[int] = []
    y = 0.0
    spine_before = -1
    for wing in range(wings):
        count = min(_COLUMNS_OF_A_WING, columns - wing * _COLUMNS_OF_A_WING)
        lower, hall, upper = (float(draw.uniform(*span)) for span in ((6.0, 7.6), (3.8, 4.8), (6.0, 7.6)))
        x, corridor = 0.0, -1
        for column in range(count):
            wide = float(draw.uniform(7.6, 9.6))
            if column % 2 == 0:
                after = float(draw.uniform(7.6, 9.6)) if column + 1 < count else 0.0
                rects.append((Rect(x, y + lower, x + wide + after, y + lower + hall), True))
                before, corridor = corridor, len(rects) - 1
                if before >= 0:
                    links.append((before, corridor))
                else:
                    outer.append(corridor)
                split = (wide, after)
            else:
                wide = split[1]
            rects.append((Rect(x, y, x + wide, y + lower), False))
            rects.append((Rect(x, y + lower + hall, x + wide, y + lower + hall + upper), False))
            links += [(corridor, len(rects) - 2), (corridor, len(rects) - 1)]
            x += wide
        outer.append(corridor)
        if wings > 1:
            first = outer.pop(-2)
            rects.append((Rect(-4.0, y, 0.0, y + lower + hall + upper), True))
            links.append((len(rects) - 1, first))
            if spine_before >= 0:
                links.append((spine_before, len(rects) - 1))
            else:
                outer.append(len(rects) - 1)
            spine_before = len(rects) - 1
        y += lower + hall + upper
    rooms = tuple(_room(seed, number, rect, corridor) for number, (rect, corridor) in enumerate(rects))
    doors = _doors(seed, rooms, links, outer)
    furniture = tuple(thing for room in rooms for thing in _furnish(seed, room, doors))
    windows = tuple(window for room in rooms for window in _windows(room, rooms))
    return Plan(rooms, doors, furniture, windows)


def watch_order(plan: Plan) -> list[int]:
    """The rooms in the order in which they get cameras: a corridor, then rooms, so that views seldom touch."""
    corridors = [room.number for room in plan.rooms if room.corridor]
    others = [room.number for room in plan.rooms if not room.corridor]
    # Rooms of one column face each other: first all of one side, so that no two cameras see one doorway.
    others = others[0::3] + others[1::3] + others[2::3]
    ordered: list[int] = []
    while corridors or others:
        ordered += corridors[:1] + others[:2]
        corridors, others = corridors[1:], others[2:]
    return ordered


def _room(seed: int, number: int, rect: Rect, corridor: bool) -> Room:
    draw = stream(seed, "room", number)
    floor, colour = _FLOORS[int(draw.integers(0, len(_FLOORS)))]
    wall = _WALLS[int(draw.integers(0, len(_WALLS)))]
    dado = tuple(float(channel * factor) for channel, factor in zip(wall, draw.uniform(0.55, 0.95, 3), strict=True))
    name = "corridor" if corridor else _NAMES[int(draw.integers(0, len(_NAMES)))]
    return Room(number, name, rect, floor, colour, wall, (dado[0], dado[1], dado[2]), corridor)


def _doors(seed: int, rooms: tuple[Room, ...], links: list[tuple[int, int]], outer: list[int]) -> tuple[Door, ...]:
    doors: list[Door] = []
    for number, (one, other) in enumerate(links):
        draw = stream(seed, "door", number)
        a, b = rooms[one].rect, rooms[other].rect
        wide = 2.4 if rooms[one].corridor and rooms[other].corridor else 1.5
        share = float(draw.uniform(0.3, 0.7)) if wide < 2 else 0.5
        if abs(a.x1 - b.x0) < 1e-6 or abs(b.x1 - a.x0) < 1e-6:
            low, high = max(a.y0, b.y0), min(a.y1, b.y1)
            x = a.x1 if abs(a.x1 - b.x0) < 1e-6 else a.x0
            doors.append(Door(number, (one, other), x, low + share * (high - low), False, wide, 2.3))
        else:
            low, high = max(a.x0, b.x0), min(a.x1, b.x1)
            y = a.y1 if abs(a.y1 - b.y0) < 1e-6 else a.y0
            doors.append(Door(number, (one, other), low + share * (high - low), y, True, wide, 2.2))
    for order, one in enumerate(outer):
        rect = rooms[one].rect
        last = order == len(outer) - 1 or order > 0
        x = rect.x1 if last and len(outer) > 1 and order > 0 else rect.x0
        doors.append(Door(len(doors), (one, OUTSIDE), x, rect.centre[1], False, 1.9, 2.3))
    return tuple(doors)


def _windows(room: Room, rooms: tuple[Room, ...]) -> list[Window]:
    """Windows in the walls that have the world behind them."""
    rect = room.rect
    found = []
    for at, outward in ((rect.y0, -0.5), (rect.y1, 0.5)):
        middle = rect.centre[0]
        if any(other.rect.contains(middle, at + outward) for other in rooms):
            continue
        third = (rect.x1 - rect.x0) / 3
        found += [
            Window(room.number, True, at, middle - third - 0.7, middle - third + 0.9),
            Window(room.number, True, at, middle + third - 0.9, middle + third + 0.7),
        ]
    return found


def _furnish(seed: int, room: Room, doors: tuple[Door, ...]) -> list[Furniture]:
    """Furniture along the walls, and a thing or two in the middle; doors and corners stay free."""
    draw = stream(seed, "furniture", room.number)
    clear = [(door.x, door.y) for door in doors if room.number in door.rooms]
    placed: list[Furniture] = []
    sizes: dict[FurnitureKind, tuple[float, float, float]] = {
        "bench": (1.6, 0.45, 0.45), "desk": (1.5, 0.75, 0.75), "shelf": (1.4, 0.4, 1.9), "counter": (2.0, 0.6, 1.05),
        "plant": (0.5, 0.5, 1.35), "pillar": (0.45, 0.45, 3.1), "sofa": (1.8, 0.8, 0.8), "cabinet": (1.0, 0.45, 1.1),
    }  # fmt: skip
    kinds: tuple[FurnitureKind, ...] = (
        ("bench", "plant", "cabinet") if room.corridor
        else ("bench", "desk", "shelf", "counter", "plant", "sofa", "cabinet")
    )  # fmt: skip
    wanted = int(draw.integers(2, 4)) if room.corridor else int(draw.integers(4, 7))
    middle = not room.corridor and draw.random() < 0.7
    for order in range(wanted + int(middle)):
        centre_piece = middle and order == 0
        kind: FurnitureKind = (
            ("desk", "pillar", "counter")[int(draw.integers(0, 3))]
            if centre_piece
            else kinds[int(draw.integers(0, len(kinds)))]
        )
        for _ in range(6):
            thing = _place(draw, room, kind, sizes[kind], centre_piece=centre_piece)
            roomy = all(not _near(thing.rect, other.rect, 0.9 if centre_piece else 0.3) for other in placed)
            if roomy and all(not thing.rect.grown(1.15).contains(*door) for door in clear):
                placed.append(thing)
                break
    return placed


def _place(
    draw: np.random.Generator, room: Room, kind: FurnitureKind, size: tuple[float, float, float], *, centre_piece: bool
) -> Furniture:
    rect = room.rect
    long, deep, high = size
    colour = _FURNISH[int(draw.integers(0, len(_FURNISH)))]
    if centre_piece:
        x = rect.centre[0] + float(draw.uniform(-0.18, 0.18)) * (rect.x1 - rect.x0)
        y = rect.centre[1] + float(draw.uniform(-0.15, 0.15)) * (rect.y1 - rect.y0)
        return Furniture(kind, room.number, Rect(x - long / 2, y - deep / 2, x + long / 2, y + deep / 2), high, colour)
    side = int(draw.integers(0, 4)) if not room.corridor else int(draw.integers(0, 2))
    if side < 2:
        x = float(draw.uniform(rect.x0 + 1.0, max(rect.x0 + 1.01, rect.x1 - 1.0 - long)))
        y = rect.y0 + 0.04 if side == 0 else rect.y1 - 0.04 - deep
        return Furniture(kind, room.number, Rect(x, y, x + long, y + deep), high, colour)
    y = float(draw.uniform(rect.y0 + 1.0, max(rect.y0 + 1.01, rect.y1 - 1.0 - long)))
    x = rect.x0 + 0.04 if side == 2 else rect.x1 - 0.04 - deep
    return Furniture(kind, room.number, Rect(x, y, x + deep, y + long), high, colour)


def _near(one: Rect, other: Rect, gap: float) -> bool:
    grown = one.grown(gap)
    return grown.x0 < other.x1 and other.x0 < grown.x1 and grown.y0 < other.y1 and other.y0 < grown.y1


_FURNISH: tuple[Colour, ...] = (
    (0.55, 0.40, 0.26), (0.36, 0.26, 0.18), (0.78, 0.77, 0.74), (0.30, 0.33, 0.37), (0.26, 0.38, 0.44),
    (0.60, 0.28, 0.22), (0.45, 0.46, 0.40),
)  # fmt: skip

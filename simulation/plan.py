"""A floor plan: rooms, doors and furniture on a ground plane in metres."""

from dataclasses import dataclass
from typing import Literal

from simulation.looks import Colour

OUTSIDE = -1
"""The room number of the world outside."""

FloorKind = Literal["tiles", "wood", "carpet", "stone"]
FurnitureKind = Literal["bench", "desk", "shelf", "counter", "plant", "pillar", "sofa", "cabinet"]


@dataclass(frozen=True, slots=True)
class Rect:
    """An upright rectangle, metres."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def centre(self) -> tuple[float, float]:
        """Its middle."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    @property
    def area(self) -> float:
        """Square metres."""
        return (self.x1 - self.x0) * (self.y1 - self.y0)

    def grown(self, by: float) -> "Rect":
        """With each side moved out by `by`."""
        return Rect(self.x0 - by, self.y0 - by, self.x1 + by, self.y1 + by)

    def contains(self, x: float, y: float) -> bool:
        """Whether a point is inside."""
        return self.x0 <= x <= self.x1 and self.y0 <= y <= self.y1


@dataclass(frozen=True, slots=True)
class Room:
    """A room or a length of corridor."""

    number: int
    name: str
    rect: Rect
    floor: FloorKind
    floor_colour: Colour
    wall_colour: Colour
    dado_colour: Colour
    """Of the wall's lower part."""
    corridor: bool = False


@dataclass(frozen=True, slots=True)
class Door:
    """An opening in a wall that stands along x (`along_x`) or along y. `rooms` may hold OUTSIDE."""

    number: int
    rooms: tuple[int, int]
    x: float
    y: float
    along_x: bool
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Furniture:
    """A thing that stands on the floor: people walk around `rect`, and are hidden behind it."""

    kind: FurnitureKind
    room: int
    rect: Rect
    height: float
    colour: Colour


@dataclass(frozen=True, slots=True)
class Window:
    """A window in an outer wall, from `low` to `high` metres above the floor."""

    room: int
    along_x: bool
    at: float
    """The wall's y (along x) or x (along y)."""
    start: float
    end: float
    low: float = 1.0
    high: float = 2.3


@dataclass(frozen=True, slots=True)
class Plan:
    """All of it. Room k is `rooms[k]`, door k is `doors[k]`."""

    rooms: tuple[Room, ...]
    doors: tuple[Door, ...]
    furniture: tuple[Furniture, ...]
    windows: tuple[Window, ...]
    ceiling_m: float = 3.1

    def doors_of(self, room: int) -> list[Door]:
        """The doors of one room."""
        return [door for door in self.doors if room in door.rooms]

    def room_at(self, x: float, y: float) -> int:
        """The room of a point, or OUTSIDE."""
        return next((room.number for room in self.rooms if room.rect.contains(x, y)), OUTSIDE)

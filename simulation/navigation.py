"""Ways through the building: around furniture, and from room to room through doors."""

import heapq
import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from simulation.plan import OUTSIDE, Door, Plan, Rect

Point: TypeAlias = tuple[float, float]

_CLEARANCE = 0.42
"""Metres between a way and furniture: half a person and a little."""

_BODY = 0.34
"""Furniture grown by this may not be crossed."""

_THROUGH = 0.55
"""Metres before and behind a door at which a way is straight."""

_Node = TypeVar("_Node")


@dataclass(slots=True)
class Navigation:
    """Finds ways; what it found between doors it keeps."""

    plan: Plan
    _kept: dict[tuple[int, Point, Point], list[Point]] = field(default_factory=dict)
    _doors: dict[int, list[Door]] = field(default_factory=dict)
    _blocks: dict[int, list[Rect]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for door in self.plan.doors:
            for room in door.rooms:
                self._doors.setdefault(room, []).append(door)
        for thing in self.plan.furniture:
            self._blocks.setdefault(thing.room, []).append(thing.rect)

    def exits(self) -> list[Door]:
        """The doors that lead outside."""
        return self._doors.get(OUTSIDE, [])

    def blocked(self, room: int, place: Point, *, gap: float) -> bool:
        """Whether `place` is nearer than `gap` metres to furniture, a wall or a doorway of the room."""
        if not self.plan.rooms[room].rect.grown(-gap).contains(*place):
            return True
        near = any(rect.grown(gap).contains(*place) for rect in self._blocks.get(room, []))
        return near or any(
            (door.x - place[0]) ** 2 + (door.y - place[1]) ** 2 < 1.3**2 for door in self._doors.get(room, [])
        )

    def way(self, start: Point, start_room: int, *, goal: Point, goal_room: int) -> list[Point]:
        """Corner points from `start` to `goal`, both included. Both rooms must be inside the building."""
        rooms = self._rooms(start_room, goal_room)
        points, here, room = [start], start, start_room
        for door in rooms:
            beyond = door.rooms[1] if door.rooms[0] == room else door.rooms[0]
            before, after = self._passage(door, room)
            points += self._within(room, here, before, keep=here != start)[1:]
            points.append(after)
            here, room = after, beyond
        points += self._within(room, here, goal, keep=False)[1:]
        return points

    def entrance(self, door: Door) -> tuple[int, Point, Point]:
        """The room behind an exit, the place just inside it, and a place outside from which nobody is seen."""
        room = door.rooms[0] if door.rooms[1] == OUTSIDE else door.rooms[1]
        inside, out = self._passage(door, room)
        side = 3.2 if door.number % 2 else -3.2
        hidden = (out[0] + side, out[1]) if door.along_x else (out[0], out[1] + side)
        # A step straight out before the corner, so that nobody walks through the wall.
        further = (2 * out[0] - door.x, 2 * out[1] - door.y)
        shifted = (hidden[0] + further[0] - out[0], hidden[1] + further[1] - out[1])
        return room, inside, shifted

    def threshold(self, door: Door) -> Point:
        """The place just outside an exit."""
        room = door.rooms[0] if door.rooms[1] == OUTSIDE else door.rooms[1]
        out = self._passage(door, room)[1]
        return (2 * out[0] - door.x, 2 * out[1] - door.y)

    def _passage(self, door: Door, room: int) -> tuple[Point, Point]:
        """Places before and behind a door for somebody who comes from `room`."""
        rect = self.plan.rooms[room].rect
        if door.along_x:
            inward = -_THROUGH if abs(door.y - rect.y1) < 1e-6 else _THROUGH
            return (door.x, door.y + inward), (door.x, door.y - inward)
        inward = -_THROUGH if abs(door.x - rect.x1) < 1e-6 else _THROUGH
        return (door.x + inward, door.y), (door.x - inward, door.y)

    def _rooms(self, start: int, goal: int) -> list[Door]:
        """The doors to pass, by the least distance between doors."""

        def neighbours(node: tuple[int, Door | None]) -> Iterable[tuple[tuple[int, Door | None], float]]:
            room, came = node
            x, y = (came.x, came.y) if came else self.plan.rooms[room].rect.centre
            for door in self._doors.get(room, []):
                if OUTSIDE not in door.rooms and door is not came:
                    beyond = door.rooms[1] if door.rooms[0] == room else door.rooms[0]
                    yield (beyond, door), abs(door.x - x) + abs(door.y - y) + 0.1

        first: tuple[int, Door | None] = (start, None)
        path = _shortest(first, lambda node: node[0] == goal, neighbours)
        return [door for _, door in path if door is not None]

    def _within(self, room: int, start: Point, goal: Point, *, keep: bool) -> list[Point]:
        """A way inside one room: straight, or by the corners of the furniture between."""
        key = (room, start, goal)
        if key in self._kept:
            return self._kept[key]
        blocks = [rect.grown(_BODY) for rect in self._blocks.get(room, [])]
        rect = self.plan.rooms[room].rect.grown(-0.25)
        corners = [
            corner
            for block in self._blocks.get(room, [])
            for corner in _corners(block.grown(_CLEARANCE))
            if rect.contains(*corner) and not any(other.contains(*corner) for other in blocks)
        ]
        nodes = [start, goal, *corners]
        # Who starts or ends beside furniture may leave it: blocks around the ends do not count.
        walls = [block for block in blocks if not block.contains(*start) and not block.contains(*goal)]
        free: dict[tuple[int, int], float] = {}
        for i, j in itertools.combinations(range(len(nodes)), 2):
            if not any(_crosses(nodes[i], nodes[j], block) for block in walls):
                free[i, j] = free[j, i] = _distance(nodes[i], nodes[j])
        linked: Mapping[int, list[tuple[int, float]]] = {
            i: [(j, away) for (a, j), away in free.items() if a == i] for i in range(len(nodes))
        }
        found = _shortest(0, lambda node: node == 1, lambda node: linked[node])
        way = [nodes[k] for k in found] if found else [start, goal]
        if keep:
            self._kept[key] = way
        return way


def _shortest(
    start: _Node, reached: Callable[[_Node], bool], neighbours: Callable[[_Node], Iterable[tuple[_Node, float]]]
) -> list[_Node]:
    """Dijkstra's way from `start` to the first node that is `reached`; empty when there is none."""
    count = itertools.count()  # Equal distances: first come, first served, and nodes are never compared.
    queue: list[tuple[float, int, _Node, _Node | None]] = [(0.0, next(count), start, None)]
    came: dict[_Node, _Node | None] = {}
    while queue:
        away, _, node, before = heapq.heappop(queue)
        if node in came:
            continue
        came[node] = before
        if reached(node):
            path = [node]
            while (previous := came[path[-1]]) is not None:
                path.append(previous)
            return path[::-1]
        for other, step in neighbours(node):
            if other not in came:
                heapq.heappush(queue, (away + step, next(count), other, node))
    return []


def _corners(rect: Rect) -> tuple[Point, Point, Point, Point]:
    return (rect.x0, rect.y0), (rect.x1, rect.y0), (rect.x0, rect.y1), (rect.x1, rect.y1)


def _distance(a: Point, b: Point) -> float:
    return float(((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) ** 0.5)


def _crosses(a: Point, b: Point, rect: Rect) -> bool:
    """Whether the segment from a to b enters the rectangle (Liang and Barsky, 1984)."""
    low, high = 0.0, 1.0
    for start, step, least, most in (
        (a[0], b[0] - a[0], rect.x0, rect.x1),
        (a[1], b[1] - a[1], rect.y0, rect.y1),
    ):
        if abs(step) < 1e-12:
            if not least < start < most:
                return False
            continue
        one, other = (least - start) / step, (most - start) / step
        low, high = max(low, min(one, other)), min(high, max(one, other))
        if low >= high:
            return False
    return True

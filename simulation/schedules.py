"""Who goes where and when: visits with stops, meetings, cases put down, and times away."""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulation.bodies.skeleton import Stance
from simulation.kinds import SiteKind
from simulation.looks import Person
from simulation.motion import Walk, make_walk
from simulation.navigation import Navigation, Point
from simulation.streams import stream

_EPOCH_S = 900.0
"""A jump to any time costs no more than the visits of one epoch."""

_KEPT_EPOCHS = 3

_TURN_S = 0.7
"""Seconds to turn on the spot."""

_STANCES: tuple[Stance, ...] = ("stand", "rest", "phone")


@dataclass(frozen=True, slots=True)
class Stop:
    """Standing somewhere: until `leave_at` if that is set (a meeting's end), else for `dwell_s`."""

    room: int
    place: Point
    facing_rad: float
    dwell_s: float
    stance: Stance
    leave_at: float | None = None
    puts_down: bool = False


@dataclass(frozen=True, slots=True)
class Stay:
    """The standing part of a visit: seconds of world time; where a case stands meanwhile, if it was put down."""

    begin: float
    end: float
    stance: Stance
    case_at: Point | None


@dataclass(frozen=True, slots=True)
class Visit:
    """One presence of one person, from outside to outside. The arrays (n,) are by world time, ascending."""

    time: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    heading: NDArray[np.float64]
    walked: NDArray[np.float64]
    stays: tuple[Stay, ...]

    @property
    def begin(self) -> float:
        """World time at which it starts."""
        return float(self.time[0])

    @property
    def end(self) -> float:
        """World time at which it ends."""
        return float(self.time[-1])


class Schedule:
    """The visits of one person, in epochs that are made when they are asked for and do not know each other.

    A visit that would not end within its epoch is left out. Everybody's epochs begin at another time.
    """

    def __init__(
        self,
        seed: int,
        person: Person,
        *,
        kind: SiteKind,
        navigation: Navigation,
        people: int,
        watched: frozenset[int] = frozenset(),
    ) -> None:
        self._seed, self._person, self._kind, self._navigation, self._people = seed, person, kind, navigation, people
        self._epochs: OrderedDict[int, list[Visit]] = OrderedDict()
        draw = stream(seed, "habits", person.person_id)
        rooms = navigation.plan.rooms
        count = min(len(rooms), 3)
        # Cameras hang where people go: a watched room is somebody's own more often than another, a corridor seldom.
        likely = np.array([0.4 if room.corridor else 2.5 if room.number in watched else 1.0 for room in rooms])
        self._home = [int(k) for k in draw.choice(len(rooms), size=count, replace=False, p=likely / likely.sum())]
        self._aside = float(draw.normal(0.22, 0.10))
        self._shift = float(draw.uniform(0.0, _EPOCH_S))

    def visit_at(self, time: float) -> Visit | None:
        """The visit under way at `time`, or None when away."""
        number = int(np.floor((time - self._shift) / _EPOCH_S))
        visits = self._epochs.get(number)
        if visits is None:
            visits = self._epochs[number] = self._make_epoch(number)
            while len(self._epochs) > _KEPT_EPOCHS:
                self._epochs.popitem(last=False)
        return next((visit for visit in visits if visit.begin <= time <= visit.end), None)

    def _make_epoch(self, number: int) -> list[Visit]:
        draw = stream(self._seed, "epoch", self._person.person_id, number)
        end = self._shift + (number + 1) * _EPOCH_S
        now = end - _EPOCH_S + float(draw.uniform(0.0, 0.5 * self._kind.away_s))
        visits: list[Visit] = []
        while now < end:
            visit = self._make(draw, now)
            if visit.end < end:
                visits.append(visit)
            now = visit.end + 3.0 + float(draw.exponential(self._kind.away_s))
        return visits

    def _make(self, draw: np.random.Generator, begin: float) -> Visit:
        exits = self._navigation.exits()
        way_in, way_out = (exits[int(draw.integers(0, len(exits)))] for _ in range(2))
        room, inside, hidden = self._navigation.entrance(way_in)
        builder = _Builder(self._person, begin, aside_m=self._aside)
        corners = [hidden, self._navigation.threshold(way_in), inside]
        here, wanted = inside, int(draw.integers(self._kind.stops[0], self._kind.stops[1] + 1))
        for _ in range(wanted):
            arrives = builder.now + 6.0
            stop = self._meeting(arrives) or self._stop(draw)
            corners += self._navigation.way(here, room, goal=stop.place, goal_room=stop.room)[1:]
            builder.walk(corners, halts=True)
            builder.stay(stop)
            here, room, corners = stop.place, stop.room, [stop.place]
        last_room, last_inside, last_hidden = self._navigation.entrance(way_out)
        corners += self._navigation.way(here, room, goal=last_inside, goal_room=last_room)[1:]
        corners += [self._navigation.threshold(way_out), last_hidden]
        builder.walk(corners, halts=False)
        return builder.done()

    def _stop(self, draw: np.random.Generator) -> Stop:
        rooms = self._navigation.plan.rooms
        at_home = draw.random() < self._kind.home_share
        room = self._home[int(draw.integers(0, len(self._home)))] if at_home else int(draw.integers(0, len(rooms)))
        low, high = self._kind.dwell_s
        return Stop(
            room=room,
            place=self._free_place(draw, room),
            facing_rad=float(draw.uniform(-np.pi, np.pi)),
            dwell_s=float(np.exp(draw.uniform(np.log(low), np.log(high)))),
            stance=_STANCES[int(draw.integers(0, 3))],
            puts_down=self._person.look.bag.kind == "case" and bool(draw.random() < 0.6),
        )

    def _free_place(self, draw: np.random.Generator, room: int) -> Point:
        rect = self._navigation.plan.rooms[room].rect
        for gap in (0.75, 0.75, 0.75, 0.75, 0.6, 0.6, 0.5, 0.45):
            place = float(draw.uniform(rect.x0 + gap, rect.x1 - gap)), float(draw.uniform(rect.y0 + gap, rect.y1 - gap))
            if not self._navigation.blocked(room, place, gap=gap):
                return place
        return rect.x0 + 0.9, rect.y0 + 0.9  # Corners are free of furniture.

    def _meeting(self, arrives: float) -> Stop | None:
        """A meeting that this person is invited to and can reach. Both who are invited decide by themselves."""
        between = 60.0 / max(1e-6, self._kind.meeting_share * self._people)
        first = max(0, int(np.ceil((arrives - 5.0) / between)))
        for number in range(first, first + max(1, min(12, int(35.0 / between)))):
            draw = stream(self._seed, "meeting", number)
            if self._people < 2:
                return None
            pair = [int(k) + 1 for k in draw.choice(self._people, size=2, replace=False)]
            if self._person.person_id not in pair:
                continue
            room = int(draw.integers(0, len(self._navigation.plan.rooms)))
            centre, angle = self._free_place(draw, room), float(draw.uniform(-np.pi, np.pi))
            lasts = float(draw.uniform(6.0, 16.0))
            side = -1.0 if self._person.person_id == pair[0] else 1.0
            place = (centre[0] + side * 0.45 * float(np.cos(angle)), centre[1] + side * 0.45 * float(np.sin(angle)))
            if self._navigation.blocked(room, place, gap=0.4):
                continue
            facing = angle if side < 0 else angle + np.pi
            return Stop(room, place, facing, 0.0, _STANCES[int(draw.integers(0, 2))], number * between + 12.0 + lasts)
        return None


class _Builder:
    """Joins walks and stays to a visit."""

    def __init__(self, person: Person, begin: float, *, aside_m: float) -> None:
        self._person, self._aside = person, aside_m
        self.now = begin
        self._rows: list[NDArray[np.float64]] = []
        self._stays: list[Stay] = []
        self._rests = False

    def walk(self, corners: list[Point], *, halts: bool) -> None:
        """Go on along `corners`."""
        walk: Walk = make_walk(
            corners, speed_m_s=self._person.gait.speed_m_s, aside_m=self._aside, halts=halts, starts=self._rests
        )
        before = self._rows[-1][:, -1] if self._rows else None
        heading = walk.heading
        walked = walk.walked
        if before is not None:
            heading = heading + 2 * np.pi * np.round((before[3] - heading[0]) / (2 * np.pi))
            walked = walked + before[4]
        self._rows.append(np.stack([walk.time + self.now, walk.x, walk.y, heading, walked]))
        self.now += walk.duration
        self._rests = halts

    def stay(self, stop: Stop) -> None:
        """Turn to where the stop faces, stand there, and be ready to leave."""
        _, x, y, heading, walked = self._rows[-1][:, -1]
        lasts = stop.dwell_s if stop.leave_at is None else max(1.5, stop.leave_at - self.now)
        lasts = max(lasts, 1.5)
        facing = stop.facing_rad + 2 * np.pi * np.round((heading - stop.facing_rad) / (2 * np.pi))
        times = self.now + np.array([1e-3, _TURN_S, lasts])
        count = len(times)
        self._rows.append(
            np.stack([times, np.full(count, x), np.full(count, y), [heading, facing, facing], np.full(count, walked)])
        )
        right = (x + 0.38 * np.cos(facing - 1.3), y + 0.38 * np.sin(facing - 1.3))
        begin, end = self.now, self.now + lasts
        case = (float(right[0]), float(right[1])) if stop.puts_down else None
        self._stays.append(Stay(begin, end, stop.stance, case))
        self.now = end + _TURN_S * 0.5

    def done(self) -> Visit:
        """The visit."""
        time, x, y, heading, walked = np.concatenate(self._rows, axis=1)
        return Visit(time, x, y, heading, walked, tuple(self._stays))

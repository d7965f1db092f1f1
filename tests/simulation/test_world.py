"""The building and the people in it: any size, any time, through doors and around furniture."""

import itertools

import numpy as np
import pytest

from simulation.building import make_plan, watch_order
from simulation.kinds import KINDS
from simulation.motion import make_walk
from simulation.navigation import Navigation
from simulation.plan import OUTSIDE, Plan
from simulation.wardrobe import random_people
from simulation.world import World


def world_of(seed: int, *, people: int = 10, watched: int = 3) -> tuple[World, Plan]:
    plan = make_plan(seed, watched)
    kind = KINDS["default"]
    return World(seed, plan, kind=kind, people=random_people(seed, people, dresses=kind.dresses)), plan


@pytest.mark.parametrize("watched", [1, 2, 5, 40, 300])
def test_a_plan_has_rooms_enough_and_all_are_connected(watched: int) -> None:
    plan = make_plan(8, watched)
    assert len(set(watch_order(plan))) == len(plan.rooms) >= watched + 1
    reached = {OUTSIDE}
    for _ in plan.rooms:
        reached |= {room for door in plan.doors if reached & set(door.rooms) for room in door.rooms}
    assert reached == {OUTSIDE, *range(len(plan.rooms))}


def test_doors_stand_in_the_walls_of_their_rooms() -> None:
    plan = make_plan(-3, 30)
    for door in plan.doors:
        for room in door.rooms:
            if room != OUTSIDE:
                rect = plan.rooms[room].rect
                walls = (rect.y0, rect.y1) if door.along_x else (rect.x0, rect.x1)
                at = door.y if door.along_x else door.x
                assert min(abs(at - wall) for wall in walls) < 1e-6


def test_rooms_do_not_overlap() -> None:
    plan = make_plan(4, 60)
    for index, room in enumerate(plan.rooms):
        inner = room.rect.grown(-0.01)
        for other in plan.rooms[index + 1 :]:
            a, b = inner, other.rect
            assert not (a.x0 < b.x1 and b.x0 < a.x1 and a.y0 < b.y1 and b.y0 < a.y1)


def test_ways_keep_clear_of_furniture() -> None:
    plan = make_plan(21, 8)
    navigation = Navigation(plan)
    for start in range(len(plan.rooms)):
        for goal in range(len(plan.rooms)):
            ends = [(plan.rooms[k].rect.x0 + 0.9, plan.rooms[k].rect.y0 + 0.9) for k in (start, goal)]
            way = navigation.way(ends[0], start, goal=ends[1], goal_room=goal)
            assert way[0] == ends[0]
            assert way[-1] == ends[1]
            for a, b in itertools.pairwise(way):
                for share in np.linspace(0, 1, 15):
                    x, y = a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])
                    assert plan.room_at(x, y) != OUTSIDE
                    assert not any(thing.rect.contains(x, y) for thing in plan.furniture)


def test_a_walk_starts_and_ends_where_it_should_at_a_human_speed() -> None:
    corners = [(0.0, 0.0), (4.0, 0.0), (4.0, 3.0), (9.0, 3.5)]
    walk = make_walk(corners, speed_m_s=1.4, aside_m=0.2, starts=True, halts=True)
    assert (walk.x[0], walk.y[0]) == pytest.approx((0, 0))
    assert (walk.x[-1], walk.y[-1]) == pytest.approx((9.0, 3.5))
    assert (np.diff(walk.time) > 0).all()
    speed = np.hypot(np.diff(walk.x), np.diff(walk.y)) / np.diff(walk.time)
    assert speed.max() <= 1.45
    assert speed[0] < 0.7
    assert speed[-1] < 0.7
    assert np.abs(np.diff(walk.heading)).max() < 0.5


def test_a_walk_of_no_length_takes_a_moment() -> None:
    walk = make_walk([(1.0, 1.0), (1.0, 1.0)], speed_m_s=1.0, aside_m=0.2, starts=True, halts=True)
    assert np.isfinite(walk.time).all()
    assert walk.duration < 1.0


@pytest.mark.parametrize("seed", [3, -(10**25), 10**25])
def test_people_walk_inside_at_human_speeds_and_not_through_furniture(seed: int) -> None:
    world, plan = world_of(seed)
    before: dict[int, tuple[float, float]] = {}
    inside = through = count = 0
    fastest = 0.0
    for step in range(1200):
        now: dict[int, tuple[float, float]] = {}
        for state in world.at(step / 10):
            now[state.person.person_id] = (state.x, state.y)
            count += 1
            inside += plan.room_at(state.x, state.y) != OUTSIDE
            through += any(thing.rect.grown(-0.05).contains(state.x, state.y) for thing in plan.furniture)
            if state.person.person_id in before:
                x, y = before[state.person.person_id]
                fastest = max(fastest, float(np.hypot(state.x - x, state.y - y)) * 10)
        before = now
    assert count > 1200
    assert inside / count > 0.8
    assert through / count < 0.01
    assert fastest < 3.2


def test_any_time_at_any_order_gives_the_same_state() -> None:
    times = [0.0, 12.3, 100.0, 86_400.0, -50.0, 3.1e6]
    forward, _ = world_of(7)
    backward, _ = world_of(7)
    states = [forward.at(time) for time in times]
    assert states == [backward.at(time) for time in reversed(times)][::-1]
    assert sum(map(len, states)) > 10


def test_people_leave_and_come_back_stand_and_put_down_cases() -> None:
    world, _ = world_of(11, people=16)
    seen = [{s.person.person_id: s for s in world.at(float(t))} for t in range(0, 600, 2)]
    someone = max(range(1, 17), key=lambda k: sum(k in states for states in seen))
    changes = sum((someone in a) != (someone in b) for a, b in itertools.pairwise(seen))
    assert changes >= 2
    every = [state for states in seen for state in states.values()]
    assert {"walk", "stand", "rest", "phone"} == {state.stance for state in every}
    put_down = [state for state in every if state.case_at is not None]
    assert put_down
    assert not any(state.carrying for state in put_down)


def test_people_meet() -> None:
    world, _ = world_of(2, people=14)
    together = 0
    for time in range(0, 400, 2):
        standing = [s for s in world.at(float(time)) if s.stance != "walk"]
        for k, one in enumerate(standing):
            for other in standing[k + 1 :]:
                facing = np.cos(one.heading_rad - other.heading_rad)
                together += np.hypot(one.x - other.x, one.y - other.y) < 1.2 and facing < -0.8
    assert together >= 3


def test_people_make_way_for_each_other() -> None:
    world, _ = world_of(13, people=24)
    nearest = []
    for step in range(0, 1200, 2):
        states = world.at(step / 10)
        places = np.array([[s.x, s.y] for s in states])
        if len(places) > 1:
            apart = np.linalg.norm(places[:, None] - places[None], axis=-1)[np.triu_indices(len(places), 1)]
            nearest += apart[apart < 0.6].tolist()
    # Bodies are half a metre wide: to be nearer than 20 cm must be rare.
    assert sum(value < 0.2 for value in nearest) < 25


def test_an_empty_world_is_empty() -> None:
    world, _ = world_of(1, people=0)
    assert world.at(10.0) == []

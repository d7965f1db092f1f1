"""Who the people are: by seed alone, in families and uniforms, each to be drawn from every side."""

import dataclasses
from collections import Counter

import numpy as np
import pytest

from simulation.bodies.drawing import draw
from simulation.bodies.figure import FINE_PX_PER_M, Figure, view_axes
from simulation.bodies.skeleton import Measures, Stance, walking_pose
from simulation.looks import Gait, Person
from simulation.streams import smooth_noise, stream
from simulation.wardrobe import Dresses, random_people


@pytest.fixture(scope="module")
def person() -> Person:
    return next(p for p in random_people(5, 400) if p.look.top.logo_back_m > 0 and p.look.bag.kind == "case")


@pytest.mark.parametrize("seed", [0, 1, -1, 2**31, -(10**40), 10**40])
def test_any_integer_is_a_seed(seed: int) -> None:
    assert random_people(seed, 2) == random_people(seed, 2)


def test_seeds_make_different_people() -> None:
    assert random_people(1, 3) != random_people(-1, 3)


def test_more_people_do_not_change_the_first_ones() -> None:
    assert random_people(9, 30)[:7] == random_people(9, 7)


def test_nobody_is_a_list_of_nobody() -> None:
    assert random_people(1, 0) == []


def test_streams_with_other_names_are_independent() -> None:
    draws = [stream(1, *names).random() for names in (("a",), ("b",), ("a", "b"), ("ab",), (1,), ("1",))]
    assert len(set(draws)) == len(draws)


def test_smooth_noise_closes_around() -> None:
    noise = smooth_noise(stream(1), (40, 90), grain=(8, 8))
    step = np.abs(np.diff(noise, axis=1)).max()
    assert np.abs(noise[:, 0] - noise[:, -1]).max() <= 1.5 * step


def test_uniforms_are_worn_by_many_alike() -> None:
    people = random_people(2, 60, dresses=Dresses(uniform_share=0.6, uniforms=2, double_share=0.0))
    wearers = [p for p in people if p.family >= 0]
    assert 20 < len(wearers) < 52
    assert len({p.family for p in wearers}) == 2
    for family in {p.family for p in wearers}:
        assert len({(p.look.top, p.look.bottom, p.look.shoes) for p in wearers if p.family == family}) == 1
    assert len({p.look.body for p in wearers}) == len(wearers)


def test_near_doubles_are_close_but_not_the_same() -> None:
    people = random_people(4, 60, dresses=Dresses(double_share=0.5))
    family, count = Counter(p.family for p in people if p.family >= 0).most_common(1)[0]
    assert count >= 2
    colours = np.array([p.look.top.colour for p in people if p.family == family])
    assert len(np.unique(colours, axis=0)) == count
    assert np.ptp(colours, axis=0).max() < 0.25


def test_a_back_is_not_a_front(person: Person) -> None:
    figure = Figure(person)
    front, back = (
        draw(figure.sample(phase=0.2, stance="stand", yaw=yaw, pitch=0.2, carrying=False), px_per_m=FINE_PX_PER_M)
        for yaw in (0.0, np.pi)
    )
    rows = min(front.bgra.shape[0], back.bgra.shape[0])
    columns = min(front.bgra.shape[1], back.bgra.shape[1])
    middle = np.s_[: rows // 2, columns // 2 - 12 : columns // 2 + 12, :3]
    apart = np.abs(front.bgra[middle].astype(int) - back.bgra[middle][:, ::-1].astype(int))
    assert apart.mean() > 10


def test_the_view_from_above_is_shorter(person: Person) -> None:
    figure = Figure(person)
    heights = []
    for pitch in (0.0, 0.5, 1.0):
        sprite = draw(
            figure.sample(phase=0.0, stance="stand", yaw=0.4, pitch=pitch, carrying=False), px_per_m=FINE_PX_PER_M
        )
        heights.append(sprite.bounds_xyxy[3] - sprite.bounds_xyxy[1])
    assert heights[0] > heights[1] > heights[2]
    assert heights[0] == pytest.approx(person.look.body.height_m * FINE_PX_PER_M, rel=0.06)


@pytest.mark.parametrize("stance", ["walk", "stand", "rest", "phone"])
@pytest.mark.parametrize("phase", np.linspace(0, 0.95, 7).tolist())
def test_the_lower_foot_is_on_the_ground(person: Person, phase: float, stance: Stance) -> None:
    measures = Measures.of(person.look.body)
    pose = walking_pose(measures, person.gait, phase=phase, stance=stance)
    soles = pose.ankles[:, 2] - measures.ankle
    assert -0.02 < soles.min() < 0.16
    samples = Figure(person).sample(phase=phase, stance=stance, yaw=1.0, pitch=0.0, carrying=False)
    assert samples.xyz[:, 1].max() == pytest.approx(0.0, abs=0.03)


def test_legs_keep_their_length(person: Person) -> None:
    measures = Measures.of(person.look.body)
    for phase in np.linspace(0, 1, 13):
        pose = walking_pose(measures, Gait(1.2), phase=float(phase), stance="walk")
        thighs = np.linalg.norm(pose.knees - pose.hips, axis=1)
        assert np.allclose(thighs, measures.thigh, rtol=0.02)


def test_a_case_shows_only_while_it_is_carried(person: Person) -> None:
    figure = Figure(person)
    views = [
        figure.sample(phase=0.1, stance="walk", yaw=-1.5, pitch=0.1, carrying=carrying) for carrying in (True, False)
    ]
    assert len(views[0].light) > len(views[1].light)
    assert len(figure.sample_case(yaw=0.3, pitch=0.2).light) > 100


def test_view_axes_are_a_frame() -> None:
    axes = view_axes(0.7, 0.4)
    assert np.allclose(axes @ axes.T, np.eye(3))


def test_every_kind_of_garment_hair_and_bag_can_be_drawn() -> None:
    people = random_people(12, 300, dresses=Dresses(bag_share=0.9))
    seen: dict[str, set[str]] = {"top": set(), "bottom": set(), "hair": set(), "hat": set(), "bag": set()}
    for someone in people:
        look = someone.look
        for key, value in zip(
            seen, (look.top.kind, look.bottom.kind, look.head.hair, look.head.headwear, look.bag.kind), strict=True
        ):
            if value not in seen[key]:
                seen[key].add(value)
                samples = Figure(someone, detail=2).sample(phase=0.4, stance="walk", yaw=2.0, pitch=0.3, carrying=True)
                assert np.isfinite(samples.xyz).all()
                assert samples.light.min() > 0
    assert len(seen["top"]) == 9
    assert len(seen["bottom"]) == 4
    assert len(seen["hair"]) == 8
    assert len(seen["hat"]) == 5
    assert len(seen["bag"]) == 4


def test_folds_are_of_the_look_alone(person: Person) -> None:
    other = dataclasses.replace(person, person_id=77)
    first, second = (
        Figure(p, detail=1).sample(phase=0.3, stance="walk", yaw=0.5, pitch=0.2, carrying=True) for p in (person, other)
    )
    assert np.array_equal(first.light, second.light)

"""Has a camera changed, or is it the people?"""

import numpy as np
import pytest

from passerby.features.change_points import (
    DRIFT_WINDOW,
    FEWEST_BEFORE,
    JUMP_WINDOWS,
    crowd_of,
    drift,
    jump,
    offset_energy,
    returned,
)

_D = 128
_AXES = np.exp(-np.arange(_D) / 40)
"""Some 40 axes count, as with PKU-Reid's people: 27, 45 and 67."""


def _people(random, count, *, mean=0.0):
    return mean + _AXES * random.normal(size=(count, _D))


def _step(random, energy):
    """A shift whose energy is this share of the variance between people."""
    direction = _AXES * random.normal(size=_D)
    return direction * np.sqrt(energy * (_AXES**2).sum() / (direction**2).sum())


@pytest.mark.parametrize("window", JUMP_WINDOWS)
@pytest.mark.parametrize("energy", [0.0, 0.5])
def test_the_energy_of_an_offset_is_told_without_bias(window, energy):
    random = np.random.default_rng(window)
    found = []
    for _ in range(400):
        recent = _people(random, window, mean=_step(random, energy))
        found.append(offset_energy(recent, crowd_of(_people(random, 60))))
    # Scatter that is small by chance is taken for likeness, which costs some of few people's.
    assert energy - 0.15 < np.mean(found) < energy + 0.02


def test_nothing_is_a_jump_where_nothing_jumps():
    random = np.random.default_rng(0)
    assert not any(jump(_people(random, random.integers(2, 120))) for _ in range(500))


def test_a_step_is_found_with_the_people_after_it():
    random = np.random.default_rng(1)
    for _ in range(50):
        rows = np.concatenate([_people(random, 12, mean=_step(random, 1.5)), _people(random, 40)])
        assert jump(rows) in (6, 8, 12)


@pytest.mark.parametrize("share", [0.5, 0.75, 0.95])
def test_people_in_one_uniform_are_no_jump(share):
    random, found = np.random.default_rng(2), 0
    for _ in range(200):
        uniform = _people(random, 1)
        team = np.sqrt(share) * uniform + np.sqrt(1 - share) * _people(random, 12)
        found += jump(np.concatenate([team, _people(random, 40)])) > 0
    assert found <= 6  # 3%, of teams that come all at once and one after the other.


@pytest.mark.parametrize("count", [0, 1, FEWEST_BEFORE, FEWEST_BEFORE + JUMP_WINDOWS[0] - 1])
def test_a_camera_too_young_to_be_judged_does_not_jump(count):
    random = np.random.default_rng(3)
    rows = _people(random, count)
    rows[:6] += 100.0
    assert jump(rows) == 0


def test_people_who_are_all_the_same_neither_jump_nor_drift_nor_return():
    same = np.ones((40, _D))
    assert jump(same) == 0
    assert drift(same[:DRIFT_WINDOW], crowd_of(same[DRIFT_WINDOW:])) == 0.0
    assert returned(same, other=same) == 0
    assert returned(same, other=same + 1.0) == 0


def test_huge_numbers_are_judged_like_small_ones():
    random = np.random.default_rng(4)
    rows = np.concatenate([_people(random, 8, mean=_step(random, 3.0)), _people(random, 30)])
    assert jump(rows) == jump(rows * 1e37) > 0


def test_drift_is_about_one_by_chance_and_grows_with_the_offset():
    random = np.random.default_rng(5)

    def typical(energy):
        values = [
            drift(_people(random, DRIFT_WINDOW, mean=_step(random, energy)), crowd_of(_people(random, 60)))
            for _ in range(100)
        ]
        return float(np.mean(values))

    assert typical(0.0) == pytest.approx(0.9, abs=0.15)
    assert typical(0.3) > 1.8
    assert typical(1.0) > 3.0


def test_a_known_light_is_back_within_some_people_and_the_count_says_since_whom():
    random, found = np.random.default_rng(6), []
    for _ in range(100):
        step = _step(random, 1.0)
        night, day = _people(random, 20, mean=step), _people(random, 40)
        found.append(
            next((n for n in range(1, 8) if returned(np.concatenate([_people(random, n), night]), other=day)), 8)
        )
    assert np.median(found) == 2  # One, where somebody of before is on the other side by chance.
    assert np.quantile(found, 0.9) <= 4


def test_people_of_the_present_light_do_not_bring_another_back():
    random, found = np.random.default_rng(7), 0
    for _ in range(300):
        step = _step(random, 1.0)
        found += returned(_people(random, 24, mean=step), other=_people(random, 40)) > 0
    assert found <= 3


def test_one_person_alone_brings_nothing_back():
    random = np.random.default_rng(8)
    step = _step(random, 4.0)
    rows = np.concatenate([_people(random, 1), _people(random, 20, mean=step)])
    assert returned(rows, other=_people(random, 40)) == 0

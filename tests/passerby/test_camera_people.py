"""One camera by day and under infrared light: who moves, what is dated back, what is forgotten."""

import itertools

import numpy as np
import pytest

from passerby.errors import DataError
from passerby.features.camera_people import MAX_REGIMES
from passerby.features.normalization import CameraNormalizer
from passerby.features.normalizer_parts import NormalizerParts, restored

_D = 128
_AXES = np.exp(-np.arange(_D) / 40)


class _Camera:
    """A normalizer that sees new people in one camera, one a second, through shifts that are known."""

    def __init__(self, seed=0, *, lights=4):
        self.random = np.random.default_rng(seed)
        self.normalizer = CameraNormalizer(_D)
        day = 0.6 * _AXES * self.random.normal(size=_D)
        self.shifts = [day, *(day + 1.2 * _AXES * self.random.normal(size=_D) for _ in range(lights - 1))]
        self.now = 0

    def see(self, people, *, light, camera_id="gate"):
        """Let so many new people pass."""
        for _ in range(people):
            self.now += 1
            person = _AXES * self.random.normal(size=_D)
            self.normalizer.observe(camera_id, person + self.shifts[light], at_ns=self.now)

    @property
    def timeline(self):
        return self.normalizer.cameras["gate"].timeline

    def error(self, light, *, at_ns):
        """How far what is taken away is from the shift of a light, as a share of the shift's length."""
        published = self.normalizer.published
        shift = published.standardization(("gate", published.regime_at("gate", at_ns))).shift
        return np.linalg.norm(shift - self.shifts[light]) / np.linalg.norm(self.shifts[light])


def test_a_jump_is_dated_back_and_each_time_keeps_its_own_statistics():
    camera = _Camera()
    camera.see(60, light=0)
    camera.see(40, light=1)
    assert camera.timeline.regimes == (0, 1)
    assert 60 <= camera.timeline.since_ns[1] <= 63
    assert camera.error(0, at_ns=30) < 0.4
    assert camera.error(1, at_ns=90) < 0.4
    assert camera.error(0, at_ns=90) > 0.8


def test_a_jump_is_established_within_some_people_and_published_at_once():
    camera = _Camera()
    camera.see(60, light=0)
    people = 0
    while people < 20 and not camera.timeline.latest:
        people += 1
        version = camera.normalizer.version
        camera.see(1, light=1)
    assert 3 <= people <= 12
    assert camera.normalizer.version == version + 1


def test_the_next_morning_the_day_is_known_again_after_a_few_people():
    camera = _Camera()
    camera.see(60, light=0)
    camera.see(40, light=1)
    camera.see(3, light=0)
    assert camera.timeline.regimes == (0, 1, 0)
    assert camera.error(0, at_ns=camera.now) < 0.4
    assert camera.normalizer.people_seen("gate") >= 58
    camera.see(3, light=1)
    assert camera.timeline.regimes == (0, 1, 0, 1)


@pytest.mark.parametrize("seed", range(6))
def test_a_camera_that_does_not_change_has_one_regime_for_ever(seed):
    camera = _Camera(seed)
    camera.see(400, light=0)
    assert camera.timeline.regimes == (0,)
    assert not camera.normalizer.cameras["gate"].alarm


def test_a_tracklet_of_before_the_switch_that_comes_late_is_of_before():
    camera = _Camera()
    camera.see(60, light=0)
    camera.see(40, light=1)
    day = camera.normalizer.cameras["gate"].people[0]
    before = len(day)
    camera.normalizer.observe("gate", _AXES * camera.random.normal(size=_D) + camera.shifts[0], at_ns=20)
    assert len(day) == before + 1
    assert camera.timeline.latest == 1


def test_a_fourth_light_takes_the_place_of_the_one_not_seen_for_longest():
    camera = _Camera()
    for light in range(4):
        camera.see(60, light=light)
    gate = camera.normalizer.cameras["gate"]
    assert len(gate.people) == MAX_REGIMES
    gone = gate.timeline.regime_at(115)
    assert gone not in gate.people
    assert camera.error(1, at_ns=115) < 0.4  # Its last statistics are kept, for tracklets of then.
    camera.normalizer.observe("gate", _AXES * camera.random.normal(size=_D), at_ns=115)
    assert gone not in gate.people


def test_drift_is_measured_and_alarms_until_it_is_over():
    camera = _Camera(3)
    camera.see(120, light=0)
    gate = camera.normalizer.cameras["gate"]
    assert 0.2 < gate.drift < 1.5
    way = _AXES * np.random.default_rng(9).normal(size=_D)
    energy = 0.22 * (_AXES**2).sum()  # Too little for a jump.
    camera.shifts[0] = camera.shifts[0] + way * np.sqrt(energy / (way**2).sum())
    alarms = []
    for _ in range(120):
        camera.see(1, light=0)
        alarms.append(gate.alarm)
    assert gate.timeline.regimes == (0,)
    assert any(alarms)
    assert not alarms[-1]
    assert sum(one != other for one, other in itertools.pairwise(alarms)) <= 4


def test_nobody_has_a_drift_while_people_are_few():
    camera = _Camera()
    camera.see(10, light=0)
    assert camera.normalizer.cameras["gate"].drift is None
    assert camera.normalizer.report()[0].drift is None


def test_a_reset_begins_anew_and_keeps_what_tracklets_of_before_are_normalized_with():
    camera = _Camera()
    camera.see(60, light=0)
    camera.see(20, light=0, camera_id="hall")
    probe = (_AXES * camera.random.normal(size=_D) + camera.shifts[0]).astype(np.float32)[None]
    before = camera.normalizer.normalize("gate", probe, at_ns=30)
    version = camera.normalizer.version
    camera.normalizer.reset("gate")
    assert camera.normalizer.version == version + 1
    assert camera.normalizer.people_seen("gate") == 0
    np.testing.assert_array_equal(camera.normalizer.normalize("gate", probe, at_ns=30), before)
    stranger = camera.normalizer.normalize("never seen", probe, at_ns=camera.now)
    np.testing.assert_array_equal(camera.normalizer.normalize("gate", probe, at_ns=camera.now), stranger)
    camera.see(30, light=1)
    assert camera.error(1, at_ns=camera.now) < 0.6
    assert camera.timeline.regimes == (0, 1)


def test_a_reset_again_and_again_keeps_memory_bounded():
    camera = _Camera()
    for _ in range(30):
        camera.see(5, light=0)
        camera.normalizer.reset("gate")
    camera.see(5, light=0)
    assert len(camera.normalizer.published.standardizations) <= 3


def test_a_camera_that_nobody_knows_cannot_be_reset():
    with pytest.raises(DataError, match="nothing is known of camera 'gate'"):
        CameraNormalizer(_D).reset("gate")


def test_whoever_is_forgotten_is_forgotten_by_every_light():
    camera = _Camera()
    camera.see(60, light=0)
    person = (_AXES * camera.random.normal(size=_D) + camera.shifts[0]).astype(np.float32)
    camera.normalizer.observe("gate", person, at_ns=30)
    camera.see(40, light=1)
    assert camera.normalizer.forget("gate", person[None]) == 1
    assert camera.normalizer.forget("gate", person[None]) == 0
    assert camera.normalizer.forget("hall", person[None]) == 0
    stored = NormalizerParts(camera.normalizer).everything().values()
    assert not any(person.tobytes() in data for data in stored)


def test_who_is_the_only_one_and_is_forgotten_leaves_nothing():
    camera = _Camera()
    person = (_AXES * camera.random.normal(size=_D)).astype(np.float32)
    camera.normalizer.observe("gate", person, at_ns=1)
    assert camera.normalizer.forget("gate", person[None]) == 1
    assert camera.normalizer.published.standardizations == {}
    assert camera.normalizer.report()[0].people == 0


def test_a_report_says_how_each_camera_stands():
    camera = _Camera()
    camera.see(60, light=0)
    camera.see(40, light=1)
    camera.see(5, light=0, camera_id="aisle")
    aisle, gate = camera.normalizer.report()
    assert (aisle.camera_id, aisle.people, aisle.regime, aisle.regimes, aisle.since_ns) == ("aisle", 5, 0, 1, None)
    assert aisle.belief == pytest.approx(4 / 9)
    assert (gate.regime, gate.regimes, gate.since_ns) == (1, 2, camera.timeline.since_ns[1])
    assert 0.3 < gate.removed_share < 0.9


def test_restarts_in_any_moment_change_nothing_through_jumps_and_returns():
    through, restarting = _Camera(3), _Camera(3)
    for number, light in enumerate([0] * 7 + [1] * 4 + [0] * 3 + [2] * 4):
        for camera in (through, restarting):
            camera.see(5, light=light)
            if number == 12:
                camera.normalizer.reset("gate")
        stored = NormalizerParts(restarting.normalizer).everything()
        restarting.normalizer = restored(stored, dimension=_D)
    assert len(through.timeline.regimes) > 3
    assert NormalizerParts(restarting.normalizer).everything() == NormalizerParts(through.normalizer).everything()

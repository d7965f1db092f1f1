"""What is wrong with what comes, and how long it is borne."""

import pytest

from edge.arrivals import Arrivals
from edge.sources.clocks import LiveClock
from edge.sources.damage import Damage, Patience

S = 1_000_000_000


def test_damages_are_told_of_when_they_are_many_and_not_for_ever() -> None:
    damage = Damage()
    damage.count(0, now_s=0)
    damage.count(2, now_s=1)
    assert damage.trouble == ""
    damage.count(3, now_s=2)
    assert "damaged" in damage.trouble
    damage.count(3, now_s=6)
    assert "damaged" in damage.trouble
    damage.count(3, now_s=6.1)
    assert damage.trouble == ""


def test_now_and_then_a_damage_is_no_trouble() -> None:
    damage = Damage()
    for number in range(1000):
        damage.count(number, now_s=3.0 * number)
        assert damage.trouble == ""


def test_thousands_of_damages_at_once_are_as_bad_as_three() -> None:
    damage = Damage()
    damage.count(10**6, now_s=5)
    assert "damaged" in damage.trouble


@pytest.mark.parametrize(
    ("keyframe_interval_s", "seconds"), [(None, 20), (0.04, 5), (1, 5), (2, 6), (5, 15), (10, 20), (1e9, 20)]
)
def test_patience_is_three_keyframes(keyframe_interval_s: float | None, seconds: float) -> None:
    patience = Patience(longest_s=20, picture_interval_s=0.2)
    assert patience.seconds(keyframe_interval_s) == pytest.approx(seconds)


def test_who_looks_twice_a_minute_does_not_miss_pictures_sooner() -> None:
    assert Patience(longest_s=20, picture_interval_s=30).seconds(1) == 90
    assert Patience(longest_s=20, picture_interval_s=30).seconds(None) == 90


def test_a_clock_that_is_not_believed_is_told_of() -> None:
    for hour, word in ((1, "ahead"), (-1, "behind")):
        clock = LiveClock()
        assert clock.trouble == ""
        clock.receive(0, received_at_ns=1000 * S, wallclock_ns=None)
        assert clock.trouble == ""
        clock.receive(S, received_at_ns=1001 * S, wallclock_ns=1001 * S + hour * 3600 * S)
        assert word in clock.trouble
        clock.receive(2 * S, received_at_ns=1002 * S, wallclock_ns=1002 * S - 4 * S)
        assert clock.trouble == ""


def arrive(arrivals: Arrivals, *, fps: float, begin_s: float, seconds: float) -> None:
    for number in range(int(fps * seconds)):
        arrivals.add(begin_s + number / fps)


def test_few_pictures_are_few_after_four_seconds_until_most_come() -> None:
    arrivals = Arrivals()
    assert not arrivals.are_few(100, expected_fps=10)
    arrivals.begin(100)
    assert not arrivals.are_few(103.9, expected_fps=10)
    assert arrivals.are_few(104, expected_fps=10)
    arrive(arrivals, fps=6, begin_s=104, seconds=4)
    assert arrivals.are_few(108, expected_fps=10)
    arrive(arrivals, fps=8, begin_s=108, seconds=4)
    assert not arrivals.are_few(112, expected_fps=10)
    arrive(arrivals, fps=6, begin_s=112, seconds=4)
    assert not arrivals.are_few(116, expected_fps=10)
    arrive(arrivals, fps=4, begin_s=116, seconds=4)
    assert arrivals.are_few(120, expected_fps=10)
    arrivals.begin(121)
    assert not arrivals.are_few(121, expected_fps=10)


def test_of_a_picture_every_ten_seconds_nothing_is_said() -> None:
    arrivals = Arrivals()
    arrivals.begin(0)
    assert not arrivals.are_few(100, expected_fps=0.1)

"""When a camera is tried again."""

import random

import pytest

from edge.backoff import FIRST_S, LONGEST_S, PROMPT_S, REFUSED_ATTEMPTS, REFUSED_S, Backoff


class Outage:
    """Attempts that fail one after the other, each after `attempt_s`; time stands still but for them and the waits."""

    def __init__(self, *, attempt_s: float = 0.0, seed: int = 1) -> None:
        self.backoff = Backoff(random.Random(seed))
        self.now = 1000.0
        self._attempt_s = attempt_s

    def wait(self) -> float:
        """Fail, and wait; the seconds waited."""
        self.backoff.begin(self.now)
        self.now += self._attempt_s
        waited = self.backoff.next_s(self.now)
        self.now += waited
        return waited


def test_the_first_attempts_come_soon_and_then_a_few_seconds_apart() -> None:
    outage = Outage()
    waits = [outage.wait() for _ in range(12)]
    for attempt, wait in enumerate(waits):
        longest = min(PROMPT_S, FIRST_S * 2**attempt)
        assert longest / 2 <= wait <= longest


@pytest.mark.parametrize("attempt_s", [0.0, 1.0, 5.0, 10.0])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_for_ten_minutes_nobody_waits_more_than_three_seconds(attempt_s: float, seed: int) -> None:
    outage = Outage(attempt_s=attempt_s, seed=seed)
    while outage.now < 1000 + 600 - PROMPT_S - attempt_s:
        assert outage.wait() <= PROMPT_S


def test_an_attempt_that_took_long_is_followed_at_once_by_the_next() -> None:
    outage = Outage(attempt_s=10.0)
    assert all(FIRST_S / 2 <= outage.wait() <= FIRST_S for _ in range(20))


def test_a_camera_that_is_away_for_days_is_tried_twice_a_minute() -> None:
    outage = Outage()
    while outage.now < 1000 + 2 * 86400:
        wait = outage.wait()
    assert LONGEST_S / 2 <= wait <= LONGEST_S


def test_after_pictures_all_begins_anew() -> None:
    outage = Outage()
    while outage.now < 1000 + 86400:
        outage.wait()
    outage.backoff.begin(outage.now)
    outage.backoff.reset()
    outage.now += 86400  # of pictures
    assert FIRST_S / 2 <= outage.backoff.next_s(outage.now) <= FIRST_S
    assert FIRST_S <= outage.wait() <= 2 * FIRST_S


def test_cameras_that_fell_out_together_do_not_come_back_together() -> None:
    outages = [Outage(seed=seed) for seed in range(10)]
    assert len({outage.wait() for outage in outages}) == len(outages)


def test_a_password_that_was_right_is_tried_a_few_times_more_and_one_that_never_was_is_not() -> None:
    backoff = Backoff(random.Random(1))
    assert [backoff.refused_s(known=True) for _ in range(REFUSED_ATTEMPTS + 2)] == [REFUSED_S] * 3 + [None] * 2
    backoff.reset()
    assert backoff.refused_s(known=True) == REFUSED_S
    assert Backoff(random.Random(1)).refused_s(known=False) is None

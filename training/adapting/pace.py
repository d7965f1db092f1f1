"""How many steps a round gets: a share of a fixed number, or what the time that is left allows."""

from collections.abc import Callable

FEWEST_STEPS = 4
"""Of a round, however little time is left."""

_AT_FIRST = 8
"""Steps after which the first round knows how long a step takes."""

_MOST_GUESSING = 0.5
"""Of the time that is left: where guessing would take more, there are fewer rounds."""

_KEPT_BACK = 0.06
"""Of the time, for what comes after the last round: a network is exported and checked."""


class Pace:
    """Where an adaptation stands in its time.

    `seconds` is what all of it may take, None where `steps` say how long it is. `now` is a monotonic clock in seconds;
    `used` seconds of an earlier, interrupted run count as well. `growing`: round k gets k times as many steps as the
    first; otherwise all get the same.
    """

    def __init__(
        self,
        *,
        rounds: int,
        steps: int,
        seconds: float | None,
        now: Callable[[], float],
        growing: bool = False,
        used: float = 0.0,
    ) -> None:
        self.rounds = rounds
        """How many there are in all; fewer than wanted where guessing takes long."""
        self._growing = growing
        self._steps, self._seconds = steps, seconds
        self._now = now
        self._began = now() - used
        self._round_began = self._began
        self._guessing: float | None = None
        self._learning_began = self._began

    @property
    def used(self) -> float:
        """Seconds so far."""
        return self._now() - self._began

    def begin_round(self) -> None:
        """Guessing begins."""
        self._round_began = self._now()

    def begin_learning(self, number: int) -> None:
        """The guessing of round `number` (from 0) is over."""
        self._learning_began = self._now()
        self._guessing = self._learning_began - self._round_began
        if self._seconds is not None:
            left = max(self._seconds - self.used, 0.0)
            more = int(_MOST_GUESSING * left / max(self._guessing, 1e-9))
            self.rounds = min(self.rounds, number + 1 + more)

    def is_over(self, number: int, done: int) -> bool:
        """Whether round `number` (from 0) is long enough after `done` steps."""
        if self._seconds is None:
            return done >= self._planned(number)
        if done < _AT_FIRST and number == 0:
            return False
        return done >= FEWEST_STEPS and self._now() >= self._learning_began + self._share(number)

    def progress(self, number: int, done: int) -> float:
        """Of the whole training, 0-1, within round `number` after `done` steps."""
        if self._seconds is None:
            within = done / max(self._planned(number), 1)
        else:
            within = (self._now() - self._learning_began) / max(self._share(number), 1e-9)
        before, after = self._before(number), self._before(number + 1)
        return before + (after - before) * min(within, 1.0)

    def _share(self, number: int) -> float:
        """Seconds of learning in this round: what is left, but for guessing, over the rounds that are left."""
        assert self._seconds is not None  # noqa: S101 only asked where there is a time
        left = self.rounds - number
        guessing = (self._guessing or 0.0) * left  # one more comes after the last round: the statistics
        free = self._seconds * (1.0 - _KEPT_BACK) - (self._learning_began - self._began) - guessing
        before, after = self._before(number), self._before(number + 1)
        return max(free * (after - before) / (1.0 - before), 0.0)

    def _planned(self, number: int) -> int:
        """Steps of a round where their number is set."""
        return round(self._steps * self._before(number + 1)) - round(self._steps * self._before(number))

    def _before(self, number: int) -> float:
        """Of all learning, the share that lies before round `number`, 0-1."""
        if self._growing:
            return number * (number + 1) / (self.rounds * (self.rounds + 1))
        return number / self.rounds

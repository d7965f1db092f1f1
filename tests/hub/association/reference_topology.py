"""Naive twin of the counting of rates: every appearance kept, and time added up in small pieces."""

from dataclasses import dataclass, field

STEPS_S = [0.0, *(2.0**power for power in range(14))]
PIECES_PER_S = 64


@dataclass(frozen=True, slots=True)
class Appearance:
    """Somebody last seen in `before` for `seen_s` appeared in `after`, `gap_s` later."""

    before: str
    after: str
    gap_s: float
    seen_s: float
    weight: float


@dataclass(slots=True)
class Counted:
    """Of a site, appearance by appearance."""

    kept: list[Appearance] = field(default_factory=list)

    def appearances(self, before: str, after: str, *, step: int) -> float:
        """How many there were in a step of time; 0: seen now."""
        return sum(
            one.weight for one in self.kept if (one.before, one.after) == (before, after) and _step(one.gap_s) == step
        )

    def exposure_s(self, before: str, *, step: int) -> float:
        """For how long those last seen in `before` could have appeared in a step of time."""
        return sum(one.weight * self._exposed_s(one, step=step) for one in self.kept if one.before == before)

    @staticmethod
    def _exposed_s(one: Appearance, *, step: int) -> float:
        if step == 0:
            return max(one.seen_s, 0.1)
        pieces = range(int(max(one.gap_s, 0.0) * PIECES_PER_S))
        return sum(_step(piece / PIECES_PER_S) == step for piece in pieces) / PIECES_PER_S


def _step(gap_s: float) -> int:
    return sum(gap_s >= begin for begin in STEPS_S)

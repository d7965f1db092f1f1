"""What the gate says of an adapted model: whether it may be promoted, why, and by which figures."""

from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from passerby.errors import DataError
from passerby.whole_files import write_whole


class Figure(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One figure of the deployed model (`before`) and of the adapted one (`after`); None where it cannot be measured.

    `low` to `high` is the 95% interval of `change`, which is after - before.
    """

    name: str
    about: str
    """What it says, in a sentence."""
    before: float | None
    after: float | None
    change: float | None
    low: float | None
    high: float | None
    better: Literal["higher", "lower"]
    tolerance: float
    """It has regressed where all of the interval is worse than no change by more than this."""
    regressed: bool
    improved: bool
    """All of the interval is better than no change."""
    crossing: bool
    """It tells of people found across cameras, and may speak for a promotion."""
    enough: bool
    """There was enough to measure it by; otherwise it decides nothing."""


class Line(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of a picture, `y` at each `x`."""

    name: str
    model: Literal["before", "after"]
    x: list[float]
    y: list[float]


class Picture(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Lines to draw into one frame; `steps`: between two x, y is constant."""

    name: str
    about: str
    x_label: str
    y_label: str
    lines: list[Line]
    log_x: bool = False
    steps: bool = False


class Verdict(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The gate's decision. `reasons` are sentences: of a refusal all that speak against, otherwise what speaks for."""

    passed: bool
    reasons: list[str]
    figures: list[Figure]
    tracklets: int
    """Held out, by which it was judged."""
    groups: int
    """People that these are of, as far as the hub knows: what the intervals are over."""
    cameras: list[str]
    """That saw any of them."""
    seed: int
    pictures: list[Picture] = []

    @property
    def headline(self) -> str:
        """In a line."""
        return "Promote" if self.passed else f"Refused: {self.reasons[0]}"


def write_verdict(verdict: Verdict, file: Path) -> None:
    """Replace `file` by the verdict as JSON. Raises DataError where that fails."""
    try:
        write_whole(file, msgspec.json.format(msgspec.json.encode(verdict)) + b"\n")
    except OSError as error:
        raise DataError(f"{file}: the verdict cannot be written: {error.strerror}") from error


def read_verdict(file: Path) -> Verdict:
    """The verdict in `file`. Raises DataError where there is none, or something else."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Verdict)
    except OSError as error:
        raise DataError(f"{file}: cannot read the verdict: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: not a verdict of the gate: {error}") from error

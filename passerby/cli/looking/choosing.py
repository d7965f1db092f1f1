"""One person out of several: who overlaps a box, or is the largest."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge.boxes import areas, iou
from passerby.arrays import Float32Array
from passerby.cli.looking.people import Person
from passerby.errors import DataError

_LEAST_OVERLAP = 0.1
_TOLD = 6
"""People who are told of in an error."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Who of several is meant: whoever stands in `box_xyxy` (pixels), or the `largest`; else there must be one."""

    box_xyxy: tuple[float, float, float, float] | None = None
    largest: bool = False


def choose(people: Sequence[Person], choice: Choice, *, source: str) -> Person:
    """The one who is meant. Raises DataError where that is nobody, or not clear: it says who there is."""
    if choice.box_xyxy is not None:
        box = np.array([choice.box_xyxy], np.float32)
        overlaps = [float(iou(person.boxes_xyxy, box).max()) for person in people]
        best = int(np.argmax(overlaps))
        if overlaps[best] < _LEAST_OVERLAP:
            raise DataError(f"nobody in {source} is in that box; seen: {_told(people)}")
        return people[best]
    if choice.largest:
        return max(people, key=lambda person: float(np.median(areas(person.boxes_xyxy))))
    if len(people) > 1:
        raise DataError(
            f"{len(people)} people are seen in {source}; say who is meant, by --box or --largest"
            f"{' or a range of frames' if people[0].in_film else ''}: {_told(people)}"
        )
    return people[0]


def told_box(box_xyxy: Float32Array) -> str:
    """A box (4,) as the option `--box` takes it."""
    x1, y1, x2, y2 = (round(float(value)) for value in box_xyxy)
    return f"--box {x1},{y1},{x2 - x1},{y2 - y1}"


def _told(people: Sequence[Person]) -> str:
    told = [f"{person.when}{told_box(person.typical_box)}" for person in people[:_TOLD]]
    return "; ".join(told) + (f"; and {len(people) - _TOLD} more" if len(people) > _TOLD else "")

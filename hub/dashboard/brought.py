"""Pictures that somebody has brought, with the fields of the form that they came by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hub.api.pictures import picture_of
from hub.api.problems import ProblemError
from hub.dashboard.visit import Visit
from hub.services import Eyes, SeenPerson
from passerby.arrays import Image
from passerby.errors import DataError

MOST_BYTES = 20 * 2**20
"""Of one picture."""

MOST_PICTURES = 20
_MOST_DAYS = 36_500.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """`files` are (name, bytes) of each."""

    visit: Visit
    files: Sequence[tuple[str, bytes]]
    fields: Mapping[str, str]

    @property
    def eyes(self) -> Eyes:
        """The site's networks; loading them at the first time takes seconds."""
        return self.visit.services.eyes()

    def field(self, name: str) -> str:
        """What the form says; empty where nothing."""
        return self.fields.get(name, "").strip()

    def note(self, action: str, *objects: str) -> None:
        """Put down in the audit log that it was done."""
        self.visit.services.access.audit.put(
            action, actor=self.visit.principal.name, objects=objects, address=self.visit.address
        )

    def seen(self, *, most: int = MOST_PICTURES) -> list[Sequence[SeenPerson]]:
        """Everybody in each of the pictures, of which there may be so many. Raises DataError."""
        if not 1 <= len(self.files) <= most:
            raise DataError(f"{len(self.files)} pictures, expected 1 to {most}")
        whole = self.field("whole") == "true"
        return [self.eyes.people(decoded(data, name), name=name, whole=whole) for name, data in self.files]

    def people(self) -> list[SeenPerson]:
        """The one person in each of the pictures: where there are several, the largest, if that is said."""
        found = []
        for (name, _), seen in zip(self.files, self.seen(), strict=True):
            if len(seen) > 1 and self.field("largest") != "true":
                raise DataError(f"{len(seen)} people are in {name}; say that the largest is meant, or cut one out")
            found.append(max(seen, key=_area))
        return found


def decoded(data: bytes, name: str) -> Image:
    """A picture (h, w, 3) uint8 BGR. Raises DataError, which calls it `name`."""
    if len(data) > MOST_BYTES:
        raise DataError(f"{name} has more than {MOST_BYTES >> 20} MiB; save it smaller")
    try:
        return picture_of(data, name=name)
    except ProblemError as error:
        raise DataError(error.detail) from error


def _area(one: SeenPerson) -> float:
    return float(np.prod(one.box_xyxy[2:] - one.box_xyxy[:2]))


def days_of(text: str) -> float:
    """How long something is kept, 0: until removed. Raises DataError."""
    try:
        days = float(text or 0.0)
    except ValueError:
        days = -1.0
    if not 0.0 <= days <= _MOST_DAYS:
        raise DataError(f"{text!r} days, expected a number from 0 (until removed) to {_MOST_DAYS:,.0f}")
    return days

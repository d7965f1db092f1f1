"""What is kept of people who were enrolled, and what is asked about: pictures of one person, as a network sees them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from passerby.arrays import Float32Array
from passerby.errors import DataError
from passerby.ids import ModelId

LONGEST_NAME = 200
LONGEST_REASON = 500


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One crop of a person: `embedding` (d,) float32 raw, `quality` in 0-1, and the crop as JPEG."""

    embedding: Float32Array
    quality: float
    jpeg: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One person seen once: pictures of one walk through a film, or a single picture. At least one, best first."""

    pictures: tuple[Picture, ...]

    def __post_init__(self) -> None:
        if not self.pictures:
            raise DataError("a look has no picture, expected at least one")

    @property
    def embedding(self) -> Float32Array:
        """The raw mean (d,) over the pictures, as the edge makes a tracklet's."""
        mean: Float32Array = np.stack([picture.embedding for picture in self.pictures]).mean(axis=0)
        return mean


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Enrolment:
    """Looks that somebody has given a name. A name may have several enrolments, which add up."""

    enrolment_id: int
    """Unique among those that are kept; nothing else refers to it."""
    name: str
    model_id: ModelId
    reason: str
    """Why this person is to be recognized, in the words of who enrolled them; empty if nobody said."""
    enrolled_at_ns: int
    expires_at_ns: int | None
    """From then on it is not used any more, and deleted; None: never."""
    looks: tuple[Look, ...]
    described: Mapping[ModelId, tuple[Look, ...]] = field(default_factory=dict)
    """The same looks as other models describe them, of each that has described all."""

    def looks_by(self, model_id: ModelId) -> tuple[Look, ...]:
        """The looks as a model describes them; none where it has not."""
        return self.looks if model_id == self.model_id else self.described.get(model_id, ())

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All pictures, best first."""
        return tuple(sorted((p for look in self.looks for p in look.pictures), key=lambda p: -p.quality))


def checked_name(name: str) -> str:
    """A name without blanks around it. Raises DataError for one that nobody could read or type."""
    return _checked("name", name, longest=LONGEST_NAME, shortest=1)


def checked_reason(reason: str) -> str:
    """A reason without blanks around it, perhaps empty. Raises DataError."""
    return _checked("reason", reason, longest=LONGEST_REASON, shortest=0)


def _checked(what: str, text: str, *, longest: int, shortest: int) -> str:
    stripped = text.strip()
    if not shortest <= len(stripped) <= longest or not stripped.isprintable():
        raise DataError(f"{stripped[:40]!r} is no {what}: {shortest} to {longest} characters that can be printed")
    return stripped

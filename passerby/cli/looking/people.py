"""Whom a film or a picture shows: sightings, and the people whose they are."""

from dataclasses import dataclass

import numpy as np

from edge.boxes import areas
from hub.enrolment.records import Look, Picture
from hub.exclusion import SHARED_VIEW_NS
from passerby.arrays import Float32Array, Int64Array


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """Somebody seen without a break. `frame_numbers` (n,) int64 from 1, all 0 in a picture; `boxes_xyxy` (n, 4)."""

    look: Look
    frame_numbers: Int64Array
    boxes_xyxy: Float32Array
    span_ns: tuple[int, int]
    """Since the film's beginning."""


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """One person of one film or picture: `sightings` in the order of their beginnings, at least one."""

    sightings: tuple[Sighting, ...]

    @property
    def looks(self) -> tuple[Look, ...]:
        """Of every sighting."""
        return tuple(sighting.look for sighting in self.sightings)

    @property
    def pictures(self) -> list[Picture]:
        """All pictures, best first."""
        return sorted((p for look in self.looks for p in look.pictures), key=lambda p: -p.quality)

    @property
    def boxes_xyxy(self) -> Float32Array:
        """Everywhere (n, 4) they were seen."""
        return np.concatenate([sighting.boxes_xyxy for sighting in self.sightings])

    @property
    def typical_box(self) -> Float32Array:
        """The box (4,) of median size."""
        boxes = self.boxes_xyxy
        typical: Float32Array = boxes[np.argsort(areas(boxes), kind="stable")[len(boxes) // 2]]
        return typical

    @property
    def frames(self) -> tuple[int, int]:
        """The first and the last frame; (0, 0) in a picture."""
        return (
            int(min(sighting.frame_numbers[0] for sighting in self.sightings)),
            int(max(sighting.frame_numbers[-1] for sighting in self.sightings)),
        )

    @property
    def in_film(self) -> bool:
        """Rather than in a picture."""
        return self.frames[1] > 0

    def seen_with(self, other: "Person") -> bool:
        """Whether both were there at one moment of the same film, or in the same picture: they are two people.

        In a film for as long as the hub wants it of a camera, as a tracker draws one person twice now and then.
        """
        return not self.in_film or any(
            min(mine.span_ns[1], theirs.span_ns[1]) - max(mine.span_ns[0], theirs.span_ns[0]) > SHARED_VIEW_NS
            for mine in self.sightings
            for theirs in other.sightings
        )

    @property
    def when(self) -> str:
        """`frames 10 to 80 ` of a film."""
        return "frames {} to {} ".format(*self.frames) if self.in_film else ""

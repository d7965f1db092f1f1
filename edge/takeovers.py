"""When the detector sees two people as one, which of the two does the box follow afterwards? Nobody knows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edge.boxes import areas, intersection_areas
from passerby.arrays import Float32Array

_COVERED = 0.5
_ESTABLISHED = 3


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A tracked person in one frame: box (4,) float32 xyxy, confidence, and how often they have been seen so far."""

    box_xyxy: Float32Array
    confidence: float
    sightings: int


def takeovers(before: Mapping[int, Seen], now: Mapping[int, Seen], *, min_confidence: float) -> list[tuple[int, int]]:
    """(lost, taker) for each track of `now` that may have taken over another one's person.

    A person who was surely there (seen at least three times, `min_confidence` at last) is gone, and where they were
    is the box of another track that was there before too, and stood farther back: people in front do not vanish
    behind people at the back, so it is likely that the other track's box now is theirs. By motion alone this cannot
    be told. One tracklet with two people in it harms every decision after it, one person with two tracklets hardly
    any: so both tracks should go on under new names.
    """
    found = []
    for lost, was in before.items():
        if lost in now or was.sightings < _ESTABLISHED or was.confidence < min_confidence:
            continue
        for taker, box in ((key, seen.box_xyxy) for key, seen in now.items() if key in before):
            in_front = was.box_xyxy[3] >= before[taker].box_xyxy[3]
            if in_front and _covered(was.box_xyxy, box) >= _COVERED:
                found.append((lost, taker))
    return found


def _covered(first: Float32Array, second: Float32Array) -> float:
    """How much of the smaller box lies in the other one, in 0-1."""
    smaller = min(areas(first[None])[0], areas(second[None])[0])
    return float(intersection_areas(first[None], second[None])[0, 0] / np.maximum(smaller, 1))

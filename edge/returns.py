"""Whoever comes back where somebody was lost a moment ago, with others about: who is it? Nobody knows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from passerby.arrays import Float32Array

_REACH = 0.5
"""Heights of a box, to the side and up or down, within which others may be mistaken for whoever was in it."""

_BEFORE_NS = 500_000_000
"""Who was lost so shortly before somebody else may come back in their place."""


@dataclass(frozen=True, slots=True, eq=False)
class LastSeen:
    """Where and when a track was seen for the last time: box (4,) float32 xyxy."""

    box_xyxy: Float32Array
    at_ns: int


def doubtful_returns(
    last: Mapping[int, LastSeen], now: Mapping[int, Float32Array], *, at_ns: int, unseen_ns: int
) -> list[int]:
    """The tracks of `now`, by their boxes, that were not seen for longer than `unseen_ns` and may be somebody else.

    `last` are all tracks before this frame. A tracker that goes by motion gives a track that is lost to whoever is
    found next where it should be by now. With nobody else about, that is the same person; where others were near the
    place at which it was lost, or are near the one where it is found, it may be one of them. One tracklet with two
    people in it harms every decision after it: so it should go on under a new name.
    """
    found = []
    for key, box in now.items():
        if key not in last or at_ns - last[key].at_ns <= unseen_ns:
            continue
        lately = [
            other.box_xyxy
            for other_key, other in last.items()
            if other_key != key and other.at_ns >= last[key].at_ns - _BEFORE_NS
        ]
        others = lately + [other for other_key, other in now.items() if other_key != key]
        if any(_near(place, other) for place in (last[key].box_xyxy, box) for other in others):
            found.append(key)
    return found


def _near(place: Float32Array, other: Float32Array) -> bool:
    """Whether the feet of a box are within reach of those of a place."""
    reach = _REACH * (place[3] - place[1])
    aside = abs(place[0] + place[2] - other[0] - other[2]) / 2
    return bool(aside < reach and np.abs(place[3] - other[3]) < reach)

"""From boxes to tracklets, with a tracker's mistakes: late starts, breaks, and switches where two cross."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Int64Array
from simulation.streams import stream
from simulation.tapes.detecting import Detected

LOST_AFTER_S = 2.0
"""An edge's default: a tracklet not seen for longer is closed."""

_LIKELY_BROKEN_S = 0.6
"""Who is not found for longer comes back as somebody else, often."""

_BROKEN_SHARE = 0.4
_BROKEN_PER_S = 0.004
"""Without a reason: a box that jumps, a box too few."""

_SWITCHED_SHARE = 0.02
"""Of those who were covered for the most part by one who crossed before them."""

_COVERED = 0.45
_SLOW_SHARE = 0.15
_SLOW_S = 1.2


@dataclass(frozen=True, slots=True)
class Track:
    """One tracklet of a camera: the rows of `Detected` that it holds, in order of time."""

    rows: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Tracks:
    """One camera's tracks, by their first frame. `stays` (n,) numbers, of each row of `Detected`, the stretch in which
    one person would have been followed without a switch."""

    tracks: list[Track]
    stays: Int64Array


def track(seed: int, camera_id: str, detected: Detected, *, fps: float) -> Tracks:
    """What a tracker makes of one camera's boxes."""
    draw = stream(seed, "tracker", camera_id)
    stays = _unbroken(detected, draw, fps=fps)
    labels = _with_switches(detected, stays, draw)
    order = np.lexsort((detected.frames, labels))
    starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
    tracks = []
    for rows in np.split(order, starts[1:]) if len(order) else []:
        # A switch may have joined two ends with a long gap between them.
        gaps = np.flatnonzero(np.diff(detected.frames[rows]) > LOST_AFTER_S * fps) + 1
        for part in np.split(rows, gaps):
            late = int(draw.integers(0, round(_SLOW_S * fps) + 1)) if draw.random() < _SLOW_SHARE else 0
            if len(part) > late:
                tracks.append(Track(part[late:]))
    return Tracks(sorted(tracks, key=lambda one: (int(detected.frames[one.rows[0]]), int(one.rows[0]))), stays)


def _unbroken(detected: Detected, draw: np.random.Generator, *, fps: float) -> Int64Array:
    """A label (n,) for each stretch in which one person, or one thing, is followed."""
    if not len(detected):
        return np.zeros(0, np.int64)
    step = np.diff(detected.frames, prepend=0) / fps
    other = (np.diff(detected.people, prepend=-2) != 0) | (np.diff(detected.things, prepend=-2) != 0)
    chance = draw.random(len(detected))
    broken = np.where(step > _LIKELY_BROKEN_S, chance < _BROKEN_SHARE, chance < _BROKEN_PER_S / fps)
    labels: Int64Array = np.cumsum(other | (step < 0) | (step > LOST_AFTER_S) | broken)
    return labels


def _with_switches(detected: Detected, labels: Int64Array, draw: np.random.Generator) -> Int64Array:
    """Exchange the labels of some pairs, from the end of their crossing on."""
    labels = labels.copy()
    hidden = np.flatnonzero(detected.covered > _COVERED)
    if not len(hidden):
        return labels
    # A crossing ends where the same pair is not covered in the row after.
    pairs = np.column_stack([detected.people[hidden], detected.covered_by[hidden]])
    ends = np.append(np.any(np.diff(pairs, axis=0) != 0, axis=1) | (np.diff(hidden) != 1), True)
    crossings = [
        (int(detected.frames[row]), int(detected.people[row]), int(detected.covered_by[row]))
        for row in hidden[ends].tolist()
    ]
    by_frame = {
        (int(person), int(frame)): row
        for row, (person, frame) in enumerate(zip(detected.people.tolist(), detected.frames.tolist(), strict=True))
    }
    for frame, one, other in sorted(crossings):
        if draw.random() >= _SWITCHED_SHARE:
            continue
        rows = by_frame.get((one, frame)), by_frame.get((other, frame))
        if rows[0] is None or rows[1] is None:
            continue
        mine, theirs = labels[rows[0]], labels[rows[1]]
        later = detected.frames > frame
        my_rows, their_rows = (labels == mine) & later, (labels == theirs) & later
        labels[my_rows], labels[their_rows] = theirs, mine
    return labels

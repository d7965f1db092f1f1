"""Tracks that a tape's edge cuts where looks say that two were exchanged."""

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array
from simulation.tapes.detecting import NOBODY, Detected
from simulation.tapes.pictures import Pictures
from simulation.tapes.switching import Teller
from simulation.tapes.tracking import Track

FPS = 10.0
ANN, EVE, ZOE = np.eye(3, dtype=np.float32)
MEETING = range(10, 15)
FRAMES = 40


class Looks:
    """Stands for `Pictures`: row i of a camera's boxes has a given look, raw."""

    def __init__(self, looks: Sequence[Float32Array]) -> None:
        self._looks = np.array(looks)

    def of(self, rows: Sequence[int]) -> Float32Array:
        return self._looks[list(rows)]


def boxes(lefts: Sequence[float]) -> Float32Array:
    left = np.array(lefts, np.float32)
    return np.stack([left, np.full_like(left, 50), left + 40, np.full_like(left, 150)], axis=1)


def teller(lefts: Sequence[Sequence[float]], looks: Sequence[Sequence[Float32Array]]) -> Teller:
    """Of tracks from frame 0 on: where each box begins, and what it looks like."""
    lengths = [len(one) for one in lefts]
    frames = np.concatenate([np.arange(n) for n in lengths])
    n, ones = len(frames), np.ones(len(frames), np.float32)
    people = np.repeat(np.arange(1, len(lefts) + 1), lengths)
    detected = Detected(
        frames=frames,
        people=people,
        things=np.full(n, NOBODY),
        boxes_xyxy=boxes(np.concatenate([np.asarray(one, np.float32) for one in lefts]).tolist()),
        confidence=ones,
        quality=ones * 0.8,
        visibility=ones,
        covered=ones * 0,
        covered_by=np.full(n, NOBODY),
        yaw_rad=ones * 0,
    )
    ends = np.cumsum(lengths)
    rows: list[NDArray[np.intp]] = [np.arange(end - length, end) for end, length in zip(ends, lengths, strict=True)]
    return Teller(
        detected,
        [Track(one) for one in rows],
        captured_at_ns=(frames * 100_000_000).astype(np.int64),
        pictures=cast("Pictures", Looks([look for one in looks for look in one])),
        fps=FPS,
        last_frame=FRAMES - 1,
    )


def walk(frames: int, *, away: float) -> list[float]:
    """Comes from a place `away`, stands at 300 while all meet, and goes back."""
    return [300.0 if frame in MEETING else 300.0 + away + frame for frame in range(frames)]


def test_two_who_look_like_each_other_afterwards_are_cut_where_they_met() -> None:
    ended = MEETING.stop
    looks = [[ANN] * ended + [EVE] * (FRAMES - ended), [EVE] * ended + [ANN] * (FRAMES - ended)]

    found = teller([walk(FRAMES, away=-150), walk(FRAMES, away=150)], looks).tracklets()

    assert [(len(one.rows), one.told[-1].final) for one in found] == [(ended, True)] * 2 + [(FRAMES - ended, True)] * 2


def test_who_met_two_at_once_and_is_not_seen_again_is_cut_once() -> None:
    ended = MEETING.stop
    looks = [[ANN] * ended, [EVE] * ended + [ANN] * (FRAMES - ended), [ZOE] * ended + [ANN] * (FRAMES - ended)]

    found = teller([walk(ended, away=0), walk(FRAMES, away=-150), walk(FRAMES, away=150)], looks).tracklets()

    assert sorted(len(one.rows) for one in found) == [ended] * 3 + [FRAMES - ended] * 2

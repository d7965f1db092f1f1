"""Who crosses whom in one camera's picture, and when both are clear again. Boxes and times alone.

Where one box covers much of another, a tracker that goes by motion may come out with the two exchanged.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, Int64Array

Picture = TypeVar("Picture")

CROSSING = 0.4
"""Of the smaller box, in the other one."""

CLEAR = 0.15
"""Of the smaller box, in any other one: less, and the picture is of one person."""

_WAIT_NS = 600_000_000
"""Who is clear waits so long for who is not."""

_DOUBT_NS = 1_000_000_000
"""Most of those who are ever clear again are so within this."""

_GIVEN_UP_NS = 5_000_000_000
"""Whoever was not clear for so long after the boxes parted is not asked about any more."""


@dataclass(slots=True, eq=False)
class Crossing(Generic[Picture]):
    """Two tracks of one camera whose boxes covered each other; element i of each field is of `keys[i]`.

    `began_ns` and `ended_ns` are the first and the last time they did. `before` are the pictures that were kept of each
    when it began, never none; `after` is the first clear one since it ended, None where there was none in time.
    """

    keys: tuple[int, int]
    began_ns: int
    before: tuple[tuple[Picture, ...], tuple[Picture, ...]]
    ended_ns: int
    after: list[Picture | None] = field(default_factory=lambda: [None, None])
    waiting_since_ns: int | None = None


class Crossings(Generic[Picture]):
    """The crossings under way in one camera."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, int], Crossing[Picture]] = {}

    def see(
        self,
        keys: Int64Array,
        boxes_xyxy: Float32Array,
        *,
        at_ns: int,
        kept: Callable[[int], Sequence[Picture]],
        picture: Callable[[int], Picture | None],
    ) -> list[Crossing[Picture]]:
        """The crossings that are over and can be judged, from one frame's tracks `keys` (n,) with boxes (n, 4).

        `kept(key)` gives the pictures that a track is remembered by so far, none if there is none; `picture(row)` one
        of now, None if it is not good enough. Each crossing is given once.
        """
        covered = covered_shares(boxes_xyxy)
        rows = {key: row for row, key in enumerate(keys.tolist())}
        self._begin(keys, covered, at_ns=at_ns, kept=kept)
        if not self._open:
            return []
        clear = set(np.flatnonzero(covered.max(axis=1, initial=0.0) < CLEAR).tolist())
        taken: dict[int, Picture | None] = {}
        for crossing in self._open.values():
            for side, key in enumerate(crossing.keys):
                row = rows.get(key)
                if row is None or row not in clear or crossing.after[side] is not None or crossing.ended_ns == at_ns:
                    continue
                if row not in taken:
                    taken[row] = picture(row)
                crossing.after[side] = taken[row]
                if taken[row] is not None and crossing.waiting_since_ns is None:
                    crossing.waiting_since_ns = at_ns
        ready = [one for one in self._open.values() if _is_over(one, at_ns)]
        self._open = {
            pair: one for pair, one in self._open.items() if one not in ready and at_ns - one.ended_ns <= _GIVEN_UP_NS
        }
        return ready

    def doubted(self, at_ns: int) -> set[int]:
        """The keys of those who came apart a moment ago and have not been judged: better not to tell of them yet."""
        return {key for one in self._open.values() if 0 < at_ns - one.ended_ns <= _DOUBT_NS for key in one.keys}

    def forget(self, keys: Sequence[int]) -> None:
        """Leave all crossings of these tracks."""
        gone = set(keys)
        self._open = {pair: one for pair, one in self._open.items() if gone.isdisjoint(pair)}

    def _begin(
        self,
        keys: Int64Array,
        covered: NDArray[np.float64],
        *,
        at_ns: int,
        kept: Callable[[int], Sequence[Picture]],
    ) -> None:
        for first, second in np.argwhere(np.triu(covered >= CROSSING, 1)).tolist():
            one, other = sorted((int(keys[first]), int(keys[second])))
            crossing = self._open.get((one, other))
            if crossing is not None:
                crossing.ended_ns, crossing.after, crossing.waiting_since_ns = at_ns, [None, None], None
                continue
            before = (tuple(kept(one)), tuple(kept(other)))
            if all(before):
                self._open[one, other] = Crossing((one, other), at_ns, before, at_ns)


def covered_shares(boxes_xyxy: Float32Array) -> NDArray[np.float64]:
    """(n, n): of the smaller of boxes i and j of (n, 4), the share that lies in the other; 0 on the diagonal.

    >>> covered_shares(np.array([[0, 0, 10, 20], [5, 0, 15, 10]], np.float32)).tolist()
    [[0.0, 0.5], [0.5, 0.0]]
    """
    boxes = boxes_xyxy.astype(np.float64)
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2)
    areas = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)
    shares: NDArray[np.float64] = common / np.maximum(np.minimum(areas[:, None], areas[None]), 1)
    np.fill_diagonal(shares, 0)
    return shares


def _is_over(crossing: Crossing[Picture], at_ns: int) -> bool:
    if crossing.waiting_since_ns is None:
        return False
    return None not in crossing.after or at_ns - crossing.waiting_since_ns >= _WAIT_NS

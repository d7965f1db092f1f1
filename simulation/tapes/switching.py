"""From tracks to tracklets as an edge tells of them: it cuts where looks say that two were exchanged."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Int64Array
from passerby.features.crossings import Crossing, Crossings
from passerby.features.exchanges import SwitchOdds, leanings, mean_look
from simulation.tapes.choosing import Choice, Chosen
from simulation.tapes.clocks import NS_PER_SECOND
from simulation.tapes.detecting import Detected
from simulation.tapes.pictures import Pictures
from simulation.tapes.telling import Ending, Telling, tellings
from simulation.tapes.tracking import LOST_AFTER_S, Track

_MIN_QUALITY_AFTER = 0.3
"""An edge's, of the crop that speaks for somebody after a crossing."""


@dataclass(frozen=True, slots=True)
class Tracklet:
    """What is told of one: the rows of `Detected` that it holds, in order of time, and the tellings."""

    rows: NDArray[np.intp]
    told: tuple[Telling, ...]


@dataclass(frozen=True, slots=True)
class _Picture:
    """A box of `Detected`, and what it is kept as."""

    row: int
    choice: Choice | None


class _Growing:
    """A tracklet under way: rows of a track, cut off from earlier ones at frame `began`; untold at frames `held`."""

    def __init__(self, rows: NDArray[np.intp], detected: Detected, captured_at_ns: Int64Array, *, began: int) -> None:
        self.rows = rows
        self.began = began
        self.held: set[int] = set()
        self._places = {row: place for place, row in enumerate(rows.tolist())}
        self._chosen = Chosen(captured_at_ns[rows], detected.quality[rows])

    def kept(self) -> list[_Picture]:
        return [_Picture(int(self.rows[one.row]), one) for one in self._chosen.ranked()]

    def offer(self, row: int) -> None:
        if row in self._places:
            self._chosen.offer(self._places[row])


class Teller:
    """Follows a camera's tracks frame by frame, as an edge does. `captured_at_ns` (n,) is of each row of `detected`."""

    def __init__(
        self,
        detected: Detected,
        tracks: Sequence[Track],
        *,
        captured_at_ns: Int64Array,
        pictures: Pictures,
        fps: float,
        last_frame: int,
    ) -> None:
        self._detected = detected
        self._captured_at_ns = captured_at_ns
        self._pictures = pictures
        self._fps = fps
        self._last_frame = last_frame
        self._crossings: Crossings[_Picture] = Crossings()
        self._odds = SwitchOdds()
        self._key = np.full(len(detected), -1, np.int64)
        for key, one in enumerate(tracks):
            self._key[one.rows] = key
        self._growing = {key: _Growing(one.rows, detected, captured_at_ns, began=-1) for key, one in enumerate(tracks)}
        self._found: list[Tracklet] = []

    def tracklets(self) -> list[Tracklet]:
        """Those worth telling, by their first frame."""
        tracked = np.flatnonzero(self._key >= 0)
        order = tracked[np.lexsort((self._key[tracked], self._detected.frames[tracked]))]
        starts = np.flatnonzero(np.diff(self._detected.frames[order], prepend=-1))
        for rows in np.split(order, starts[1:]) if len(order) else []:
            self._look(rows)
        for one in self._growing.values():
            self._finish(one, None)
        return sorted(self._found, key=lambda one: (int(self._detected.frames[one.rows[0]]), int(one.rows[0])))

    def _look(self, rows: NDArray[np.intp]) -> None:
        """One frame's boxes."""
        keys, frame = self._key[rows], int(self._detected.frames[rows[0]])

        def picture(place: int) -> _Picture | None:
            row = int(rows[place])
            return _Picture(row, None) if self._detected.quality[row] >= _MIN_QUALITY_AFTER else None

        over = self._crossings.see(
            keys,
            self._detected.boxes_xyxy[rows],
            at_ns=self._time_ns(frame),
            kept=lambda key: self._growing[key].kept(),
            picture=picture,
        )
        for crossing in [one for one in over if self._is_exchange(one)]:
            self._cut(crossing, frame)
        for key in self._crossings.doubted(self._time_ns(frame)).union(*(one.keys for one in over)):
            self._growing[key].held.add(frame)
        for row, key in zip(rows.tolist(), keys.tolist(), strict=True):
            self._growing[key].offer(row)

    def _is_exchange(self, crossing: Crossing[_Picture]) -> bool:
        before = np.stack([mean_look(self._pictures.of([one.row for one in kept])) for kept in crossing.before])
        after = np.zeros_like(before)
        for side, one in enumerate(crossing.after):
            if one is not None:
                after[side] = mean_look(self._pictures.of([one.row]))
        found = leanings(before, after)
        exchanged = self._odds.log_odds(found) > 0
        self._odds = self._odds.taught(found)
        return exchanged

    def _cut(self, crossing: Crossing[_Picture], frame: int) -> None:
        """End both tracklets, and begin new ones with what they hold of the time after."""
        self._crossings.forget(crossing.keys)
        ended = round(crossing.ended_ns * self._fps / NS_PER_SECOND)
        for key, before in zip(crossing.keys, crossing.before, strict=True):
            one = self._growing[key]
            if one.began == frame:
                continue  # Another crossing has just ended it.
            frames = self._detected.frames[one.rows]
            last = frames[np.searchsorted(frames, frame, side="right") - 1]
            if frame - last > LOST_AFTER_S * self._fps:
                continue
            kept = tuple(picture.choice for picture in before if picture.choice is not None)
            place = self._finish(one, Ending(frame, ended, kept))
            later = _Growing(one.rows[place:], self._detected, self._captured_at_ns, began=frame)
            later.held.update(range(ended, frame + 1))
            for row in later.rows[self._detected.frames[later.rows] < frame].tolist():
                later.offer(row)
            self._growing[key] = later

    def _finish(self, one: _Growing, ending: Ending | None) -> int:
        """Note what is told of a tracklet, if anything; how many of its rows are over with it."""
        seen = self._detected.rows(one.rows)
        told = tellings(
            seen.frames,
            self._captured_at_ns[one.rows],
            boxes_xyxy=seen.boxes_xyxy,
            quality=seen.quality,
            fps=self._fps,
            last_frame=self._last_frame,
            held=one.held,
            ending=ending,
        )
        if not told:
            return 0 if ending is None else int(np.searchsorted(seen.frames, ending.after, side="right"))
        self._found.append(Tracklet(one.rows[: told[-1].last], told))
        return told[-1].last

    def _time_ns(self, frame: int) -> int:
        return round(frame / self._fps * NS_PER_SECOND)

"""Whether two tracklets were in one place: standing on one spot of the floor in two views, or walking on in one.

Distances are in body heights at that place of the picture, so that near and far people are judged alike.
"""

import bisect
import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from hub.association.view_map import SPOT_SD, Transfer, ViewMap
from hub.paths import PACED, Path, paces
from passerby.ids import CameraId

Float64Array = NDArray[np.float64]

WALK_SD = 0.2
"""Body heights per second by which somebody may have gone otherwise than at the pace that was seen, in each
direction."""

UNSEEN_NS = 6_000_000_000
"""For so long after somebody was lost their place says something."""

ERROR_SHARE = 0.03
"""How often a place is wrong altogether: half a body behind a table, an exchange of two people."""

DISTANCES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0)
"""Steps of distance between two people, in body heights, begin here."""

FARTHEST = 4.0
"""Where the last step is taken to end."""

_PRIOR_PAIRS = 40.0
"""What is usual counts as much as so many pairs of people."""

MOST_SAMPLES = 6

MOST_PLACES = 15
"""Of a long time together so many places are looked at."""


SAME_VIEW = Transfer((1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0), (0.0,) * 64, (0.0, 0.0, 1.0), (0.0, 0.0, 1.0))
"""From a view to itself, without error."""


class Spacing(msgspec.Struct):
    """How far from each other people of one view are who are seen at once: `counts` by step of distance.

    That is how often somebody else stands on the spot by chance. It is not the area of the view: people meet, queue
    and walk side by side.
    """

    counts: list[float] = msgspec.field(default_factory=lambda: [0.0] * len(DISTANCES))

    def learn(self, away: float) -> None:
        """Take the distance of two people, in body heights."""
        self.counts[_step_of(away)] += 1.0

    def density(self, away: float) -> float:
        """Of another person's distance (1 / body height), drawn to people spread evenly while little is known."""
        return self._density(_step_of(away), sum(self.counts))

    def densities(self) -> list[float]:
        """`density` in each step."""
        total = sum(self.counts)
        return [self._density(step, total) for step in range(len(DISTANCES))]

    def _density(self, step: int, total: float) -> float:
        begin, end = DISTANCES[step], FARTHEST if step + 1 == len(DISTANCES) else DISTANCES[step + 1]
        evenly = _PRIOR_PAIRS * (end * end - begin * begin) / FARTHEST**2
        return (self.counts[step] + evenly) / (total + _PRIOR_PAIRS) / (end - begin)


def _step_of(away: float) -> int:
    return max(bisect.bisect_right(DISTANCES, away) - 1, 0)


class Floor(msgspec.Struct):
    """What is known of the places of a site: `spacings` by camera, `maps` by "first|second" camera, by name."""

    spacings: dict[str, Spacing] = msgspec.field(default_factory=dict)
    maps: dict[str, ViewMap] = msgspec.field(default_factory=dict)
    version: int = 0

    def spacing(self, camera_id: CameraId) -> Spacing:
        """How far people of a view are from each other."""
        return self.spacings.setdefault(str(camera_id), Spacing())

    def map_between(self, first: CameraId, second: CameraId) -> ViewMap:
        """The map of two views, first the one that is first by name."""
        return self.maps.setdefault(f"{min(first, second)}|{max(first, second)}", ViewMap())

    def mapped(self, first: CameraId, second: CameraId) -> bool:
        """Whether places of one view are known in the other."""
        known = self.maps.get(f"{min(first, second)}|{max(first, second)}")
        return first == second or (known is not None and known.there is not None)

    def transfer(self, before: CameraId, after: CameraId) -> Transfer | None:
        """What takes feet in one view to another; None where it is not known."""
        if before == after:
            return SAME_VIEW
        known = self.maps.get(f"{min(before, after)}|{max(before, after)}")
        return None if known is None else known.there if before < after else known.back

    def evidence(self, before: Path, after: Path, *, cameras: tuple[CameraId, CameraId]) -> float | None:
        """Log-likelihood ratio (nat) of two tracklets being of one person, from where they were.

        `cameras` are those of the two; `after` began later. None where nothing can be said.
        """
        transfer = self.transfer(*cameras)
        if transfer is None or not len(before) or not len(after):
            return None
        spread = SPOT_SD if cameras[0] == cameras[1] else self.map_between(*cameras).spread
        spacing = self.spacings.get(str(cameras[1]), Spacing())
        gap_s = float(after.at_ns[0] - before.at_ns[-1]) / 1e9
        if gap_s <= 0.0:
            at_once = together(before, after)
            if not len(at_once):
                return None
            if len(at_once) > MOST_PLACES:
                at_once = at_once[np.linspace(0, len(at_once) - 1, MOST_PLACES).round().astype(np.intp)]
            away, error = transfer.away(at_once[:, :2], at_once[:, 3:5], heights=at_once[:, 5])
            middle = int(np.argsort(away, kind="stable")[len(away) // 2])
            spread = math.hypot(spread, float(error[middle]))
            return _evidence(float(away[middle]), spread=spread, spacing=spacing, samples=len(away))
        if gap_s > UNSEEN_NS / 1e9 or (cameras[0] != cameras[1] and (before.cut[-1] or after.cut[0])):
            return None
        here, there = _met(before, at_end=True, gap_s=gap_s), _met(after, at_end=False, gap_s=gap_s)
        away, error = transfer.away(here, there, heights=after.heights[:1])
        spread = math.hypot(spread, float(error[0]), WALK_SD * gap_s)
        return _evidence(float(away[0]), spread=spread, spacing=spacing, samples=1)


def _met(path: Path, *, at_end: bool, gap_s: float) -> Float64Array:
    """Where (1, 2) somebody was in the middle of the time between two paths, had they gone on, or come, at their pace
    at this path's end, or beginning."""
    nearest = slice(None, -PACED - 1, -1) if at_end else slice(PACED)
    at_ns, feet = path.at_ns[nearest][None], path.feet[nearest][None].astype(np.float64)
    pace = paces(at_ns, feet, np.ones(at_ns.shape, np.bool_))
    return np.asarray(feet[:, 0] + (0.5 if at_end else -0.5) * gap_s * pace, np.float64)


def together(first: Path, second: Path) -> Float64Array:
    """Places (n, 6) at the times when both were seen whole: (x, y, height) of the first and of the second."""
    if not len(first) or not len(second):
        return np.zeros((0, 6))
    low, high = max(first.at_ns[0], second.at_ns[0]), min(first.at_ns[-1], second.at_ns[-1])
    rows = np.flatnonzero((second.at_ns >= low) & (second.at_ns <= high) & ~second.cut)
    if not len(rows):
        return np.zeros((0, 6))
    at = (second.at_ns[rows] - low).astype(np.float64)
    own = (first.at_ns - low).astype(np.float64)
    whole = np.interp(at, own, first.cut.astype(np.float64)) == 0.0
    columns = [np.interp(at, own, values) for values in (first.feet[:, 0], first.feet[:, 1], first.heights)]
    there = [second.feet[rows, 0], second.feet[rows, 1], second.heights[rows]]
    places: Float64Array = np.stack([*columns, *there], axis=1).astype(np.float64)
    return np.asarray(places[whole], np.float64)


def distance(places: Float64Array) -> float:
    """Median distance in body heights between the two of `places` (n, 6) in one view."""
    return float(np.median(SAME_VIEW.away(places[:, :2], places[:, 3:5], heights=places[:, 5])[0]))


def _evidence(away: float, *, spread: float, spacing: Spacing, samples: int) -> float:
    """Against somebody else's being there; the distance of one spot seen twice has a Rayleigh distribution."""
    away = min(away, FARTHEST)
    near = away / spread
    here = near / spread * math.exp(-min(near * near / 2.0, 700.0))
    # So near to the spot a distance says no more than that it is the spot.
    here = max(here, 0.5 / spread) if near < 1.0 else here
    ratio = math.log((1.0 - ERROR_SHARE) * here / spacing.density(away) + ERROR_SHARE)
    # Times half a second apart are not independent: six of them count as two.
    return ratio * (1.0 + (min(samples, MOST_SAMPLES) - 1) / (MOST_SAMPLES - 1))

"""How people move between the cameras of a site: learned from who appeared where after whom, without calibration.

Everybody who was seen is a source of the next appearance: after somebody was last seen in camera a, they appear in
camera c with a rate (per second) that depends on a, c and the time since, and strangers appear in c with a rate of
their own. These rates compete: the odds of a tracklet being one person rather than another, or a stranger, are the
ratio of their rates, times what looks and place say. Rates are piecewise constant over the time since (an
occurrence/exposure estimate with a gamma prior), so "never" is what a long exposure without an occurrence says, and
how many people it may have been is counted
by itself: each of them competes.

The first step of time is being seen now: views that overlap, and trackers that lose somebody in a view, show there.
"""

import bisect
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from hub.association.overrides import Overrides
from passerby.config import TransitSettings
from passerby.ids import CameraId

STEPS_S = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0)
"""Steps of the time since last seen begin here; the first step is below: seen now. Beyond the last it is one step."""

_STEPS = len(STEPS_S) + 1

_SEEN_NOW_RATE = 1 / 15.0
"""Expected appearances per second in all cameras of somebody who is seen now."""

_RETURN_SHARE = 0.35
"""The rate of appearing t seconds after last being seen is expected to be this over t."""

_SHORTEST_S = 3.0

_STRANGER_RATE = 1 / 60.0
"""Expected strangers a second and camera."""

_PRIOR_APPEARANCES = 2.0
"""The prior weighs as much as so many appearances from a camera in each step."""

FORBIDDEN_RATE = 1e-30
"""Appearances per second where an operator says never: no other evidence makes up for 65 nat."""

_EXACT_S = 0.25
"""Clocks as good as this make no difference to the steps."""

_MEMORY = 2000.0
"""Appearances from one camera after which older ones begin to fade, so that a site may change."""


_STRANGER_MEMORY_S = 1800.0
"""Doors are busy at some hours: half of what is known about strangers is forgotten within this time."""


class Link(msgspec.Struct):
    """What came after being seen in one camera: `appearances` by camera and step, `exposure_s` by step."""

    appearances: dict[str, list[float]] = msgspec.field(default_factory=dict)
    exposure_s: list[float] = msgspec.field(default_factory=lambda: [0.0] * _STEPS)


class Topology(msgspec.Struct):
    """The rates of one site. `version` counts what was learned."""

    cameras: list[str] = msgspec.field(default_factory=list)
    links: dict[str, Link] = msgspec.field(default_factory=dict)
    strangers: dict[str, float] = msgspec.field(default_factory=dict)
    watched_s: dict[str, float] = msgspec.field(default_factory=dict)
    watched_until_ns: int = 0
    version: int = 0
    overrides: Overrides = msgspec.field(default_factory=Overrides)

    def know(self, camera_id: CameraId) -> None:
        """Count a camera as one of the site."""
        if camera_id not in self.links:
            self.cameras.append(str(camera_id))
            self.links[camera_id] = Link()
            self.strangers[camera_id] = 0.0
            self.watched_s[camera_id] = 0.0

    def rate(self, before: CameraId, after: CameraId, *, gap_s: float, clock_error_s: float = 0.0) -> float:
        """Appearances per second in camera `after` of one who was last seen in `before` so long ago (<= 0: is seen).

        With clocks off by up to `clock_error_s`, the mean over the gaps that it may have been. What an operator says
        is impossible at all of them is next to never.
        """
        if self.overrides.forbids(before, after, earliest_s=gap_s - clock_error_s, latest_s=gap_s + clock_error_s):
            return FORBIDDEN_RATE
        error_s = 0.0 if clock_error_s <= _EXACT_S else clock_error_s
        steps = [step_of(one) for one in (gap_s - error_s, gap_s, gap_s + error_s)]
        if steps[0] == steps[2]:
            return self._learned_rate(before, after, step=steps[0])
        return sum(self._learned_rate(before, after, step=step) for step in steps) / 3.0

    def _learned_rate(self, before: CameraId, after: CameraId, *, step: int) -> float:
        """The rate in one step as it was counted, and no less than is usual where views are said to overlap."""
        others = max(len(self.cameras), 1)
        prior = _PRIOR_RATES[step] / others
        link = self.links.get(before)
        if link is None:
            return prior
        # Gamma prior: so many appearances over the exposure in which they would have been expected.
        expected = _PRIOR_APPEARANCES / others
        counted = link.appearances[after][step] if after in link.appearances else 0.0
        learned = (counted + expected) / (link.exposure_s[step] + expected / prior)
        return max(learned, prior) if step == 0 and self.overrides.overlap(before, after) else learned

    def rates(
        self,
        ways: Sequence[tuple[CameraId, CameraId]],
        which: NDArray[np.int64],
        *,
        gap_s: NDArray[np.float64],
        clock_error_s: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """`rate` of n who went these `ways`, from a camera to another: `which` (n,), so long ago, (n,) each."""
        steps = np.searchsorted(STEPS_S, np.stack([gap_s - clock_error_s, gap_s, gap_s + clock_error_s]), side="right")
        exact = clock_error_s <= _EXACT_S
        steps[:, exact] = steps[1, exact]
        asked, place = np.unique(which * _STEPS + steps, return_inverse=True)
        learned = [self._learned_rate(*ways[way], step=step) for way, step in zip(*_way_and_step(asked), strict=True)]
        first, middle, last = np.array(learned, np.float64)[place.reshape(steps.shape)]
        rates = np.asarray(np.where(steps[0] == steps[2], first, (first + middle + last) / 3.0), np.float64)
        if not self.overrides.silent:
            for row, way in enumerate(which.tolist()):
                low, high = gap_s[row] - clock_error_s[row], gap_s[row] + clock_error_s[row]
                if self.overrides.forbids(*ways[way], earliest_s=float(low), latest_s=float(high)):
                    rates[row] = FORBIDDEN_RATE
        return rates

    def stranger_rate(self, camera_id: CameraId) -> float:
        """Appearances per second in a camera of people who were never seen before."""
        counted, watched = self.strangers.get(camera_id, 0.0), self.watched_s.get(camera_id, 0.0)
        return (counted + 1.0) / (watched + 1.0 / _STRANGER_RATE)

    def never_together(self, first: CameraId, second: CameraId) -> float:
        """Log of how much rarer than expected it is to be seen in both cameras at once (nat, at most 0)."""
        both = [
            np.log(self.rate(one, other, gap_s=-1.0) * max(len(self.cameras), 1) / _PRIOR_RATES[0])
            for one, other in ((first, second), (second, first))
        ]
        return float(min(0.0, max(both)))

    def tell(self, word: TransitSettings) -> None:
        """Let an operator's word outweigh what was learned of a pair, until another one is told."""
        self.overrides.tell(word)
        self.version += 1

    def learn_appearance(
        self, before: CameraId, after: CameraId, *, gap_s: float, seen_s: float, weight: float = 1.0
    ) -> None:
        """Somebody last seen in `before`, for `seen_s` seconds, appeared in `after`; `weight` is how sure it is."""
        self.know(before)
        self.know(after)
        link = self.links[before]
        counts = link.appearances.setdefault(str(after), [0.0] * _STEPS)
        counts[step_of(gap_s)] += weight
        self._expose(link, gap_s=gap_s, seen_s=seen_s, weight=weight)
        self._fade(link)
        self.version += 1

    def learn_stranger(self, camera_id: CameraId, *, weight: float) -> None:
        """Somebody who was never seen before appeared in a camera."""
        self.know(camera_id)
        self.strangers[camera_id] += weight
        self.version += 1

    def watch_until(self, at_ns: int) -> None:
        """All known cameras have looked since the last time."""
        seconds = max(0.0, (at_ns - self.watched_until_ns) / 1e9) if self.watched_until_ns else 0.0
        self.watched_until_ns = max(at_ns, self.watched_until_ns)
        keep = 0.5 ** (seconds / _STRANGER_MEMORY_S)
        for camera_id in self.cameras:
            self.watched_s[camera_id] = self.watched_s[camera_id] * keep + seconds
            self.strangers[camera_id] *= keep

    @staticmethod
    def _expose(link: Link, *, gap_s: float, seen_s: float, weight: float) -> None:
        link.exposure_s[0] += weight * max(seen_s, 0.1)
        edges = np.append(np.array(STEPS_S), np.inf)
        spent = np.clip(gap_s - edges[:-1], 0.0, np.diff(edges))
        for step, seconds in enumerate(spent.tolist(), start=1):
            link.exposure_s[step] += weight * seconds

    @staticmethod
    def _fade(link: Link) -> None:
        total = sum(map(sum, link.appearances.values()))
        if total > _MEMORY:
            keep = _MEMORY / total / 2.0
            link.exposure_s = [value * keep for value in link.exposure_s]
            link.appearances = {name: [value * keep for value in row] for name, row in link.appearances.items()}


def _way_and_step(asked: NDArray[np.int64]) -> tuple[list[int], list[int]]:
    ways, steps = np.divmod(asked, _STEPS)
    return ways.tolist(), steps.tolist()


def step_of(gap_s: float) -> int:
    """Which step of time a gap lies in; 0: seen now.

    >>> step_of(-3.0), step_of(0.5), step_of(1e9)
    (0, 1, 15)
    """
    return bisect.bisect_right(STEPS_S, gap_s)


def _usual_rates() -> tuple[float, ...]:
    ends = (*STEPS_S[1:], 2.0 * STEPS_S[-1])
    middles = [(begin + end) / 2.0 for begin, end in zip(STEPS_S, ends, strict=True)]
    return (_SEEN_NOW_RATE, *(_RETURN_SHARE / max(middle, _SHORTEST_S) for middle in middles))


_PRIOR_RATES = _usual_rates()
"""By step, in all cameras together."""

"""What moving says of who a tracklet is, during one round: when and where identities were seen last, and at once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.association.topology import FORBIDDEN_RATE, Topology
from hub.records import Tracklet
from passerby.arrays import Int64Array
from passerby.ids import CameraId

Float64Array = NDArray[np.float64]

_MISSED = 0.3
"""Share of those last seen long ago who have been seen since, as a fragment that is not known to be they."""

_MISSED_WITHIN_S = 30.0
"""After so long it is half of that."""


def seen_last(tracklets: Collection[Tracklet], at_ns: int) -> Tracklet:
    """Of tracklets that began until `at_ns` the one that was seen last before it; of those still seen, the newest."""
    return max(tracklets, key=lambda t: (min(t.ended_at_ns, at_ns), t.started_at_ns, t.number))


@dataclass(frozen=True, slots=True)
class Sightings:
    """Tracklets (n,) as arrays: `numbers` and times int64, `errors_ns` of clocks float64, `cameras` as places in
    `names`."""

    names: Sequence[CameraId]
    numbers: Int64Array
    cameras: Int64Array
    begins_ns: Int64Array
    ends_ns: Int64Array
    errors_ns: Float64Array

    @classmethod
    def of(cls, tracklets: Sequence[Tracklet]) -> "Sightings":
        """As they are now."""
        code: dict[CameraId, int] = {}
        cameras = np.array([code.setdefault(t.camera_id, len(code)) for t in tracklets], np.int64)
        return cls(
            list(code),
            np.array([t.number for t in tracklets], np.int64),
            cameras,
            np.array([t.started_at_ns for t in tracklets], np.int64),
            np.array([t.ended_at_ns for t in tracklets], np.int64),
            np.array([t.clock_error_ns for t in tracklets], np.float64),
        )

    def __len__(self) -> int:
        return len(self.numbers)

    def taken(self, rows: Int64Array) -> "Sightings":
        """These rows of them."""
        times = (self.begins_ns[rows], self.ends_ns[rows], self.errors_ns[rows])
        return Sightings(self.names, self.numbers[rows], self.cameras[rows], *times)

    def last(self, sets: Int64Array, rows: Int64Array, *, before_ns: Int64Array) -> Int64Array:
        """Of each of s sets the one that was seen last before a time `before_ns` (s,), as `seen_last` has it; where
        nobody was seen by then, of all. Gives rows (s,).

        Set `sets[i]`, rising, has `rows[i]`; there are no empty ones.
        """
        firsts = np.searchsorted(sets, np.arange(len(before_ns)))
        begins, before = self.begins_ns[rows], before_ns[sets]
        begun = begins <= before
        left = begun | ~np.logical_or.reduceat(begun, firsts)[sets]
        for key in (np.minimum(self.ends_ns[rows], before), begins, self.numbers[rows]):
            most = np.maximum.reduceat(np.where(left, key, -1), firsts)
            left &= key == most[sets]
        # A tracklet may be in a set twice.
        return np.asarray(np.maximum.reduceat(np.where(left, rows, -1), firsts), np.int64)


class Movement:
    """Weighs ways by what the topology knows; where that is not `asked`, they say nothing."""

    def __init__(self, topology: Topology, *, asked: bool) -> None:
        self._topology = topology
        self.asked = asked
        self._never_together: dict[tuple[CameraId, CameraId], float] = {}

    def evidence(self, after: Sightings, before: Sightings) -> Float64Array:
        """Log (n,) of the rates of each tracklet's appearing here and now for somebody whom the one `before` it showed,
        over that of strangers."""
        if not self.asked or not len(after):
            return np.zeros(len(after))
        asked, which = np.unique(before.cameras * len(after.names) + after.cameras, return_inverse=True)
        ways = [(before.names[way // len(after.names)], after.names[way % len(after.names)]) for way in asked.tolist()]
        elsewhere = np.array([one != other for one, other in ways])[which]
        gap_s = (after.begins_ns - before.ends_ns).astype(np.float64) / 1e9
        errors_s = (before.errors_ns + after.errors_ns) / 1e9 * elsewhere
        rates = self._topology.rates(ways, which, gap_s=gap_s, clock_error_s=errors_s)
        strangers = np.array([self._topology.stranger_rate(camera_id) for _, camera_id in ways])
        missed = missed_since(gap_s) * (rates > FORBIDDEN_RATE)
        return np.asarray(np.log(rates / strangers[which] + missed), np.float64)

    def apart(self, tracklet: Tracklet, others: Sequence[Tracklet]) -> float:
        """To be in two views at once costs what the site has learned that it does; once, however many there are."""
        return min((self.rarely(other.camera_id, tracklet.camera_id) for other in others), default=0.0)

    def rarely(self, first: CameraId, second: CameraId) -> float:
        """What it costs (nat, at most 0) to be in these two views at once."""
        if not self.asked:
            return 0.0
        pair = (first, second)
        if pair not in self._never_together:
            self._never_together[pair] = self._topology.never_together(first, second)
        return self._never_together[pair]


def missed_since(gap_s: Float64Array) -> Float64Array:
    """The share (n,) of identities who were seen again since, `gap_s` seconds after they were last known to be, as
    somebody of whom it is not known who it is. They come from there, and as anybody does.

    >>> missed_since(np.array([-5.0, 30.0, 600.0])).round(2).tolist()
    [0.0, 0.15, 0.29]
    """
    gap = np.maximum(gap_s, 0.0)
    return np.asarray(_MISSED * gap / (gap + _MISSED_WITHIN_S), np.float64)

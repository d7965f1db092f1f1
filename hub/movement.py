"""What moving says of who a tracklet is, during one round: when and where identities were seen last, and at once."""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from hub.association.topology import FORBIDDEN_RATE, Topology
from hub.records import Tracklet
from passerby.ids import CameraId

Float64Array = NDArray[np.float64]

_MISSED = 0.3
"""Share of those last seen long ago who have been seen since, as a fragment that is not known to be they."""

_MISSED_WITHIN_S = 30.0
"""After so long it is half of that."""


def seen_last(tracklets: Collection[Tracklet], at_ns: int) -> Tracklet:
    """Of tracklets that began until `at_ns` the one that was seen last before it; of those still seen, the newest."""
    return max(tracklets, key=lambda t: (min(t.ended_at_ns, at_ns), t.started_at_ns, t.number))


class Movement:
    """Weighs ways by what the topology knows; where that is not `asked`, they say nothing."""

    def __init__(self, topology: Topology, *, asked: bool) -> None:
        self._topology = topology
        self._asked = asked
        self._never_together: dict[tuple[CameraId, CameraId], float] = {}

    def evidence(
        self, tracklet: Tracklet, others: Sequence[Collection[Tracklet]], *, beside: Sequence[Tracklet] = ()
    ) -> Float64Array:
        """Log (n,) of the rates of appearing here and now for identities with those tracklets, each at least one, over
        that of strangers; what is common to all who may be `beside` it speaks for none of them."""
        if not self._asked or not others:
            return np.zeros(len(others))
        begin = tracklet.started_at_ns
        last = [_seen_last([*mine, *beside], begin) for mine in others]
        if beside:
            last.append(_seen_last(beside, begin))
        moved = self._rates(tracklet, last)
        return moved[:-1] - moved[-1] if beside else moved

    def apart(self, tracklet: Tracklet, others: Sequence[Tracklet]) -> float:
        """To be in two views at once costs what the site has learned that it does; once, however many there are."""
        if not self._asked:
            return 0.0
        return min((self._rarely(other.camera_id, tracklet.camera_id) for other in others), default=0.0)

    def _rarely(self, first: CameraId, second: CameraId) -> float:
        pair = (first, second)
        if pair not in self._never_together:
            self._never_together[pair] = self._topology.never_together(first, second)
        return self._never_together[pair]

    def _rates(self, tracklet: Tracklet, last: Sequence[Tracklet]) -> Float64Array:
        """Log (n,) of the rates of appearing here and now after those tracklets, over that of strangers."""
        begin, error_ns, camera_id = tracklet.started_at_ns, tracklet.clock_error_ns, tracklet.camera_id
        gap_s = np.array([(begin - t.ended_at_ns) / 1e9 for t in last])
        rates = self._topology.rates(
            [t.camera_id for t in last],
            camera_id,
            gap_s=gap_s,
            clock_error_s=np.array([(t.clock_error_ns + error_ns) / 1e9 * (t.camera_id != camera_id) for t in last]),
        )
        strangers = self._topology.stranger_rate(camera_id)
        missed = missed_since(gap_s) * (rates > FORBIDDEN_RATE)
        return np.asarray(np.log(rates / strangers + missed), np.float64)


def missed_since(gap_s: Float64Array) -> Float64Array:
    """The share (n,) of identities who were seen again since, `gap_s` seconds after they were last known to be, as
    somebody of whom it is not known who it is. They come from there, and as anybody does.

    >>> missed_since(np.array([-5.0, 30.0, 600.0])).round(2).tolist()
    [0.0, 0.15, 0.29]
    """
    gap = np.maximum(gap_s, 0.0)
    return np.asarray(_MISSED * gap / (gap + _MISSED_WITHIN_S), np.float64)


def _seen_last(others: Collection[Tracklet], begin_ns: int) -> Tracklet:
    """Who was seen last before it began; where nobody was, who was seen at all."""
    return seen_last([t for t in others if t.started_at_ns <= begin_ns] or others, begin_ns)

"""Views that show whoever is in them at once: two people who are each alone in one of two such views are one.

Where nearly everybody in one view is in another too, it is odd that somebody is in the first alone while somebody else
is in the second alone. How often whoever is in one is in the other is what the last minute shows, of everybody but the
two who are asked about: a site that has just begun knows it within seconds, and no map of the floor is needed.
"""

import math
from collections.abc import Collection, Mapping, Sequence

from hub.association.place import Floor
from hub.exclusion import in_two_views
from hub.records import Tracklet
from passerby.ids import CameraId, IdentityId

_SHARE = 0.1
_PRIOR_MOMENTS = 2.0
"""How much of the time whoever is in one view is in another, before anybody was seen, and as how many moments it
counts."""

_MOMENT_NS = 5_000_000_000
"""Where somebody is so much later is news."""

_MOST_NAT = 3.0

Moments = dict[tuple[CameraId, CameraId], float]
"""For how long somebody was in the first view and at once in the second; the same one twice: in that view at all."""


class Company:
    """What identities with their tracklets of the last minute say of views, during one round."""

    def __init__(self, lately: Mapping[IdentityId, Sequence[Tracklet]], floor: Floor) -> None:
        self._lately = lately
        self._floor = floor
        self._known: dict[IdentityId, Moments] | None = None
        self._all: Moments = {}

    def evidence(self, first: Sequence[Tracklet], second: Sequence[Tracklet]) -> float:
        """Log-likelihood ratio (nat, at least 0) of two identities being one, from being each alone in views that show
        people at once; where places can be compared they say more, and this nothing.

        `first` and `second` are tracklets of the two, of which no camera saw both at once.
        """
        asked = {t.identity_id for t in (*first, *second) if t.identity_id is not None}
        ways = {
            (one.camera_id, other.camera_id)
            for one in first
            for other in second
            if in_two_views(one, other) and not self._floor.mapped(one.camera_id, other.camera_id)
        }
        # Of one moment in several views the best one counts: they are no independent witnesses.
        most = max((self._unlikely(*way, asked) + self._unlikely(*way[::-1], asked) for way in ways), default=0.0)
        return min(most, _MOST_NAT)

    def _unlikely(self, here: CameraId, there: CameraId, without: Collection[IdentityId]) -> float:
        """How odd it is (nat) to be in one view and not in the other, as others are."""
        known = self._moments()
        seen, both = (
            self._all.get(way, 0.0) - sum(known.get(identity_id, {}).get(way, 0.0) for identity_id in without)
            for way in ((here, here), (here, there))
        )
        share = (_PRIOR_MOMENTS * _SHARE + max(both, 0.0)) / (_PRIOR_MOMENTS + max(seen, both, 0.0))
        return -math.log1p(-share)

    def _moments(self) -> Mapping[IdentityId, Moments]:
        if self._known is None:
            self._known = {identity_id: moments(mine) for identity_id, mine in self._lately.items()}
            for one in self._known.values():
                for way, count in one.items():
                    self._all[way] = self._all.get(way, 0.0) + count
        return self._known


def moments(tracklets: Sequence[Tracklet]) -> Moments:
    """How many moments one person was in each view and in each two at once."""
    found: Moments = {}
    for one in tracklets:
        for other in tracklets:
            shared_ns = min(one.ended_at_ns, other.ended_at_ns) - max(one.started_at_ns, other.started_at_ns)
            if shared_ns > 0 and (one.number == other.number or one.camera_id != other.camera_id):
                way = (one.camera_id, other.camera_id)
                found[way] = found.get(way, 0.0) + shared_ns / _MOMENT_NS
    return found

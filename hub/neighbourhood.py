"""Who was near a tracklet in time and place, during one round: ties, and who was seen at once."""

from collections.abc import Collection, Sequence

from hub.association.place import UNSEEN_NS
from hub.association.ties import credible
from hub.exclusion import in_two_views, seen_together
from hub.paths import NOWHERE
from hub.records import Tracklet, TrackletNumber
from hub.state import SiteState
from passerby.ids import CameraId, IdentityId

LATELY_NS = 60 * 10**9
"""Where somebody is and was is asked of tracklets that are open or had news so lately."""


class Neighbourhood:
    """The tracklets of the last minute; `place`: whether places are compared."""

    def __init__(self, state: SiteState, *, place: bool) -> None:
        self._place = place
        self._floor = state.knowledge.floor
        self._paths = state.paths
        self._sharing: dict[CameraId, set[CameraId]] = {}
        self._ties: dict[tuple[TrackletNumber, TrackletNumber], float] = {}
        self._tied: dict[TrackletNumber, dict[TrackletNumber, float]] = {}
        self.recent: dict[TrackletNumber, Tracklet] = {t.number: t for t in state.lately(LATELY_NS)}
        """The tracklets of the last minute."""
        self.lately: dict[IdentityId, list[Tracklet]] = {}
        """Identities with their tracklets of the last minute."""
        for t in self.recent.values():
            if t.identity_id is not None:
                self.lately.setdefault(t.identity_id, []).append(t)

    def tied(self, tracklet: Tracklet) -> dict[TrackletNumber, float]:
        """Evidence of place (nat) of being one person with each tracklet that was near in time, where there is any."""
        if not self._place:
            return {}
        if tracklet.number not in self._tied:
            near = self._near(tracklet, self.recent.values())
            ties = ((other.number, self._tie(tracklet, other)) for other in near)
            self._tied[tracklet.number] = {number: nat for number, nat in ties if nat}
        return self._tied[tracklet.number]

    def near(self, tracklet: Tracklet) -> set[IdentityId]:
        """The identities of those who were near in time, where their places can be compared."""
        others = self._near(tracklet, self.recent.values())
        return {other.identity_id for other in others if other.identity_id is not None}

    def in_another_view(self, tracklet: Tracklet) -> dict[IdentityId, list[Tracklet]]:
        """The tracklets of each identity that another camera saw at the same time."""
        found: dict[IdentityId, list[Tracklet]] = {}
        for identity_id, others in self.lately.items():
            at_once = self.at_once(tracklet, others)
            if at_once:
                found[identity_id] = at_once
        return found

    def seen_with(self, tracklet: Tracklet) -> set[IdentityId]:
        """The identities that the same camera saw at the same time: other people."""
        return {
            identity_id
            for identity_id, others in self.lately.items()
            if identity_id != tracklet.identity_id and any(seen_together(tracklet, other) for other in others)
        }

    def places(self, tracklet: Tracklet, others: Sequence[Tracklet]) -> float:
        """The best and the worst (nat) that places say of a tracklet being one person with others: one that fits is not
        all, one that does not is not all."""
        low = high = 0.0
        if not self._place:
            return 0.0
        for other in self._near(tracklet, others):
            value = credible(self._tie(tracklet, other))
            low, high = min(low, value), max(high, value)
        return low + high

    def _near(self, tracklet: Tracklet, others: Collection[Tracklet]) -> list[Tracklet]:
        """Those near in time whose places can be compared with a tracklet's."""
        begin, end, number = tracklet.started_at_ns - UNSEEN_NS, tracklet.ended_at_ns + UNSEEN_NS, tracklet.number
        mapped = self._mapped(tracklet.camera_id)
        return [
            other
            for other in others
            if other.camera_id in mapped
            and other.started_at_ns <= end
            and other.ended_at_ns >= begin
            and other.number != number
            and not seen_together(other, tracklet)
        ]

    def _mapped(self, camera_id: CameraId) -> set[CameraId]:
        """The cameras in whose views places can be compared with those in one."""
        if camera_id not in self._sharing:
            cameras = {CameraId(name) for pair in self._floor.maps for name in pair.split("|")}
            self._sharing[camera_id] = {camera_id, *(one for one in cameras if self._floor.mapped(one, camera_id))}
        return self._sharing[camera_id]

    @staticmethod
    def at_once(tracklet: Tracklet, others: Collection[Tracklet]) -> list[Tracklet]:
        """Those that another camera saw at the same time."""
        return [other for other in others if in_two_views(other, tracklet)]

    def _tie(self, tracklet: Tracklet, other: Tracklet) -> float:
        """Evidence of place of two tracklets being one person; 0 where there is none."""
        first, second = (other, tracklet) if other.started_at_ns <= tracklet.started_at_ns else (tracklet, other)
        key = (first.number, second.number)
        if key not in self._ties:
            value = self._floor.evidence(
                self._paths.get(first.number, NOWHERE),
                self._paths.get(second.number, NOWHERE),
                cameras=(first.camera_id, second.camera_id),
            )
            self._ties[key] = value or 0.0
        return self._ties[key]

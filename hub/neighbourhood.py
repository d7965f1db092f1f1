"""Who was near a tracklet in time and place, during one round: ties, and who was seen at once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.association.place import UNSEEN_NS
from hub.association.ties import credible
from hub.association.walks import Walks, evidence_of_pairs
from hub.exclusion import ONE_VIEW_NS, SHARED_VIEW_NS, in_two_views, seen_together
from hub.paths import NOWHERE
from hub.records import Tracklet, TrackletNumber
from hub.state import SiteState
from passerby.arrays import Int64Array
from passerby.ids import CameraId, IdentityId

BoolArray = NDArray[np.bool_]

LATELY_NS = 60 * 10**9
"""Where somebody is and was is asked of tracklets that are open or had news so lately."""


class Neighbourhood:
    """The tracklets of the last minute; `place`: whether places are compared, of which the share `mistaken` takes two
    people for one."""

    def __init__(self, state: SiteState, *, place: bool, mistaken: float) -> None:
        self.mistaken = mistaken
        self._place = place
        self._floor = state.knowledge.floor
        self._paths = state.paths
        self._codes: dict[CameraId, int] = {}
        self._sharing: dict[CameraId, set[CameraId]] = {}
        self._tied: dict[TrackletNumber, dict[TrackletNumber, float]] = {}
        self.recent: dict[TrackletNumber, Tracklet] = {t.number: t for t in state.lately(LATELY_NS)}
        """The tracklets of the last minute."""
        self.lately: dict[IdentityId, list[Tracklet]] = {}
        """Identities with their tracklets of the last minute."""
        for t in self.recent.values():
            if t.identity_id is not None:
                self.lately.setdefault(t.identity_id, []).append(t)
        self._others = list(self.recent.values())
        self._spans = self._spans_of(self._others)

    def tied(self, tracklets: Sequence[Tracklet]) -> list[dict[TrackletNumber, float]]:
        """Evidence of place (nat) of being one person with each tracklet that was near in time, where there is any."""
        if not self._place:
            return [{} for _ in tracklets]
        asked = [tracklet for tracklet in tracklets if tracklet.number not in self._tied]
        if asked:
            near = self._near_in_time(asked)
            pairs = [
                (tracklet, self._others[column])
                for tracklet, row in zip(asked, near, strict=True)
                for column in np.flatnonzero(row).tolist()
            ]
            self._tied |= {tracklet.number: {} for tracklet in asked}
            for (tracklet, other), nat in zip(pairs, self._ties(pairs), strict=True):
                if nat:
                    self._tied[tracklet.number][other.number] = nat
        return [self._tied[tracklet.number] for tracklet in tracklets]

    def beside(self, tracklets: Sequence[Tracklet]) -> list[set[IdentityId]]:
        """The identities of those who were near each tracklet in time, where their places can be compared, and of those
        whom another camera saw at the same time."""
        found = self._near_in_time(tracklets) | self.in_two_views(tracklets)
        owners = [other.identity_id for other in self._others]
        return [
            {owner for column in np.flatnonzero(row).tolist() if (owner := owners[column]) is not None} for row in found
        ]

    def in_two_views(self, tracklets: Sequence[Tracklet]) -> BoolArray:
        """Whether another camera saw each of those `recent` at the same time as each tracklet: (n, recent)."""
        mine, theirs = self._spans_of(tracklets), self._spans
        least = ONE_VIEW_NS + mine.errors_ns[:, None] + theirs.errors_ns
        two_views: BoolArray = (mine.cameras[:, None] != theirs.cameras) & (_shared_ns(mine, theirs) > least)
        return two_views

    def seen_with(self, tracklet: Tracklet) -> set[IdentityId]:
        """The identities that the same camera saw at the same time: other people."""
        return {
            identity_id
            for identity_id, others in self.lately.items()
            if identity_id != tracklet.identity_id and any(seen_together(tracklet, other) for other in others)
        }

    def places(self, asked: Sequence[tuple[Tracklet, Sequence[Tracklet]]]) -> list[float]:
        """The best and the worst (nat) that places say of each tracklet being one person with some others: one that
        fits is not all, one that does not is not all."""
        low, high = [0.0] * len(asked), [0.0] * len(asked)
        if self._place:
            near = [
                (index, tracklet, other)
                for index, (tracklet, others) in enumerate(asked)
                for other in self._near(tracklet, others)
            ]
            for (index, _, _), nat in zip(near, self._ties([(one, other) for _, one, other in near]), strict=True):
                value = credible(nat, mistaken=self.mistaken)
                low[index], high[index] = min(low[index], value), max(high[index], value)
        return [worst + best for worst, best in zip(low, high, strict=True)]

    @staticmethod
    def at_once(tracklet: Tracklet, others: Collection[Tracklet]) -> list[Tracklet]:
        """Those that another camera saw at the same time."""
        return [other for other in others if in_two_views(other, tracklet)]

    def _near(self, tracklet: Tracklet, others: Collection[Tracklet]) -> list[Tracklet]:
        """Those near in time whose places can be compared with a tracklet's."""
        mapped = self._mapped(tracklet.camera_id)
        return [
            other
            for other in others
            if other.camera_id in mapped
            and other.started_at_ns <= tracklet.ended_at_ns + UNSEEN_NS
            and other.ended_at_ns >= tracklet.started_at_ns - UNSEEN_NS
            and other.number != tracklet.number
            and not seen_together(other, tracklet)
        ]

    def _near_in_time(self, tracklets: Sequence[Tracklet]) -> BoolArray:
        """Which of those `recent` are `_near` each tracklet: (n, recent)."""
        mine, theirs = self._spans_of(tracklets), self._spans
        names = list(self._codes)
        mapped = np.array([[other in self._mapped(one) for other in names] for one in names], np.bool_)
        shared_ns = _shared_ns(mine, theirs)
        together = (mine.cameras[:, None] == theirs.cameras) & (shared_ns > SHARED_VIEW_NS)
        other = mine.numbers[:, None] != theirs.numbers
        near: BoolArray = (shared_ns >= -UNSEEN_NS) & ~together & other
        if near.size:
            near &= mapped[mine.cameras[:, None], theirs.cameras]
        return near

    def _mapped(self, camera_id: CameraId) -> set[CameraId]:
        """The cameras in whose views places can be compared with those in one."""
        if camera_id not in self._sharing:
            cameras = {CameraId(name) for pair in self._floor.maps for name in pair.split("|")}
            self._sharing[camera_id] = {camera_id, *(one for one in cameras if self._floor.mapped(one, camera_id))}
        return self._sharing[camera_id]

    def _ties(self, pairs: Sequence[tuple[Tracklet, Tracklet]]) -> list[float]:
        """Evidence of place of each two tracklets being one person; 0 where there is none."""
        if not pairs:
            return []
        # Of two that began at once the one that is asked about comes second.
        ordered = [(b, a) if b.started_at_ns <= a.started_at_ns else (a, b) for a, b in pairs]
        row_of: dict[TrackletNumber, int] = {}
        walked: list[Tracklet] = []
        for tracklet in (one for pair in ordered for one in pair):
            if tracklet.number not in row_of:
                row_of[tracklet.number] = len(walked)
                walked.append(tracklet)
        rows = np.array([(row_of[first.number], row_of[second.number]) for first, second in ordered], np.int64)
        walks = Walks.of([self._paths.get(tracklet.number, NOWHERE) for tracklet in walked])
        # Who is asked about may be asked about by the other one too.
        pairs_once, which = np.unique(rows[:, 0] * len(walked) + rows[:, 1], return_inverse=True)
        once = np.stack(np.divmod(pairs_once, len(walked)), axis=1)
        nat = evidence_of_pairs(self._floor, walks, once, cameras=[tracklet.camera_id for tracklet in walked])
        ties: list[float] = np.nan_to_num(nat)[which].tolist()
        return ties

    def _spans_of(self, tracklets: Sequence[Tracklet]) -> "_Spans":
        code = self._codes
        return _Spans(
            np.array([t.number for t in tracklets], np.int64),
            np.array([code.setdefault(t.camera_id, len(code)) for t in tracklets], np.int64),
            np.array([t.started_at_ns for t in tracklets], np.int64),
            np.array([t.ended_at_ns for t in tracklets], np.int64),
            np.array([min(t.clock_error_ns, _WORST_CLOCK_NS) for t in tracklets], np.int64),
        )


_WORST_CLOCK_NS = 2**61
"""Errors of clocks, in arrays, end here: two of them and a time are still a number."""


@dataclass(frozen=True, slots=True)
class _Spans:
    """When and where n tracklets were seen, (n,) int64 each; `cameras` as the codes of a neighbourhood."""

    numbers: Int64Array
    cameras: Int64Array
    begins_ns: Int64Array
    ends_ns: Int64Array
    errors_ns: Int64Array


def _shared_ns(mine: _Spans, theirs: _Spans) -> Int64Array:
    """For how long each of n was there with each of m: (n, m), negative where one came after the other."""
    ends = np.minimum(mine.ends_ns[:, None], theirs.ends_ns)
    return np.asarray(ends - np.maximum(mine.begins_ns[:, None], theirs.begins_ns), np.int64)

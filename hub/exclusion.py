"""Who cannot be one person: people whom one camera saw at the same time."""

from collections.abc import Sequence

from hub.records import Tracklet, TrackletNumber
from hub.state import SiteState
from passerby.ids import CameraId, IdentityId

SHARED_VIEW_NS = 800_000_000
"""Two tracklets of one camera that are there together for longer are two people.

Not zero: where a tracker changes its mind it draws one person twice for some frames, and where one person leaves as
another comes their looks tell them apart.
"""


ONE_VIEW_NS = 1_500_000_000
"""To be seen in two views at once for less may be the clocks' doing."""


def seen_together(first: Tracklet, second: Tracklet) -> bool:
    """Whether one camera saw both at the same time, so that they are two people."""
    if first.camera_id != second.camera_id:
        return False
    shared = min(first.ended_at_ns, second.ended_at_ns) - max(first.started_at_ns, second.started_at_ns)
    return shared > SHARED_VIEW_NS


def in_two_views(first: Tracklet, second: Tracklet) -> bool:
    """Whether two cameras saw them at the same time, for longer than the clocks' doing."""
    if first.camera_id == second.camera_id:
        return False
    shared = min(first.ended_at_ns, second.ended_at_ns) - max(first.started_at_ns, second.started_at_ns)
    return shared > ONE_VIEW_NS + first.clock_error_ns + second.clock_error_ns


def cannot_be_one(state: SiteState, first: IdentityId, second: IdentityId) -> bool:
    """Whether two identities are two people: an operator says so, or one camera saw both at the same time."""
    return state.constraints.cannot_be_one(first, second) or bool(
        conflicts(state.members(first), state.members(second))
    )


def conflicts(first: Sequence[Tracklet], second: Sequence[Tracklet]) -> list[tuple[TrackletNumber, TrackletNumber]]:
    """Each two, one of the first and one of the second, that one camera saw at the same time."""
    begin_ns = max(min(t.started_at_ns for t in side) for side in (first, second))
    end_ns = min(max(t.ended_at_ns for t in side) for side in (first, second))
    if end_ns - begin_ns <= SHARED_VIEW_NS:
        return []
    by_camera: dict[CameraId, list[Tracklet]] = {}
    for one in second:
        if min(one.ended_at_ns, end_ns) - max(one.started_at_ns, begin_ns) > SHARED_VIEW_NS:
            by_camera.setdefault(one.camera_id, []).append(one)
    return [(a.number, b.number) for a in first for b in by_camera.get(a.camera_id, ()) if seen_together(a, b)]

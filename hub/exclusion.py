"""Who cannot be one person: people whom one camera saw at the same time."""

from collections.abc import Sequence

from hub.records import Tracklet
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
    return state.constraints.cannot_be_one(first, second) or _ever_together(state, first, second)


def are_apart(state: SiteState, pairs: Sequence[tuple[IdentityId, IdentityId]]) -> list[bool]:
    """`cannot_be_one` of each of many pairs; who was not there at one time was not seen together."""
    spans: dict[IdentityId, tuple[int, int]] = {}
    for identity_id in {one for pair in pairs for one in pair}:
        members = state.members(identity_id)
        begin_ns, end_ns = min(t.started_at_ns for t in members), max(t.ended_at_ns for t in members)
        spans[identity_id] = begin_ns, end_ns
    found = []
    for first, second in pairs:
        shared_ns = min(spans[first][1], spans[second][1]) - max(spans[first][0], spans[second][0])
        together = shared_ns > SHARED_VIEW_NS and _ever_together(state, first, second)
        found.append(together or state.constraints.cannot_be_one(first, second))
    return found


def _ever_together(state: SiteState, first: IdentityId, second: IdentityId) -> bool:
    by_camera: dict[CameraId, list[Tracklet]] = {}
    for member in state.members(second):
        by_camera.setdefault(member.camera_id, []).append(member)
    return any(seen_together(a, b) for a in state.members(first) for b in by_camera.get(a.camera_id, ()))

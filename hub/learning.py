"""What a tracklet teaches when it has ended: how people move, which places views share, what looks are worth."""

from collections.abc import Mapping

import numpy as np

from hub.association import Assignment
from hub.association.place import distance, together
from hub.likelihood import Judge
from hub.link_terms import Terms
from hub.movement import seen_last
from hub.paths import NOWHERE
from hub.records import Tracklet
from hub.state import SiteState
from passerby.arrays import Float32Array
from passerby.ids import CameraId, IdentityId

_SURE_PLACE = 3.0
"""Evidence of place (nat) from which on it alone says who somebody is."""

_ELSEWHERE = -3.0
"""Evidence of place at and below which it alone says who somebody is not."""

_SHARED_VIEW_NS = 1_500_000_000

_POINTS = 6
"""Places taken from one pair of tracklets: they are much alike."""


def learn_from(
    state: SiteState,
    tracklet: Tracklet,
    *,
    terms: Mapping[IdentityId, Terms],
    answer: Assignment,
    judge: Judge,
) -> None:
    """Take what an ended tracklet teaches; `answer` is the last that was decided of it."""
    unit = judge.unit(tracklet)
    linked, stranger = answer.probability or 0.0, answer.stranger or 0.0
    if answer.best is not None:
        state.knowledge.promise.learn(answer.best)
    state.knowledge.topology.watch_until(state.clock_ns)
    learn_movement(state, tracklet, linked=linked, stranger=stranger)
    _learn_places(state, tracklet, unit, judge=judge)
    _learn_looks(state, tracklet, unit, terms=terms, judge=judge)


def learn_movement(state: SiteState, tracklet: Tracklet, *, linked: float, stranger: float) -> None:
    """Take how the identity of a tracklet came to where it is: `linked` (0 to 1) is how sure it is to be that one,
    `stranger` how probably it is nobody known."""
    topology = state.knowledge.topology
    topology.know(tracklet.camera_id)
    state.knowledge.has_moved()
    members = [] if tracklet.identity_id is None else state.members(tracklet.identity_id)
    earlier = [t for t in members if (t.started_at_ns, t.number) < (tracklet.started_at_ns, tracklet.number)]
    if not earlier:
        topology.learn_stranger(tracklet.camera_id, weight=stranger)
        return
    last = seen_last(earlier, tracklet.started_at_ns)
    latest_start = max(t.started_at_ns for t in earlier)
    seen_s = (min(last.ended_at_ns, tracklet.started_at_ns) - latest_start) / 1e9
    gap_s = (tracklet.started_at_ns - last.ended_at_ns) / 1e9
    topology.learn_appearance(last.camera_id, tracklet.camera_id, gap_s=gap_s, seen_s=max(seen_s, 0.1), weight=linked)
    topology.learn_stranger(tracklet.camera_id, weight=stranger)


def _learn_places(state: SiteState, tracklet: Tracklet, unit: Float32Array, *, judge: Judge) -> None:
    floor = state.knowledge.floor
    path = state.paths.get(tracklet.number, NOWHERE)
    if not len(path):
        return
    by_camera: dict[CameraId, list[Tracklet]] = {}
    for others in judge.around.lately.values():
        for other in others:
            shared = min(other.ended_at_ns, tracklet.ended_at_ns) - max(other.started_at_ns, tracklet.started_at_ns)
            # In another view the one most alike is asked for, and looks are of one model.
            comparable = other.camera_id == tracklet.camera_id or other.model_id == tracklet.model_id
            if other.number != tracklet.number and shared > _SHARED_VIEW_NS and comparable:
                by_camera.setdefault(other.camera_id, []).append(other)
    for other in by_camera.pop(tracklet.camera_id, ()):
        rows = together(path, state.paths.get(other.number, NOWHERE))
        if len(rows):
            floor.spacing(tracklet.camera_id).learn(distance(rows))
            state.knowledge.has_seen()
    for camera_id in sorted(by_camera):
        view_map = floor.map_between(tracklet.camera_id, camera_id)
        other = judge.most_alike(unit, by_camera[camera_id])
        if other.identity_id != tracklet.identity_id and view_map.there is not None:
            continue
        rows = (
            together(path, state.paths.get(other.number, NOWHERE)) if other.number in state.paths else np.zeros((0, 6))
        )
        if len(rows) > _POINTS:
            rows = rows[np.linspace(0, len(rows) - 1, _POINTS).round().astype(np.intp)]
        if tracklet.camera_id > other.camera_id:
            rows = rows[:, [3, 4, 5, 0, 1, 2]]
        view_map.learn([tuple(row) for row in rows.tolist()])
        view_map.refit()
        state.knowledge.has_mapped(tracklet.camera_id, other.camera_id)


def _learn_looks(
    state: SiteState, tracklet: Tracklet, unit: Float32Array, *, terms: Mapping[IdentityId, Terms], judge: Judge
) -> None:
    calibration = state.knowledge.calibration(tracklet.model_id)
    calibration.most_pictures = max(calibration.most_pictures, tracklet.exemplars)
    sure = [i for i, one in terms.items() if one.place >= _SURE_PLACE]
    here = judge.around.seen_with(tracklet)
    for identity_id, one in terms.items():
        genuine = sure == [identity_id]
        impostor = identity_id in here or (one.place <= _ELSEWHERE and identity_id != tracklet.identity_id)
        if genuine == impostor:
            continue
        for own, similarity in judge.similarities(tracklet, unit, identity_id=identity_id):
            measured = calibration.measured
            kind = measured.impostors if impostor else measured.own if own else measured.other
            kind.learn(similarity)
        for own in (True, False):
            value = judge.fit_elsewhere(tracklet, unit, identity_id=identity_id, own=own)
            if value is not None:
                calibration.learn(value, seen_here=own, genuine=genuine)
    calibration.refit()
    state.knowledge.has_calibrated(tracklet.model_id)

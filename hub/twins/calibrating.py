"""What looks are worth in a space that nobody was decided in yet: from people of whom it is known without their looks.

A running hub learns it from every tracklet that ends (`hub.learning`). Before a model is promoted nothing has ended in
its space; but the recent past is described there too, and of many of its tracklets places tell who they are, and views
who they are not (`hub.known_pairs`). Each is compared with what stood for the other's identity when it came, just as it
would have been then. These pairs move the lines away from those of the model before, which saw the same site: what its
people wear and how far its cameras are apart does not change with the model, and the two lines were hardly different
at simulated sites. So the new space begins with as much as the old one knew, however short the past.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hub.association.appearance import Known, fit, predict
from hub.association.calibration import Calibration
from hub.corrections.archive import Archive
from hub.exclusion import seen_together
from hub.known_pairs import known_pairs
from hub.likelihood import SAME_WALK_NS, WELL_SEEN
from hub.records import Tracklet
from hub.spaces import ModelSpace
from hub.state import PROTOTYPES_PER_CAMERA
from passerby.arrays import Float32Array
from passerby.ids import CameraId, IdentityId, ModelId

MOST_TRACKLETS = 1500
"""The latest; comparing their places takes about a second, for which the hub stands still."""

_MOST_TOGETHER = 4
"""Others whom the same camera saw at once, of each tracklet."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A tracklet, by its row, and an identity that it is known to be (`genuine`), or not to be."""

    row: int
    identity_id: IdentityId
    genuine: bool


@dataclass(frozen=True, slots=True, eq=False)
class Witnesses:
    """n closed tracklets, as they began, with raw `embeddings` (n, d) by one model, and what is known of them without
    their looks."""

    tracklets: Sequence[Tracklet]
    embeddings: Float32Array
    lessons: Sequence[Lesson]


def find_witnesses(archive: Archive, model_id: ModelId) -> Witnesses | None:
    """The latest tracklets that a model has seen, and what is known of them; None where there are none."""
    found = archive.described_by(model_id, most=MOST_TRACKLETS)
    if not found:
        return None
    found = sorted(found, key=lambda one: (one[0].started_at_ns, one[0].number))
    tracklets = [tracklet for tracklet, _ in found]
    knowledge = archive.knowledge()
    floor = knowledge.floor
    sharing = {camera for name, one in floor.maps.items() if one.there for camera in name.split("|")}
    pairs = known_pairs(
        tracklets,
        paths=archive.paths([t for t in tracklets if t.camera_id in sharing]),
        floor=floor,
        topology=knowledge.topology,
        each_once=False,
    )
    lessons = {
        *_lessons(tracklets, pairs.genuine.tolist(), genuine=True),
        *_lessons(tracklets, pairs.impostors.tolist(), genuine=False),
        *_lessons(tracklets, list(_together(tracklets)), genuine=False),
    }
    ordered = sorted(lessons, key=lambda one: (one.row, one.identity_id, one.genuine))
    return Witnesses(tracklets, np.stack([embedding for _, embedding in found]), ordered)


def calibrated(space: ModelSpace, witnesses: Witnesses, *, former: Calibration, former_id: ModelId) -> Calibration:
    """What looks are worth in a space: about as much as with the former model, and what the witnesses tell beyond."""
    tracklets = witnesses.tracklets
    units = [
        space.unit(t.camera_id, raw, at_ns=t.started_at_ns)
        for t, raw in zip(tracklets, witnesses.embeddings, strict=True)
    ]
    by_identity: dict[IdentityId, list[int]] = {}
    for row, tracklet in enumerate(tracklets):
        if tracklet.identity_id is not None:
            by_identity.setdefault(tracklet.identity_id, []).append(row)
    asked = [(one, _standing(tracklets, by_identity.get(one.identity_id, ()), one.row)) for one in witnesses.lessons]
    calibration = Calibration.after(former, former_id)
    measured = calibration.measured
    for lesson, rows in asked:
        mine = tracklets[lesson.row]
        for row in rows:
            if min(mine.exemplars, tracklets[row].exemplars) >= WELL_SEEN:
                own = tracklets[row].camera_id == mine.camera_id
                kind = measured.impostors if not lesson.genuine else measured.own if own else measured.other
                kind.learn(float((units[row] * units[lesson.row]).sum()))
    shares = calibration.shares(space.model_id)
    for lesson, rows in asked:
        mine = tracklets[lesson.row]
        elsewhere = [row for row in rows if tracklets[row].camera_id != mine.camera_id]
        for own, kept in ((True, rows), (False, elsewhere)):
            if kept and not (own and len(kept) == len(elsewhere)):
                known = [Known(tracklets[row].camera_id, units[row], tracklets[row].exemplars) for row in kept]
                prediction = predict(known, mine.camera_id, shares=shares)
                value = fit(prediction, units[lesson.row], pictures=mine.exemplars, shares=shares)
                calibration.learn(value, seen_here=own, genuine=lesson.genuine)
    calibration.refit()
    return calibration


def _lessons(tracklets: Sequence[Tracklet], pairs: Sequence[Sequence[int]], *, genuine: bool) -> Iterator[Lesson]:
    """Of each pair the later tracklet and the identity of the earlier one, where that says something."""
    for pair in pairs:
        first, second = sorted(pair)
        identity_id = tracklets[first].identity_id
        if identity_id is not None and (genuine or identity_id != tracklets[second].identity_id):
            yield Lesson(second, identity_id, genuine)


def _together(tracklets: Sequence[Tracklet]) -> Iterator[tuple[int, int]]:
    """Rows of tracklets whom one camera saw at once: two people."""
    active: dict[CameraId, list[int]] = {}
    for row, tracklet in enumerate(tracklets):
        here = [
            other
            for other in active.get(tracklet.camera_id, ())
            if tracklets[other].ended_at_ns > tracklet.started_at_ns
        ]
        both = [other for other in here if seen_together(tracklets[other], tracklet)]
        yield from ((other, row) for other in both[-_MOST_TOGETHER:])
        active[tracklet.camera_id] = [*here, row]


def _standing(tracklets: Sequence[Tracklet], members: Sequence[int], row: int) -> list[int]:
    """Which of an identity's tracklets stood for it when another one came, without those of the same walk."""
    mine = tracklets[row]
    chosen: dict[CameraId, list[int]] = {}
    for other in reversed([member for member in members if member < row]):
        one = tracklets[other]
        walk = one.camera_id == mine.camera_id and mine.started_at_ns - one.started_at_ns <= SAME_WALK_NS
        if not walk and len(chosen.setdefault(one.camera_id, [])) < PROTOTYPES_PER_CAMERA:
            chosen[one.camera_id].append(other)
    return sorted(other for rows in chosen.values() for other in rows)

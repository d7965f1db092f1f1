"""A naive twin of hub.enrolment.search: every tracklet decoded and compared on its own, every identity weighed so."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hub.association.appearance import Known
from hub.enrolment.likeness import Likeness
from hub.enrolment.posterior import identified
from hub.enrolment.search import Where
from hub.reader import SiteReader
from hub.records import IdentityState, Tracklet

Answer = tuple[list[tuple[int, float, list[int]]], float, int]
"""(identity, probability, numbers of its sightings there) best first; nobody; how many were searched."""


def search(data: Path, seen: Sequence[Known], *, likeness: Likeness, where: Where, most: int) -> Answer:
    """As `hub.enrolment.search.search`, for all who are weighed: a hundred identities at most."""
    with SiteReader(data) as reader:
        states = {one.identity_id: one.state for one in reader.identities()}
        tracklets = reader.tracklets()
    members: dict[int, list[Tracklet]] = {}
    for t in tracklets:
        if t.identity_id is not None and states[t.identity_id] in {IdentityState.ACTIVE, IdentityState.EXPIRED}:
            members.setdefault(t.identity_id, []).append(t)
    there = {i: [t for t in mine if _is_there(t, where)] for i, mine in members.items()}
    ours = {i: [t for t in mine if t.model_id == likeness.model_id] for i, mine in members.items() if there[i]}
    nearest = {i: max(_alike(t, seen, likeness) for t in mine) for i, mine in ours.items() if mine}
    weighed = sorted(nearest, key=lambda i: (-nearest[i], i))[:100]
    evidence = {i: likeness.evidence(_known(ours[i], likeness), seen) if i in weighed else -np.inf for i in nearest}
    outcomes = identified([evidence[i] for i in sorted(evidence)])
    probability = dict(zip(sorted(evidence), outcomes.known.tolist(), strict=True))
    best = sorted(weighed, key=lambda i: (-probability[i], i))[:most]
    sightings = {i: sorted(there[i], key=lambda t: (t.started_at_ns, t.number)) for i in best}
    return [(i, probability[i], [t.number for t in sightings[i]]) for i in best], outcomes.nobody, len(nearest)


def _is_there(t: Tracklet, where: Where) -> bool:
    return (
        (not where.cameras or t.camera_id in where.cameras)
        and (where.from_ns is None or t.ended_at_ns >= where.from_ns)
        and (where.to_ns is None or t.started_at_ns <= where.to_ns)
    )


def _alike(t: Tracklet, seen: Sequence[Known], likeness: Likeness) -> float:
    unit = likeness.unit(t.camera_id, t.embedding, at_ns=t.started_at_ns)
    return max(float((one.unit * unit).sum()) for one in seen)


def _known(tracklets: list[Tracklet], likeness: Likeness) -> list[Known]:
    ranked = sorted(tracklets, key=lambda t: (not t.prototype, -t.quality, t.number))[:12]
    chosen = [t for t in ranked if t.prototype] or ranked
    return [
        Known(t.camera_id, likeness.unit(t.camera_id, t.embedding, at_ns=t.started_at_ns), t.exemplars) for t in chosen
    ]

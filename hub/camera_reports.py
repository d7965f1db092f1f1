"""How the normalization of each camera stands, and what it is worth, from the rows: beside a running hub or without."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from hub.corrections.undoing import members_before
from hub.known_pairs import KnownPairs, known_pairs
from hub.reader import SiteReader
from hub.records import Tracklet, TrackletNumber
from hub.statistics import CameraStatistics
from passerby.arrays import l2_normalize
from passerby.features.benefit import Benefit, benefit
from passerby.features.normalization import CameraReport
from passerby.ids import ModelId

LEAST_PAIRS = 30
"""Of each kind: with fewer, the error of a separation is about as large as what normalization may be worth."""

_MOST_TRACKLETS = 3000
_MOST_MERGES = 100
_MOST_OF_A_SIDE = 20


@dataclass(frozen=True, slots=True)
class Worth:
    """What normalization is worth for one model: `benefit`, or None where the hub uses none, or pairs are too few.

    The pairs are those of `hub.known_pairs`, of so many pairs of `cameras`.
    """

    normalizes: bool
    genuine_pairs: int
    impostor_pairs: int
    cameras: int
    benefit: Benefit | None


def camera_reports(data_dir: Path) -> Mapping[ModelId, Sequence[CameraReport]]:
    """The cameras of each model, by name, as of the hub's last commit. Raises StoreError where it cannot be read."""
    with SiteReader(data_dir) as reader:
        found = {model_id: reader.statistics(model_id) for model_id in reader.model_ids()}
    return {model_id: [] if one is None else one.report() for model_id, one in found.items()}


def normalization_worth(data_dir: Path) -> Mapping[ModelId, Worth]:
    """What normalization is worth for each model, as of the hub's last commit. Raises StoreError.

    It takes the latest 3,000 tracklets, those of the latest hundred merges by operators, and a few seconds; the hub
    has nothing to do with it.
    """
    with SiteReader(data_dir) as reader:
        return {model_id: _worth(reader, model_id) for model_id in reader.model_ids()}


def _worth(reader: SiteReader, model_id: ModelId) -> Worth:
    joined = _joined(reader)
    latest = reader.latest_tracklets(model_id, most=_MOST_TRACKLETS)
    known = {t.number: t for t in latest}
    more = reader.tracklets_numbered({number for pair in joined for number in pair} - known.keys())
    tracklets = [*latest, *(t for t in more if t.model_id == model_id and not t.open)]
    knowledge = reader.knowledge()
    floor = knowledge.floor
    sharing = {camera for name, one in floor.maps.items() if one.there for camera in name.split("|")}
    pairs = known_pairs(
        tracklets,
        paths=reader.paths([t for t in tracklets if t.camera_id in sharing]),
        floor=floor,
        topology=knowledge.topology,
        joined=joined,
    )
    statistics = reader.statistics(model_id)
    counts = (len(pairs.genuine), len(pairs.impostors), pairs.cameras)
    if statistics is None or statistics.version == 0:
        return Worth(False, *counts, None)
    if min(counts[:2]) < LEAST_PAIRS:
        return Worth(True, *counts, None)
    return Worth(True, *counts, _benefit(tracklets, pairs, statistics))


def _benefit(tracklets: Sequence[Tracklet], pairs: KnownPairs, statistics: CameraStatistics) -> Benefit:
    raw = np.stack([t.embedding for t in tracklets])
    lifted = statistics.lifted_rows([t.camera_id for t in tracklets], raw, at_ns=[t.started_at_ns for t in tracklets])
    people = np.array([-t.number if t.identity_id is None else t.identity_id for t in tracklets], np.int64)
    return benefit(l2_normalize(raw), lifted, genuine=pairs.genuine, impostors=pairs.impostors, people=people)


def _joined(reader: SiteReader) -> list[tuple[TrackletNumber, TrackletNumber]]:
    """Pairs of the two sides of operators' merges that are in force, the latest first, of each the latest tracklets."""
    groups = {number: group for group in reader.constraints().in_force()[0] for number in group}
    found = []
    for event in reader.operators_merges(most=_MOST_MERGES):
        if event.other_identity_id is None:
            continue
        sides = (
            _latest(members_before(reader, identity_id, event.event_id), among=groups)
            for identity_id in (event.identity_id, event.other_identity_id)
        )
        found += [(a, b) for a, b in product(*sides) if groups[a] is groups[b]]
    return found


def _latest(numbers: Iterable[TrackletNumber], *, among: Mapping[TrackletNumber, object]) -> list[TrackletNumber]:
    return sorted((number for number in numbers if number in among), reverse=True)[:_MOST_OF_A_SIDE]

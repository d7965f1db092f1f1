"""Many pairs of identities in one pass are compared as each pair by itself, and as sets of tracklets one by one."""

import tempfile
from pathlib import Path

import numpy as np
import pytest

from hub.association.appearance import Known, fit_of_sets
from hub.association.calibration import Calibration
from hub.association.shares import shares_of
from hub.link_terms import Sources
from hub.merge_terms import Ages, fits_of_sets, merge_terms
from hub.movement import Movement
from hub.neighbourhood import Neighbourhood
from hub.records import Tracklet
from hub.site_hub import Hub
from passerby.config import AssociationSettings
from tests.hub.people import Sender, at, seen


def test_sets_fit_as_their_twins_of_one_by_one_say() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        Hub.open(Path(folder), association=AssociationSettings(normalize="none")) as hub,
    ):
        updates = [
            seen(number % 4, "abc"[number % 3], tracklet=number, begin_s=3 * number, end_s=3 * number + 2, final=True)
            for number in range(1, 25)
        ]
        hub.ingest(Sender().send(*updates), now_ns=at(80))
        (space,) = hub.state.spaces.values()
        stored = [hub.state.tracklets[number] for number in sorted(hub.state.tracklets)]
        vectors = {t.number: space.unit_of(t) for t in stored}
        calibration, shares = Calibration(), shares_of(space.model_id)
        sources = Sources(
            standing=lambda _: [],
            units=lambda numbers: np.stack([vectors[number] for number in numbers]),
            shares=shares,
            calibration=calibration,
            movement=Movement(hub.state.knowledge.topology, asked=True),
            around=Neighbourhood(hub.state, place=True, mistaken=0.06),
        )
        sets = [stored[:1], stored[1:4], stored[4:13], stored[13:15], stored[15:]]
        pairs = [Ages.of(a, b, walked=(a, b)) for a in sets for b in sets if a is not b]

        def known(tracklets: list[Tracklet]) -> list[Known]:
            return [Known(t.camera_id, vectors[t.number], t.exemplars) for t in tracklets]

        found = fits_of_sets(pairs, sources)
        for pair, value in zip(pairs, found.tolist(), strict=True):
            alone = fit_of_sets(known(list(pair.older)), known(list(pair.younger)), shares=shares)
            assert value == pytest.approx(alone, rel=1e-4, abs=1e-4)
            assert fits_of_sets([pair], sources).tolist() == [value]
        together = merge_terms(pairs, sources)
        assert together == [merge_terms([pair], sources)[0] for pair in pairs]
        assert merge_terms([], sources) == []

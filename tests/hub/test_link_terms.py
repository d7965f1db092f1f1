"""Many tracklets and identities in one pass are weighed as each tracklet by itself, and as one by one by hand."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hub.association.appearance import Known, fit, predict
from hub.association.calibration import Calibration
from hub.association.shares import shares_of
from hub.link_terms import Asked, Sources, link_terms
from hub.merging import CONSOLIDATED_IN, YOUNG_EVERY_NS, fragments, turns_since
from hub.movement import Movement, Sightings, seen_last
from hub.neighbourhood import Neighbourhood
from hub.records import Tracklet
from hub.site_hub import Hub
from passerby.config import AssociationSettings
from passerby.ids import IdentityId
from tests.hub.people import Sender, at, seen


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """Eight people who passed three cameras, two or three times each, and the last ones at once."""
    with Hub.open(tmp_path, association=AssociationSettings(normalize="none")) as hub:
        updates = [
            seen(
                number % 8, "abc"[number % 3], tracklet=number, begin_s=3 * number, end_s=3 * number + 5,
                final=number < 18,
            )
            for number in range(1, 21)
        ]  # fmt: skip
        hub.ingest(Sender().send(*updates), now_ns=at(70))
        yield hub


def sources_of(hub: Hub) -> Sources:
    (space,) = hub.state.spaces.values()

    def standing(identity_id: IdentityId) -> list[Tracklet]:
        return sorted(hub.state.prototypes(identity_id, space.model_id), key=lambda t: (t.camera_id, t.number))

    return Sources(
        standing=standing,
        units=space.prototypes,
        shares=shares_of(space.model_id),
        calibration=Calibration(),
        movement=Movement(hub.state.knowledge.topology, asked=True),
        around=Neighbourhood(hub.state, place=True, mistaken=0.06),
    )


def test_many_are_weighed_as_each_by_itself_and_by_hand(hub: Hub) -> None:
    (space,) = hub.state.spaces.values()
    sources = sources_of(hub)
    tracklets = [hub.state.tracklets[number] for number in sorted(hub.state.tracklets)][-6:]
    everybody = sorted(hub.state.identities)
    asked = [
        Asked(one, space.unit_of(one), everybody[row % 3 :], tracklets[: row % 2], tracklets[4 : 4 + row % 3])
        for row, one in enumerate(tracklets)
    ]
    together = link_terms(asked, sources)
    for row, one in enumerate(asked):
        assert together.of(row) == link_terms([one], sources).of(0)
        left = {i: [t for t in sources.standing(i) if t.number not in one.left_out] for i in one.identities}
        assert together.of(row).keys() == {i for i, known in left.items() if known}
        for identity_id, terms in together.of(row).items():
            units = space.prototypes([t.number for t in left[identity_id]])
            known = [Known(t.camera_id, unit, t.exemplars) for t, unit in zip(left[identity_id], units, strict=True)]
            prediction = predict(known, one.tracklet.camera_id, shares=sources.shares)
            by_hand = fit(prediction, one.unit, pictures=one.tracklet.exemplars, shares=sources.shares)
            assert terms.fit == pytest.approx(by_hand, rel=1e-4, abs=1e-4)
            assert terms.seen_here == prediction.seen_here
            assert terms.movement == pytest.approx(_moved(one, identity_id, left[identity_id], sources), abs=1e-9)
    odds = together.log_odds()
    assert (np.isnan(odds) == ~together.known).all()
    assert link_terms([], sources).log_odds().shape == (0, 0)


def _moved(one: Asked, identity_id: IdentityId, known: list[Tracklet], sources: Sources) -> float:
    def said(candidates: list[Tracklet]) -> float:
        begin_ns = one.tracklet.started_at_ns
        last = seen_last([t for t in candidates if t.started_at_ns <= begin_ns] or candidates, begin_ns)
        return float(sources.movement.evidence(Sightings.of([one.tracklet]), Sightings.of([last]))[0])

    lately = [t for t in sources.around.lately.get(identity_id, ()) if t.number not in one.left_out]
    beside = list(one.beside)
    return said([*known, *lately, *beside]) - (said(beside) if beside else 0.0)


def test_every_fragment_has_its_turn_once_however_often_the_hub_is_asked(hub: Hub) -> None:
    state = hub.state
    begin_ns = state.clock_ns
    for step_ns in (YOUNG_EVERY_NS // 3, YOUNG_EVERY_NS, 3 * YOUNG_EVERY_NS, CONSOLIDATED_IN * YOUNG_EVERY_NS):
        asked: list[IdentityId] = []
        now_ns = begin_ns
        while now_ns < begin_ns + CONSOLIDATED_IN * YOUNG_EVERY_NS:
            state.former_clock_ns = now_ns
            now_ns = state.clock_ns = min(now_ns + step_ns, begin_ns + CONSOLIDATED_IN * YOUNG_EVERY_NS)
            asked += fragments(state, turns_since(state))
        assert sorted(asked) == sorted(state.identities)

"""Who looks most like a tracklet: all of a round in one pass, as each by itself and by hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.link_question import Nearest, nearest_by_identity
from hub.records import Tracklet
from hub.similarities import cosine_similarities
from hub.site_hub import Hub
from hub.spaces import COMPARED_IDENTITIES, ModelSpace
from passerby.arrays import Float32Array
from passerby.config import AssociationSettings
from passerby.ids import IdentityId
from tests.hub.people import Sender, at, seen

PEOPLE = COMPARED_IDENTITIES + 8


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """More people than are compared, each of whom passed two cameras."""
    with Hub.open(tmp_path, association=AssociationSettings(normalize="none")) as hub:
        updates = [
            seen(number % PEOPLE, "ab"[number // PEOPLE], tracklet=number + 1, begin_s=9 * number, end_s=9 * number + 5)
            for number in range(2 * PEOPLE)
        ]
        hub.ingest(Sender().send(*updates), now_ns=at(18 * PEOPLE + 60))
        yield hub


def by_hand(
    space: ModelSpace, unit: Float32Array, compared: list[Tracklet], *, current: IdentityId | None
) -> dict[IdentityId, Nearest]:
    best: dict[IdentityId, Nearest] = {}
    for one in sorted(compared, key=lambda t: t.number):
        value = float(cosine_similarities(unit[None], space.prototypes([one.number]))[0, 0])
        if one.identity_id is not None and (one.identity_id not in best or value > best[one.identity_id].similarity):
            best[one.identity_id] = Nearest(value, one.number)
    order = sorted(best, key=lambda i: (-best[i].similarity, best[i].tracklet))
    return {i: best[i] for i in order if i in order[:COMPARED_IDENTITIES] or i == current}


def test_the_most_alike_of_each_identity_are_found_as_by_hand_to_the_last_bit(hub: Hub) -> None:
    (space,) = hub.state.spaces.values()
    everybody = [hub.state.tracklets[number] for number in sorted(hub.state.tracklets)]
    assert len({one.identity_id for one in everybody}) > COMPARED_IDENTITIES
    asked = everybody[:6]
    compared = [everybody[1:], everybody[::-2], everybody[10:20], [], everybody, everybody[30:]]
    currents = [one.identity_id for one in asked[:5]] + [None]
    units = space.prototypes([one.number for one in asked])
    found = nearest_by_identity(space, units, compared, currents=currents)
    for row, some in enumerate(compared):
        expected = by_hand(space, units[row], some, current=currents[row])
        assert found[row] == expected
        assert list(found[row]) == list(expected), "the most alike first"


def test_with_nobody_to_compare_nobody_is_alike(hub: Hub) -> None:
    (space,) = hub.state.spaces.values()
    units = space.prototypes([next(iter(hub.state.tracklets))])
    assert nearest_by_identity(space, units, [[]], currents=[None]) == [{}]
    assert nearest_by_identity(space, units[:0], [], currents=[]) == []

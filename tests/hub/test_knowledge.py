"""What was learned about a site is stored in parts, and read again as it was."""

import numpy as np
import pytest

from hub.association.calibration import Calibration
from hub.knowledge import Knowledge
from passerby.errors import StoreError
from passerby.ids import CameraId, ModelId

HALL, LOBBY = CameraId("hall"), CameraId("lobby")
MODEL = ModelId("made-up@1")


def learned() -> Knowledge:
    """Something in every part."""
    knowledge, rng = Knowledge(), np.random.default_rng(0)
    for _ in range(60):
        knowledge.topology.learn_appearance(HALL, LOBBY, gap_s=float(rng.exponential(9)), seen_s=2.0, weight=0.7)
        knowledge.floor.spacing(LOBBY).learn(float(rng.exponential(1.0)))
        knowledge.promise.learn(float(rng.random()))
        knowledge.calibration(MODEL).learn(float(rng.normal()), seen_here=True, genuine=False)
        row = rng.uniform(50, 400, 6).tolist()
        knowledge.floor.map_between(LOBBY, HALL).learn([(row[0], row[1], row[2], row[3], row[4], row[5])])
    knowledge.floor.map_between(HALL, LOBBY).refit()
    knowledge.calibration(MODEL).refit()
    knowledge.has_moved()
    knowledge.has_seen()
    knowledge.has_mapped(LOBBY, HALL)
    knowledge.has_calibrated(MODEL)
    return knowledge


def test_every_part_is_read_again_as_it_was() -> None:
    knowledge = learned()
    assert set(knowledge.changed) == {"topology", "spacings", "promise", "map hall|lobby", f"calibration {MODEL}"}
    parts = {part: knowledge.packed(part) for part in knowledge.changed}
    again = Knowledge.restored(parts)
    assert {part: again.packed(part) for part in parts} == parts
    assert again.topology == knowledge.topology
    assert (again.floor.spacings, again.floor.maps) == (knowledge.floor.spacings, knowledge.floor.maps)
    assert again.promise == knowledge.promise
    assert again.calibration(MODEL) == knowledge.calibration(MODEL)
    assert again.changed == {}


def test_nothing_stored_is_a_site_of_which_nothing_is_known() -> None:
    empty = Knowledge.restored({})
    assert empty.topology == Knowledge().topology
    assert empty.calibrated_models == []
    assert empty.calibration(MODEL) == Calibration()


def test_cameras_are_one_pair_in_whichever_order_they_are_named() -> None:
    knowledge = Knowledge()
    assert knowledge.floor.map_between(HALL, LOBBY) is knowledge.floor.map_between(LOBBY, HALL)
    knowledge.has_mapped(HALL, LOBBY)
    knowledge.has_mapped(LOBBY, HALL)
    assert list(knowledge.changed) == ["map hall|lobby"]


@pytest.mark.parametrize("part", ["topology", "spacings", "promise", "map hall|lobby", f"calibration {MODEL}"])
@pytest.mark.parametrize(
    "data", [b"", b"\xc1", b"\xc3", b"\x92\x01\x02"], ids=["nothing", "no msgpack", "a word", "other"]
)
def test_what_is_damaged_is_named(part: str, data: bytes) -> None:
    with pytest.raises(
        StoreError, match=r"what was learned about the site cannot be read \(" + part.replace("|", r"\|")
    ):
        Knowledge.restored({part: data})

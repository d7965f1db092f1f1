"""What operators say of the ways between cameras outweighs what was learned, and nothing else changes."""

import msgspec
import pytest

from hub.association.overrides import Overrides
from hub.association.topology import Topology
from passerby.config import TransitSettings
from passerby.ids import CameraId

A, B, C = CameraId("a"), CameraId("b"), CameraId("c")
FORBIDDEN = 1e-20
"""Any rate below is next to never."""


def word(before: str = "a", after: str = "b", /, **said: object) -> TransitSettings:
    return msgspec.convert({"from": before, "to": after, **said}, TransitSettings)


def learned(*words: TransitSettings) -> Topology:
    """Ten went from a to b within 5 s, ten within 50 s, and ten were seen in both at once."""
    topology = Topology()
    for _ in range(10):
        for gap_s in (5.0, 50.0, -1.0):
            topology.learn_appearance(A, B, gap_s=gap_s, seen_s=2.0)
    topology.know(C)
    for one in words:
        topology.tell(one)
    return topology


def possible(topology: Topology, gap_s: float, *, error_s: float = 0.0, back: bool = False) -> bool:
    """Whether that gap is; where it is, its rate is the one that was learned."""
    pair = (B, A) if back else (A, B)
    rate = topology.rate(*pair, gap_s=gap_s, clock_error_s=error_s)
    if rate < FORBIDDEN:
        return False
    assert rate == learned().rate(*pair, gap_s=gap_s, clock_error_s=error_s)
    return True


@pytest.mark.parametrize(
    ("said", "gaps_s"),
    [
        ({}, (-1.0, 0.5, 5.0, 50.0, 5000.0)),
        ({"never": True}, ()),
        ({"never": True, "overlap": True}, (-1.0,)),
        ({"overlap": False}, (0.5, 5.0, 50.0, 5000.0)),
        ({"overlap": True}, (-1.0, 0.5, 5.0, 50.0, 5000.0)),
        ({"transit": [5, 50]}, (5.0, 50.0)),
        ({"transit": [0, 5]}, (0.5, 5.0)),
        ({"transit": [5, 5], "overlap": True}, (-1.0, 5.0)),
    ],
)
def test_a_word_leaves_of_the_gaps_what_it_says(said: dict[str, object], gaps_s: tuple[float, ...]) -> None:
    topology = learned(word(**said))
    assert tuple(gap for gap in (-1.0, 0.5, 5.0, 50.0, 5000.0) if possible(topology, gap)) == gaps_s


def test_a_word_is_about_one_direction_and_an_overlap_about_both() -> None:
    assert possible(learned(word(never=True)), 5.0, back=True)
    assert not possible(learned(word(overlap=False)), -1.0, back=True)
    apart = learned(word(overlap=False))
    assert apart.never_together(A, B) == apart.never_together(B, A) < -50.0
    assert learned(word(never=True)).never_together(A, B) > -50.0
    assert learned(word(overlap=True)).never_together(A, B) == 0.0


def test_an_overlap_that_was_never_seen_is_as_likely_as_anywhere() -> None:
    topology, told = Topology(), Topology()
    for one in (topology, told):
        one.learn_appearance(A, B, gap_s=30.0, seen_s=10_000.0)
        one.learn_appearance(B, A, gap_s=30.0, seen_s=10_000.0)
    told.tell(word(overlap=True))
    assert topology.never_together(A, B) < -1.0
    assert told.never_together(A, B) == 0.0


@pytest.mark.parametrize(
    ("gap_s", "error_s", "is_possible"), [(8, 3, False), (8, 4, True), (24, 3, False), (24, 4, True)]
)
def test_clock_errors_widen_a_gate(gap_s: float, error_s: float, is_possible: bool) -> None:
    assert possible(learned(word(transit=[12, 20])), gap_s, error_s=error_s) == is_possible


def test_a_gate_within_a_clock_error_is_not_stepped_over() -> None:
    assert possible(learned(word(transit=[14, 15])), 25.0, error_s=30.0)


def test_two_views_are_at_once_only_where_clocks_leave_no_doubt() -> None:
    apart = learned(word(overlap=False))
    assert not possible(apart, -2.0, error_s=1.0)
    assert possible(apart, -2.0, error_s=3.0)


def test_the_later_word_counts_and_an_empty_one_brings_back_what_was_learned() -> None:
    assert possible(learned(word(never=True), word(transit=[1, 9])), 5.0)
    back = learned(word(never=True), word())
    assert all(possible(back, gap) for gap in (-1.0, 5.0, 50.0))
    assert back.version == learned().version + 2


def test_the_later_word_on_an_overlap_counts_whichever_way_it_was_said() -> None:
    overrides = Overrides()
    overrides.tell(word("a", "b", overlap=False, transit=[1, 9]))
    overrides.tell(word("b", "a", overlap=True))
    assert overrides.overlap(A, B) is overrides.overlap(B, A) is True
    assert overrides.word(A, B) == word("a", "b", transit=[1, 9])
    overrides.tell(word("a", "b"))
    assert overrides.overlap(A, B) is None


def test_what_is_told_outweighs_what_is_written_also_when_it_is_nothing() -> None:
    overrides = Overrides(written=[word(never=True), word("b", "a", overlap=False)])
    assert overrides.forbids(A, B, earliest_s=5.0, latest_s=5.0)
    overrides.tell(word("a", "b"))
    assert not overrides.forbids(A, B, earliest_s=5.0, latest_s=5.0)
    assert overrides.overlap(A, B) is None, "also the other way's word on it"
    assert len(overrides.written) == 2


def test_a_way_back_into_the_same_view_is_never_spoken_of() -> None:
    assert learned(word(never=True)).rate(A, A, gap_s=5.0) == learned().rate(A, A, gap_s=5.0)
    assert learned(word(never=True)).rate(A, A, gap_s=-1.0) == learned().rate(A, A, gap_s=-1.0)


def test_words_are_kept_with_what_was_learned() -> None:
    topology = learned(word(transit=[1.5, 9]))
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(topology), type=Topology)
    assert again == topology
    assert not possible(again, 50.0)


def test_what_was_kept_before_there_were_words_has_none() -> None:
    kept = msgspec.to_builtins(learned())
    del kept["overrides"]
    assert msgspec.convert(kept, Topology) == learned()


@pytest.mark.parametrize(
    ("said", "mistake"),
    [
        ({"to": "a"}, "both 'a'"),
        ({"never": True, "transit": [1, 2]}, "contradict"),
        ({"transit": [9, 1]}, "ends before it begins"),
        ({"transit": [float("nan"), 1]}, ">= 0"),
        ({"transit": [-1, 1]}, ">= 0"),
        ({"transit": [0, 1e9]}, "<= 86400"),
        ({"transit": [1]}, "length 2"),
        ({"sometimes": True}, "unknown field"),
    ],
)
def test_a_word_that_cannot_be_is_refused(said: dict[str, object], mistake: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=mistake):
        msgspec.convert({"from": "a", "to": "b", **said}, TransitSettings)

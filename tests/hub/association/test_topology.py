"""How people move: what was counted over the time there was for it, and what is usual while that is little."""

import itertools

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.association.topology import STEPS_S, Topology, step_of
from passerby.config import TransitSettings
from passerby.ids import CameraId
from tests.hub.association import reference_topology
from tests.hub.association.reference_topology import PIECES_PER_S, Appearance, Counted

HALL, LOBBY, YARD = (CameraId(name) for name in ("hall", "lobby", "yard"))
MANY = 3000

APPEARANCES = st.lists(
    st.builds(
        Appearance,
        before=st.sampled_from([HALL, LOBBY]),
        after=st.sampled_from([HALL, LOBBY, YARD]),
        # Whole pieces of time, so that adding them up is exact.
        gap_s=st.integers(-200, 40 * PIECES_PER_S).map(lambda pieces: pieces / PIECES_PER_S),
        seen_s=st.floats(0.0, 20.0),
        weight=st.sampled_from([0.25, 0.5, 1.0]),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(appearances=APPEARANCES)
def test_what_is_counted_is_every_appearance_and_all_the_time_there_was(appearances: list[Appearance]) -> None:
    topology, counted = Topology(), Counted(appearances)
    for one in appearances:
        topology.learn_appearance(
            CameraId(one.before), CameraId(one.after), gap_s=one.gap_s, seen_s=one.seen_s, weight=one.weight
        )
    for before, link in topology.links.items():
        for step, exposure_s in enumerate(link.exposure_s):
            assert exposure_s == pytest.approx(counted.exposure_s(before, step=step))
            for after in (HALL, LOBBY, YARD):
                number = link.appearances[after][step] if after in link.appearances else 0.0
                assert number == pytest.approx(counted.appearances(before, after, step=step))


def test_the_naive_twin_has_the_same_steps() -> None:
    assert tuple(reference_topology.STEPS_S) == STEPS_S


def test_a_rate_is_found_out_by_counting() -> None:
    """From the hall to the lobby people walk with a constant rate; from the lobby nobody ever comes to the yard."""
    topology, rng, rate = Topology(), np.random.default_rng(1), 0.05
    for gap_s in rng.exponential(1 / rate, MANY).tolist():
        topology.learn_appearance(HALL, LOBBY, gap_s=gap_s, seen_s=4.0)
    topology.know(YARD)
    for gap_s in (0.5, 3.0, 10.0, 30.0):
        assert topology.rate(HALL, LOBBY, gap_s=gap_s) == pytest.approx(rate, rel=0.25)
        assert topology.rate(HALL, YARD, gap_s=gap_s) < rate / 100


def test_views_that_overlap_and_views_that_never_do_are_told_apart() -> None:
    topology = Topology()
    for _ in range(100):
        topology.learn_appearance(HALL, LOBBY, gap_s=-2.0, seen_s=2.0)
        topology.learn_appearance(LOBBY, HALL, gap_s=-2.0, seen_s=2.0)
        topology.learn_appearance(YARD, YARD, gap_s=20.0, seen_s=5.0)
    assert topology.never_together(HALL, LOBBY) == 0.0
    assert topology.never_together(YARD, HALL) == topology.never_together(HALL, YARD) < -2.0


def test_a_site_of_which_nothing_is_known_expects_what_is_usual_everywhere() -> None:
    topology = Topology()
    rates = [topology.rate(HALL, LOBBY, gap_s=gap_s) for gap_s in (5.0, 50.0, 500.0, 5000.0)]
    assert rates == sorted(rates, reverse=True)
    assert topology.never_together(HALL, LOBBY) == 0.0
    assert topology.rate(HALL, LOBBY, gap_s=9.0) == topology.rate(YARD, HALL, gap_s=9.0)


def test_one_appearance_does_not_make_a_rule() -> None:
    topology = Topology()
    for camera in (HALL, LOBBY):
        topology.know(camera)
    before = topology.rate(HALL, LOBBY, gap_s=10.0)
    topology.learn_appearance(HALL, LOBBY, gap_s=10.0, seen_s=2.0)
    assert before < topology.rate(HALL, LOBBY, gap_s=10.0) < 3 * before


@settings(max_examples=100, deadline=None)
@given(
    gap_s=st.floats(allow_nan=True, allow_infinity=True),
    error_s=st.sampled_from([0.0, 0.2, 1.0, 7200.0]),
    seed=st.integers(0, 9),
)
def test_every_rate_is_a_positive_number_whatever_the_clocks_say(gap_s: float, error_s: float, seed: int) -> None:
    topology, rng = Topology(), np.random.default_rng(seed)
    for gap in rng.normal(0, 7200, seed).tolist():
        topology.learn_appearance(HALL, LOBBY, gap_s=gap, seen_s=-gap)
    for first, second in itertools.product((HALL, LOBBY, YARD), repeat=2):
        rate = topology.rate(first, second, gap_s=gap_s, clock_error_s=error_s)
        assert np.isfinite(rate)
        assert rate > 0


@settings(max_examples=100, deadline=None)
@given(
    asked=st.lists(
        st.tuples(st.sampled_from([HALL, LOBBY, YARD]), st.floats(-50, 9000), st.sampled_from([0.0, 0.2, 1.0, 40.0])),
        max_size=8,
    ),
    appearances=APPEARANCES,
    said=st.lists(
        st.sampled_from(
            [
                TransitSettings(before=HALL, after=LOBBY, never=True),
                TransitSettings(before=YARD, after=LOBBY, transit=(5.0, 60.0)),
                TransitSettings(before=YARD, after=LOBBY, overlap=True),
            ]
        ),
        max_size=2,
    ),
)
def test_the_rates_of_many_are_what_one_by_one_says(
    asked: list[tuple[CameraId, float, float]], appearances: list[Appearance], said: list[TransitSettings]
) -> None:
    topology = Topology()
    for one in appearances:
        topology.learn_appearance(
            CameraId(one.before), CameraId(one.after), gap_s=one.gap_s, seen_s=one.seen_s, weight=one.weight
        )
    for word in said:
        topology.tell(word)
    gaps, errors = np.array([gap_s for _, gap_s, _ in asked]), np.array([error_s for _, _, error_s in asked])
    ways = [(before, LOBBY) for before, _, _ in asked]
    found = topology.rates(ways, np.arange(len(ways)), gap_s=gaps, clock_error_s=errors)
    assert found.shape == (len(asked),)
    for (before, gap_s, error_s), rate in zip(asked, found.tolist(), strict=True):
        assert rate == topology.rate(before, LOBBY, gap_s=gap_s, clock_error_s=error_s)
        if topology.overrides.forbids(before, LOBBY, earliest_s=gap_s - error_s, latest_s=gap_s + error_s):
            assert rate < 1e-20
            continue
        # The mean over what the gap may have been, where the clocks are not as good as exact.
        possible = [gap_s] if error_s <= 0.25 else [gap_s - error_s, gap_s, gap_s + error_s]
        exact = [topology.rate(before, LOBBY, gap_s=one) for one in possible]
        if min(exact) > 1e-20:
            assert rate == pytest.approx(sum(exact) / len(exact))


def test_a_clock_s_error_widens_what_is_possible() -> None:
    topology = Topology()
    for _ in range(200):
        topology.learn_appearance(HALL, LOBBY, gap_s=10.0, seen_s=2.0)
    exact = topology.rate(HALL, LOBBY, gap_s=20.0)
    assert topology.rate(HALL, LOBBY, gap_s=20.0, clock_error_s=0.1) == exact
    assert topology.rate(HALL, LOBBY, gap_s=20.0, clock_error_s=10.0) > 10 * exact


def test_strangers_are_counted_by_the_time_that_a_camera_has_watched() -> None:
    topology = Topology()
    topology.know(HALL)
    topology.know(YARD)
    topology.watch_until(1_000_000_000)
    for second in range(10, 1200, 10):
        topology.watch_until(second * 1_000_000_000)
        topology.learn_stranger(HALL, weight=1.0)
    assert topology.stranger_rate(HALL) == pytest.approx(0.1, rel=0.15)
    assert topology.stranger_rate(YARD) < 0.005
    watched = dict(topology.watched_s)
    topology.watch_until(5)
    assert topology.watched_s == watched, "time that runs backwards is no time"


def test_a_door_that_has_become_quiet_is_believed_after_some_time() -> None:
    topology = Topology()
    topology.know(HALL)
    topology.watch_until(1)
    for _ in range(100):
        topology.learn_stranger(HALL, weight=1.0)
    topology.watch_until(600 * 10**9)
    busy = topology.stranger_rate(HALL)
    topology.watch_until(3 * 3600 * 10**9)
    assert topology.stranger_rate(HALL) < busy / 20


def test_old_habits_fade_so_that_a_site_may_change() -> None:
    topology = Topology()
    for _ in range(MANY):
        topology.learn_appearance(HALL, LOBBY, gap_s=10.0, seen_s=2.0)
    kept = sum(map(sum, topology.links[HALL].appearances.values()))
    assert kept < MANY
    before = topology.rate(HALL, YARD, gap_s=10.0)
    for _ in range(MANY):
        topology.learn_appearance(HALL, YARD, gap_s=10.0, seen_s=2.0)
    assert topology.rate(HALL, YARD, gap_s=10.0) > 100 * before
    assert topology.rate(HALL, YARD, gap_s=10.0) > 2 * topology.rate(HALL, LOBBY, gap_s=10.0)


@settings(max_examples=60, deadline=None)
@given(appearances=APPEARANCES)
def test_what_is_stored_and_read_again_is_the_same_to_the_last_bit(appearances: list[Appearance]) -> None:
    topology = Topology()
    for one in appearances:
        topology.learn_appearance(
            CameraId(one.before), CameraId(one.after), gap_s=one.gap_s / 3, seen_s=one.seen_s, weight=one.weight / 3
        )
        topology.watch_until(round(one.seen_s * 1e9))
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(topology), type=Topology)
    assert again == topology
    assert [list(link.appearances) for link in again.links.values()] == [
        list(link.appearances) for link in topology.links.values()
    ]


def test_steps_of_time_begin_where_they_say() -> None:
    assert [step_of(begin) for begin in STEPS_S] == list(range(1, len(STEPS_S) + 1))
    assert [step_of(gap_s) for gap_s in (-1e9, -0.001, 0.0, 0.999, 1.0, 1e12)] == [0, 0, 1, 1, 2, len(STEPS_S)]

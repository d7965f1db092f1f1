"""What those on one spot say of each other: no more than they know themselves, and nothing that they were told."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hub.association.ties import Rivals, Spoken, Ties, credible, exclusive, pass_on
from passerby.errors import DataError
from tests.hub.association import reference_ties
from tests.hub.association.reference_ties import Float64Array, Tie

NAN = float("nan")
MISTAKEN = 0.03
SEEDS = st.integers(0, 2**32 - 1)


def ties_of(
    pairs: Sequence[Tie],
    nat: Sequence[float],
    *,
    shape: tuple[int, int],
    high: Float64Array | None = None,
    low: Float64Array | None = None,
) -> Ties:
    return Ties(
        np.array(pairs, np.int64).reshape(-1, 2),
        np.array(nat, np.float64),
        np.zeros(shape) if high is None else high,
        np.zeros(shape) if low is None else low,
    )


def spoken(
    bare: Sequence[Sequence[float]] | Float64Array,
    pairs: Sequence[Tie] = (),
    nat: Sequence[float] = (),
    *,
    own: Sequence[int] | None = None,
    high: Float64Array | None = None,
    low: Float64Array | None = None,
) -> Spoken:
    odds = np.array(bare, np.float64)
    mine = np.full(len(odds), -1, np.int64) if own is None else np.array(own, np.int64)
    shape = (odds.shape[0], odds.shape[1])
    return pass_on(odds, ties_of(pairs, nat, shape=shape, high=high, low=low), own=mine)


def normalized(odds: NDArray[np.float64]) -> Float64Array:
    weights = np.exp(np.hstack([np.where(np.isnan(odds), -np.inf, odds), np.zeros((len(odds), 1))]))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float64)


def some_odds(rng: np.random.Generator, n: int, m: int) -> Float64Array:
    return np.where(rng.random((n, m)) < 0.2, NAN, rng.normal(0, 3, (n, m)))


def test_where_nobody_is_near_nothing_is_said() -> None:
    for shape in ((0, 0), (0, 3), (2, 0), (2, 3)):
        found = spoken(np.zeros(shape))
        assert found.place.shape == shape
        assert found.same.shape == (shape[0], shape[0])
        assert not found.place.any()
        assert not found.same.any()


def test_what_the_settled_say_counts_without_ties_too() -> None:
    high, low = np.array([[3.0, 0.0]]), np.array([[-1.0, -2.0]])
    assert spoken([[0.0, 0.0]], high=high, low=low).place.tolist() == [[2.0, -2.0]]


def test_a_tie_without_identities_says_nothing() -> None:
    found = spoken(np.zeros((2, 0)), [(0, 1)], [5.0])
    assert found.place.shape == (2, 0)
    assert not found.same.any()


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="nat"):
        ties_of([(0, 1)], [], shape=(2, 1))
    with pytest.raises(DataError, match="low"):
        ties_of([], [], shape=(2, 1), low=np.zeros((2, 2)))


def test_who_stands_on_one_spot_is_who_the_other_is_known_to_be() -> None:
    found = spoken([[0.0, 0.0], [-9.0, 9.0]], [(0, 1)], [5.0])
    assert found.place[0] == pytest.approx([0.0, 5.0], abs=0.01)
    assert found.same[0, 1] > 0.9


def test_a_doubtful_neighbour_draws_nobody_after_it() -> None:
    unsure = spoken([[2.0, -2.0], [0.0, 0.5]], [(0, 1)], [5.0])
    sure = spoken([[2.0, -2.0], [-9.0, 9.0]], [(0, 1)], [5.0])
    assert unsure.place[0, 1] - unsure.place[0, 0] < 1.0
    assert sure.place[0, 1] - sure.place[0, 0] > 4.5


def test_what_both_look_like_decides_for_both() -> None:
    # Each alone would be somebody else, and both could well be the third.
    bare = np.array([[2.0, -9.0, 1.5], [-9.0, 2.0, 1.5]])
    found = spoken(bare, [(0, 1)], [5.0])
    assert normalized(bare).argmax(axis=1).tolist() == [0, 1]
    assert normalized(bare + found.place).argmax(axis=1).tolist() == [2, 2]


def test_nobody_hears_of_himself_what_he_has_told() -> None:
    # The second knows nothing of its own: what it has heard from the first does not come back.
    assert spoken([[3.0], [0.0]], [(0, 1)], [5.0]).place[0, 0] == pytest.approx(np.log1p(0.5 * np.expm1(5.0)))
    assert spoken([[3.0], [-40.0]], [(0, 1)], [5.0]).place[0, 0] == pytest.approx(0.0, abs=1e-9)


def test_a_stranger_that_stands_for_an_identity_speaks_for_it() -> None:
    silent = spoken([[0.0, 0.0], [NAN, NAN]], [(0, 1)], [5.0])
    assert silent.place[0].tolist() == [0.0, 0.0]
    assert silent.same[0, 1] == 0.0
    speaking = spoken([[0.0, 0.0], [NAN, NAN]], [(0, 1)], [5.0], own=[-1, 1])
    assert speaking.place[0] == pytest.approx([0.0, 5.0])


def test_who_stands_elsewhere_is_another() -> None:
    found = spoken([[0.0, 0.0], [-9.0, 9.0]], [(0, 1)], [-3.0])
    assert found.place[0] == pytest.approx([0.0, -3.0], abs=0.01)
    assert found.same[0, 1] < 0.05


def test_witnesses_of_one_moment_count_once() -> None:
    bare = [[0.0], [9.0], [9.0], [9.0]]
    one = spoken(bare, [(0, 1)], [4.0]).place[0, 0]
    assert spoken(bare, [(0, 1), (0, 2), (0, 3)], [4.0, 3.0, 4.0]).place[0, 0] == pytest.approx(one, abs=0.01)
    both = spoken(bare, [(0, 1), (0, 2)], [4.0, -3.0]).place[0, 0]
    assert both == pytest.approx(4.0 - 3.0, abs=0.01)


@settings(max_examples=100, deadline=None)
@given(m=st.integers(1, 4), nat=st.floats(-6, 6), seed=SEEDS)
def test_of_two_everything_is_as_trying_all_out_says(m: int, nat: float, seed: int) -> None:
    bare = some_odds(np.random.default_rng(seed), 2, m)
    found = spoken(bare, [(0, 1)], [nat])
    probable, same = reference_ties.joint(bare, [(0, 1)], [nat])
    np.testing.assert_allclose(normalized(bare + found.place), probable, atol=1e-9)
    np.testing.assert_allclose(found.same, same, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(n=st.integers(3, 4), m=st.integers(1, 3), seed=SEEDS)
def test_the_ends_of_a_row_hear_what_trying_all_out_says(n: int, m: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    bare, nat = some_odds(rng, n, m), rng.normal(0, 3, n - 1).tolist()
    row = [(i, i + 1) for i in range(n - 1)]
    found = spoken(bare, row, nat)
    probable, _ = reference_ties.joint(bare, row, nat)
    np.testing.assert_allclose(normalized(bare + found.place)[[0, -1]], probable[[0, -1]], atol=1e-9)


@st.composite
def trees(draw: st.DrawFn) -> list[Tie]:
    """Ties of up to five tracklets without a circle."""
    n = draw(st.integers(1, 5))
    linked = [(draw(st.integers(0, i - 1)), i) for i in range(1, n)]
    return [tie if draw(st.booleans()) else (tie[1], tie[0]) for tie in draw(st.permutations(linked))]


@settings(max_examples=100, deadline=None)
@given(pairs=trees(), m=st.integers(0, 4), seed=SEEDS)
def test_on_a_tree_the_strongest_words_count_for_and_against(pairs: list[Tie], m: int, seed: int) -> None:
    rng, n = np.random.default_rng(seed), len(pairs) + 1
    bare, nat = some_odds(rng, n, m), rng.normal(0, 3, len(pairs)).tolist()
    high, low = rng.choice([0.0, 2.0], (n, m)), rng.choice([0.0, -2.0], (n, m))
    found = spoken(bare, pairs, nat, high=high, low=low)
    expected = reference_ties.Tree(bare, pairs, nat, high, low).place()
    np.testing.assert_allclose(found.place, expected, atol=1e-9)


@settings(max_examples=150, deadline=None)
@given(n=st.integers(2, 6), m=st.integers(0, 4), seed=SEEDS, size=st.sampled_from([1.0, 30.0, 1e6]))
def test_words_are_bounded_and_alike_from_both_sides(n: int, m: int, seed: int, size: float) -> None:
    rng = np.random.default_rng(seed)
    bare = some_odds(rng, n, m) * size
    pairs = [pair for pair in itertools.combinations(range(n), 2) if rng.random() < 0.6]
    nat = [credible(value, mistaken=MISTAKEN) for value in (rng.normal(0, 4, len(pairs)) * size).tolist()]
    own = rng.integers(-1, m, n) if m else np.full(n, -1)
    found = spoken(bare, pairs, nat, own=own.tolist())
    assert np.isfinite(found.place).all()
    assert (found.place <= max([0.0, *nat]) + 1e-9).all()
    assert (found.place >= min([0.0, *nat]) - 1e-9).all()
    np.testing.assert_allclose(found.same, found.same.T, atol=1e-12)
    assert ((found.same >= 0.0) & (found.same <= 1.0)).all()
    untied = np.ones((n, n), bool)
    for a, b in pairs:
        untied[a, b] = untied[b, a] = False
    assert not found.same[untied].any()


@settings(max_examples=60, deadline=None)
@given(n=st.integers(2, 5), seed=SEEDS)
def test_neither_the_order_of_ties_nor_of_names_makes_a_difference(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    bare = some_odds(rng, n, 3)
    pairs = [pair for pair in itertools.combinations(range(n), 2) if rng.random() < 0.6]
    nat = rng.normal(0, 3, len(pairs)).tolist()
    found = spoken(bare, pairs, nat)
    order, names = rng.permutation(len(pairs)).tolist(), rng.permutation(3)
    turned = [(pairs[i][1], pairs[i][0]) for i in order]
    again = spoken(bare[:, names], turned, [nat[i] for i in order])
    np.testing.assert_allclose(again.place, found.place[:, names], atol=1e-9)
    np.testing.assert_allclose(again.same, found.same, atol=1e-9)


def grid(first: int, second: int) -> tuple[list[Tie], tuple[Rivals, Rivals]]:
    """Each of one view with each of the other, all of whom their view saw at once; and the rivals of each tie."""
    ties = list(itertools.product(range(first), range(second)))
    indexes = list(itertools.permutations(range(len(ties)), 2))
    first_side, second_side = ([(i, j) for i, j in indexes if ties[i][side] == ties[j][side]] for side in (0, 1))
    return ties, (rivals_of(first_side), rivals_of(second_side))


def rivals_of(pairs: Sequence[Tie]) -> Rivals:
    rows = np.array(pairs, np.int64).reshape(-1, 2)
    return Rivals(rows[:, 0], rows[:, 1])


def test_no_tie_has_no_rivals() -> None:
    assert exclusive(np.zeros(0), (rivals_of([]), rivals_of([])), mistaken=MISTAKEN).shape == (0,)


def test_a_tie_without_rivals_is_worth_what_it_says() -> None:
    nobody = rivals_of([])
    for nat in (-5.0, 0.0, 0.5, 7.0):
        assert exclusive(np.array([nat]), (nobody, nobody), mistaken=MISTAKEN)[0] == pytest.approx(
            credible(nat, mistaken=MISTAKEN)
        )


@settings(max_examples=60, deadline=None)
@given(count=st.integers(2, 5), turned=st.booleans(), seed=SEEDS)
def test_of_several_for_one_the_odds_are_what_trying_all_out_says(count: int, turned: bool, seed: int) -> None:
    ties, rivals = grid(count, 1) if turned else grid(1, count)
    nat = np.random.default_rng(seed).uniform(0, 8, count)
    expected = [credible(one, mistaken=MISTAKEN) for one in reference_ties.matching_odds(nat.tolist(), ties)]
    assert exclusive(nat, rivals, mistaken=MISTAKEN).tolist() == pytest.approx(expected, abs=0.05)


def short_of_all_tried_out(shape: Tie, seed: int) -> NDArray[np.float64]:
    """Of ties that say something either way (k,), how much less the propagation has them say, in nat. None says the
    contrary."""
    ties, rivals = grid(*shape)
    nat = np.random.default_rng(seed).uniform(0, 8, len(ties))
    found = exclusive(nat, rivals, mistaken=MISTAKEN)
    expected = np.array([credible(one, mistaken=MISTAKEN) for one in reference_ties.matching_odds(nat.tolist(), ties)])
    # A matching has circles, and there the propagation says the same more surely: 1.8 nat may become 5.
    assert np.abs(found - expected).max() < 4.0
    clear = np.abs(expected) > 1.0
    assert (np.sign(found) == np.sign(expected))[clear].all()
    return np.asarray((np.abs(expected) - np.abs(found))[clear], np.float64)


SHAPES = [(2, 2), (2, 3), (3, 3)]


@settings(max_examples=60, deadline=None)
@given(shape=st.sampled_from(SHAPES), seed=SEEDS)
@example(shape=(2, 3), seed=14883)
def test_of_several_for_several_the_odds_are_about_what_trying_all_out_says(shape: Tie, seed: int) -> None:
    assert short_of_all_tried_out(shape, seed).max(initial=0.0) < 1.5


def test_of_several_for_several_the_odds_hardly_ever_fall_short() -> None:
    short = [short_of_all_tried_out(SHAPES[seed % 3], seed).max(initial=0.0) for seed in range(600)]
    assert np.mean(np.array(short) > 0.75) <= 0.005


def test_who_is_surely_one_with_another_is_not_one_with_a_third() -> None:
    _, rivals = grid(2, 2)
    found = exclusive(np.array([9.0, 6.0, 6.0, 9.0]), rivals, mistaken=MISTAKEN)
    assert found[[0, 3]].min() > 5.0
    assert found[[1, 2]].max() < -3.0


def test_two_who_could_be_either_are_not_taken_for_one_of_them() -> None:
    _, rivals = grid(1, 2)
    assert exclusive(np.array([8.0, 8.0]), rivals, mistaken=MISTAKEN) == pytest.approx([0.0, 0.0], abs=0.1)


def test_ties_that_outweigh_everything_stay_numbers() -> None:
    _, rivals = grid(2, 2)
    for nat in ([1e6] * 4, [1e6, 0.0, 0.0, 1e6], [800.0, 1e9, 0.0, 0.0]):
        found = exclusive(np.array(nat), rivals, mistaken=MISTAKEN)
        assert np.isfinite(found).all()
        assert (np.abs(found) < 6.0).all()


@settings(max_examples=100)
@given(first=st.floats(-1e6, 1e6), second=st.floats(-1e6, 1e6))
def test_what_is_credible_is_bounded_and_keeps_its_order_and_its_side(first: float, second: float) -> None:
    low, high = sorted((first, second))
    little = 0.004  # where the two sides meet
    assert -3.6 < credible(low, mistaken=MISTAKEN) <= credible(high, mistaken=MISTAKEN) + little < 5.9
    for nat in (low, high):
        assert abs(credible(nat, mistaken=MISTAKEN)) <= abs(nat) + little
        assert credible(nat, mistaken=MISTAKEN) * np.sign(nat) >= -little


def test_what_is_little_is_credible_as_it_is() -> None:
    assert credible(0.0, mistaken=MISTAKEN) == pytest.approx(0.0, abs=0.01)
    for nat in (-1.0, -0.3, 0.3, 1.0):
        assert credible(nat, mistaken=MISTAKEN) == pytest.approx(nat, rel=0.06)


def test_the_more_trackers_err_the_less_a_tie_says() -> None:
    for nat in (4.0, -4.0):
        said = [abs(credible(nat, mistaken=share)) for share in (0.01, 0.06, 0.25, 0.5)]
        assert said == sorted(said, reverse=True)
        assert said[0] > said[-1] > 0.0

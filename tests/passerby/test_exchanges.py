"""Whether two came out of a crossing exchanged."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerby.features.exchanges import EXCHANGE_RATE, Leanings, SwitchOdds, leanings, mean_look

RNG = np.random.default_rng(5)
CAUTION = float(np.log((1 - EXCHANGE_RATE) / EXCHANGE_RATE))


def looks(count: int = 2, *, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((count, 32)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def leaning(*towards_other: float, squared_distance: float = 1.5) -> Leanings:
    return Leanings(np.array(towards_other), squared_distance)


def taught(crossings: list[Leanings]) -> SwitchOdds:
    odds = SwitchOdds()
    for one in crossings:
        odds = odds.taught(one)
    return odds


def test_a_mean_look_counts_each_picture_the_same_and_is_of_length_one() -> None:
    pictures = looks(3)
    twice = pictures * np.array([[1], [20], [0.1]], np.float32)
    expected = sum(row / np.sqrt(sum(value * value for value in row)) for row in pictures.tolist() @ np.eye(32))
    np.testing.assert_allclose(mean_look(twice), expected / np.linalg.norm(expected), atol=1e-6)
    assert not mean_look(np.zeros((0, 32), np.float16)).any()


def test_leanings_are_differences_of_similarities() -> None:
    before, after = looks(), looks(seed=1)
    found = leanings(before, after)
    assert found.towards_other == pytest.approx(
        [float(sum(after[i] * before[1 - i]) - sum(after[i] * before[i])) for i in (0, 1)],
        abs=1e-6,
    )
    assert found.squared_distance == pytest.approx(sum((x - y) ** 2 for x, y in before.T.tolist()), abs=1e-5)


@given(st.integers(0, 50), st.integers(51, 99))
def test_an_exchange_turns_the_leanings_around(one: int, other: int) -> None:
    before, after = looks(seed=one), looks(seed=other)
    plain, exchanged = leanings(before, after), leanings(before, after[::-1])
    np.testing.assert_allclose(plain.towards_other, -exchanged.towards_other[::-1], atol=1e-6)
    # Which of the two is named first says nothing.
    np.testing.assert_allclose(leanings(before[::-1], after[::-1]).towards_other, plain.towards_other[::-1], atol=1e-6)


def test_who_was_not_seen_after_it_says_nothing() -> None:
    before = looks()
    after = before[::-1].copy()
    after[1] = 0
    found = leanings(before, after)
    assert found.towards_other[0] > 0
    assert np.isnan(found.towards_other[1])
    assert SwitchOdds().log_odds(found) == pytest.approx(SwitchOdds().nats_per_unit * found.towards_other[0] - CAUTION)


def test_nobody_seen_is_what_was_believed_before() -> None:
    assert SwitchOdds().log_odds(leaning(np.nan, np.nan)) == pytest.approx(-CAUTION)


def test_a_new_camera_asks_for_a_clear_exchange() -> None:
    odds = SwitchOdds()
    assert odds.log_odds(leaning(0.5, 0.4)) > 0
    assert odds.log_odds(leaning(0.1, 0.1)) < 0
    assert odds.log_odds(leaning(-0.5, 0.6)) < 0


def test_two_who_look_the_same_are_never_exchanged_and_teach_nothing() -> None:
    same = leanings(looks()[[0, 0]], looks(seed=1))
    assert same.squared_distance == 0
    assert SwitchOdds().log_odds(same) < 0
    assert SwitchOdds().taught(same) == SwitchOdds()


def test_a_camera_with_a_telling_network_learns_to_ask_for_less_and_one_with_a_poor_one_for_more() -> None:
    good = taught([leaning(*RNG.normal(-0.6, 0.08, 2)) for _ in range(200)])
    poor = taught([leaning(*RNG.normal(-0.05, 0.3, 2)) for _ in range(200)])
    assert good.nats_per_unit > 3 * SwitchOdds().nats_per_unit
    assert poor.nats_per_unit < 0.5 * SwitchOdds().nats_per_unit
    blind = taught([leaning(*RNG.normal(0.05, 0.3, 2)) for _ in range(400)])
    assert blind.nats_per_unit < 1


def test_exchanges_teach_as_much_as_crossings_without() -> None:
    plain = [leaning(*RNG.normal(-0.6, 0.08, 2)) for _ in range(50)]
    some = [
        Leanings(-one.towards_other, one.squared_distance) if row % 10 == 0 else one for row, one in enumerate(plain)
    ]
    assert taught(some).nats_per_unit == pytest.approx(taught(plain).nats_per_unit)


def test_what_is_learned_is_the_fit_over_all_crossings_so_far() -> None:
    crossings = [leaning(*RNG.normal(-0.4, 0.1, 2), squared_distance=float(q)) for q in RNG.uniform(0.5, 2, 30)]
    crossings[3] = Leanings(np.array([np.nan, -0.3]), 1.1)
    # The prior is like 20 sides at distance 1.5 that lean as believed, scattered as believed.
    spread = np.sqrt(0.04 * 1.5)
    sides = [(-0.25 * 1.5 + sign * spread, 1.5) for sign in (-1, 1) for _ in range(10)]
    sides += [(m, one.squared_distance) for one in crossings for m in one.towards_other.tolist() if not np.isnan(m)]
    lean = -sum(m for m, _ in sides) / sum(q for _, q in sides)
    variance = sum((m + lean * q) ** 2 / q for m, q in sides) / len(sides)
    assert taught(crossings).nats_per_unit == pytest.approx(2 * lean / variance)


@given(st.lists(st.tuples(st.floats(-2, 2), st.floats(-2, 2), st.floats(0, 4)), max_size=20))
def test_whatever_is_seen_the_worth_is_finite_and_not_negative(seen: list[tuple[float, float, float]]) -> None:
    odds = taught([leaning(one, other, squared_distance=q) for one, other, q in seen])
    assert 0 <= odds.nats_per_unit < np.inf

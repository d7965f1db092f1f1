"""The boundary that keeps the operator's rate of false links."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.association.promise import Promise

RATES = st.sampled_from([0.0, 0.005, 0.01, 0.02, 0.05, 0.2, 1.0])


def told(probabilities: list[float]) -> Promise:
    promise = Promise()
    for probability in probabilities:
        promise.learn(probability)
    return promise


def false_share(probabilities: list[float], boundary: float) -> float:
    """The naive twin: of all that would be linked, how many are expected to be false."""
    doubts = [1.0 - p for p in probabilities if p >= boundary]
    return sum(doubts) / len(doubts) if doubts else 0.0


@pytest.mark.parametrize("rate", [0.005, 0.01, 0.02, 0.05])
@pytest.mark.parametrize("seed", range(5))
def test_the_expected_share_of_false_links_is_what_the_operator_allows(rate: float, seed: int) -> None:
    probabilities = np.random.default_rng(seed).beta(2.0, 0.02, 600).tolist()
    boundary = told(probabilities).boundary(rate)
    assert false_share(probabilities, boundary) <= 1.5 * rate


@pytest.mark.parametrize("rate", [0.01, 0.02, 0.05])
def test_where_probabilities_are_right_so_is_the_rate_of_false_links(rate: float) -> None:
    rng = np.random.default_rng(7)
    probabilities = rng.beta(3.0, 0.03, 600)
    boundary = told(probabilities.tolist()).boundary(rate)
    later = rng.beta(3.0, 0.03, 50_000)
    linked = later >= boundary
    wrong = rng.random(len(later)) >= later
    assert (wrong & linked).sum() / linked.sum() <= 1.5 * rate


def test_many_sure_links_pay_for_some_that_are_less_so() -> None:
    sure, unsure = told([0.9999] * 590 + [0.8] * 10), told([0.93] * 300 + [0.8] * 300)
    assert sure.boundary(0.01) < 0.85
    assert unsure.boundary(0.01) > 0.9


def test_some_of_the_surest_are_wrong_all_the_same() -> None:
    assert told([1.0] * 580 + [0.7] * 20).boundary(0.01) > 0.7, "together they would be 1.5%"
    assert told([1.0] * 580 + [0.7] * 20).boundary(0.02) < 0.71


@pytest.mark.parametrize(
    ("decisions", "link", "merge"), [(30, 0.88, 0.88), (199, 0.88, 0.88), (200, 0.96, 0.92), (600, 0.96, 0.92)]
)
def test_where_nothing_is_sure_links_are_made_all_the_same(decisions: int, link: float, merge: float) -> None:
    """Or nobody would ever become sure: fragments of one person are each other's rivals."""
    promise = told([0.5] * decisions)
    assert promise.boundary(0.01) == pytest.approx(link)
    assert promise.boundary(0.01, merges=True) == pytest.approx(merge)


@settings(max_examples=100, deadline=None)
@given(probabilities=st.lists(st.floats(0, 1), max_size=80), rate=RATES)
def test_a_boundary_is_always_within_reason(probabilities: list[float], rate: float) -> None:
    assert 0.6 <= told(probabilities).boundary(rate) <= 0.995


@settings(max_examples=100, deadline=None)
@given(probabilities=st.lists(st.floats(0, 1), max_size=80), rates=st.tuples(RATES, RATES))
def test_who_allows_more_gets_more(probabilities: list[float], rates: tuple[float, float]) -> None:
    promise = told(probabilities)
    assert promise.boundary(max(rates)) <= promise.boundary(min(rates))


def test_while_little_is_known_it_is_the_usual_boundary() -> None:
    assert told([]).boundary(0.01) == pytest.approx(0.88)
    assert told([]).boundary(0.05) == 0.6
    assert told([0.99]).boundary(0.01) == pytest.approx(0.88, abs=0.01)


def test_only_the_latest_decisions_count() -> None:
    assert told([0.2] * 5000 + [0.999] * 600).boundary(0.01) == told([0.999] * 600).boundary(0.01)

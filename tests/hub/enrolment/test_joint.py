"""Names of people who were seen at once: the posterior of all together, in which nobody shares one."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hub.enrolment.joint import identified_together
from hub.enrolment.posterior import identified
from tests.hub.enrolment import reference_posterior


@st.composite
def films(draw: st.DrawFn, *, people: int, names: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Evidence (n, m), some of it impossible, and who was seen at once."""
    n, m = draw(st.integers(1, people)), draw(st.integers(1, names))
    nat = st.one_of(st.floats(-20, 20), st.sampled_from([-math.inf, 0.0, 3.0]))
    evidence = np.array([[draw(nat) for _ in range(m)] for _ in range(n)])
    at_once = np.zeros((n, n), bool)
    for i in range(n):
        for j in range(i + 1, n):
            at_once[i, j] = at_once[j, i] = draw(st.booleans())
    return evidence, at_once


def table(outcomes: Any) -> NDArray[np.float64]:
    """(n, m + 1), in the last column nobody known."""
    return np.array([[*one.known, one.nobody] for one in outcomes])


@given(films(people=4, names=3))
def test_the_posterior_is_that_of_all_assignments(film: tuple[NDArray[np.float64], NDArray[np.bool_]]) -> None:
    evidence, at_once = film
    expected = reference_posterior.identified_together(evidence.tolist(), at_once.tolist())
    # A name that hardly anybody has is not kept apart: so small an error.
    np.testing.assert_allclose(
        table(identified_together(evidence, at_once)), [[*known, nobody] for known, nobody in expected], atol=2e-4
    )


@given(films(people=7, names=5))
def test_two_at_once_share_a_name_with_no_more_than_one(film: tuple[NDArray[np.float64], NDArray[np.bool_]]) -> None:
    evidence, at_once = film
    found = table(identified_together(evidence, at_once))
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert found.min() >= 0.0
    for first, second in np.argwhere(at_once).tolist():
        assert (found[first, :-1] + found[second, :-1]).max() <= 1.0 + 1e-9


@given(films(people=6, names=4), st.randoms(use_true_random=False))
def test_the_order_of_people_and_names_does_not_matter(
    film: tuple[NDArray[np.float64], NDArray[np.bool_]], random: Any
) -> None:
    evidence, at_once = film
    rows, columns = list(range(len(evidence))), list(range(evidence.shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    mixed = identified_together(evidence[np.ix_(rows, columns)], at_once[np.ix_(rows, rows)])
    expected = table(identified_together(evidence, at_once))[np.ix_(rows, [*columns, len(columns)])]
    np.testing.assert_allclose(table(mixed), expected, atol=1e-9)


@given(films(people=5, names=4))
def test_who_was_seen_alone_is_identified_alone(film: tuple[NDArray[np.float64], NDArray[np.bool_]]) -> None:
    evidence, at_once = film
    at_once[0] = at_once[:, 0] = False
    alone = identified(evidence[0].tolist())
    np.testing.assert_array_equal(table(identified_together(evidence, at_once))[0], [*alone.known, alone.nobody])


def test_of_two_who_look_alike_neither_is_said_to_be_the_one_and_the_better_one_is() -> None:
    both = table(identified_together(np.array([[8.0], [8.0]]), ~np.eye(2, dtype=bool)))
    assert both[:, 0].tolist() == pytest.approx([0.5, 0.5], abs=1e-3)
    better = table(identified_together(np.array([[8.0], [4.0]]), ~np.eye(2, dtype=bool)))
    assert better[0, 0] == pytest.approx(1 / (1 + math.exp(-4)), abs=1e-3)
    assert better[1, 0] == pytest.approx(1 / (1 + math.exp(4)), abs=1e-3)


def test_whose_name_another_has_gets_the_next_one() -> None:
    """One of them is surely Ann; the other looks like her too, and less like Ben."""
    evidence = np.array([[12.0, -5.0], [6.0, 4.0]])
    together = table(identified_together(evidence, ~np.eye(2, dtype=bool)))
    alone = table(identified_together(evidence, np.zeros((2, 2), bool)))
    assert alone[1].argmax() == 0
    assert together[1].argmax() == 1
    assert together[1, 1] > 0.9


def test_nobody_and_no_names_give_what_there_is() -> None:
    assert identified_together(np.zeros((0, 3)), np.zeros((0, 0), bool)) == []
    (one,) = identified_together(np.zeros((1, 0)), np.zeros((1, 1), bool))
    assert (len(one.known), one.nobody) == (0, 1.0)


def test_huge_and_impossible_evidence_gives_probabilities_all_the_same() -> None:
    at_once = ~np.eye(3, dtype=bool)
    found = table(identified_together(np.array([[1e6, -1e6], [1e6, -math.inf], [-math.inf, -math.inf]]), at_once))
    np.testing.assert_allclose(found[:, 0], [0.5, 0.5, 0.0], atol=1e-6)
    assert found[2, -1] == 1.0


@pytest.mark.parametrize("sureness", [0.5, 3.0, 12.0])
@pytest.mark.timeout(60)
def test_a_crowd_of_whom_many_are_known_is_told_in_bounded_time(sureness: float) -> None:
    """Thirty people at once and forty names: too many assignments to go through all."""
    random = np.random.default_rng(0)
    evidence = random.normal(0.0, 1.0, (30, 40)) + sureness * np.eye(30, 40)
    found = table(identified_together(evidence, ~np.eye(30, dtype=bool)))
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    if sureness > 10:
        assert np.diag(found).min() > 0.9
        assert found[:, :-1].sum(axis=0).max() <= 1.0 + 1e-3

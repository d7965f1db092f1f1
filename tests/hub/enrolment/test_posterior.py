"""Probabilities from evidence: what was assumed, what was seen, and nobody known as an outcome of its own."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.enrolment.posterior import identified, verdict, verified
from tests.hub.enrolment import reference_posterior

EVIDENCE = st.lists(st.floats(-30, 30), max_size=8)


@given(EVIDENCE)
def test_identification_is_bayes_rule(evidence: list[float]) -> None:
    outcomes = identified(evidence)
    known, nobody = reference_posterior.identified(evidence)
    np.testing.assert_allclose(outcomes.known, known, rtol=1e-9, atol=1e-15)
    assert outcomes.nobody == pytest.approx(nobody, rel=1e-9)


def test_without_evidence_nobody_known_is_as_likely_as_all_together() -> None:
    outcomes = identified([0.0] * 7)
    assert outcomes.nobody == pytest.approx(0.5)
    assert outcomes.known.tolist() == pytest.approx([0.5 / 7] * 7)


def test_where_nobody_is_enrolled_it_is_nobody() -> None:
    outcomes = identified([])
    assert (len(outcomes.known), outcomes.nobody) == (0, 1.0)


def test_huge_and_impossible_evidence_gives_probabilities_all_the_same() -> None:
    outcomes = identified([1e6, -math.inf, -1e6])
    assert outcomes.known.tolist() == [1.0, 0.0, 0.0]
    assert outcomes.nobody == 0.0
    assert (verified(1e6), verified(-1e6)) == (1.0, 0.0)


def test_one_person_enrolled_is_identified_as_they_are_verified() -> None:
    assert identified([1.7]).known[0] == pytest.approx(verified(1.7))


def test_a_verdict_is_given_only_from_the_wanted_probability_on() -> None:
    assert [verdict(p) for p in (0.9, 0.8999, 0.1001, 0.0999)] == ["same", "unsure", "unsure", "another"]
    assert [verdict(p, sure=0.99) for p in (0.98, 0.02)] == ["unsure", "unsure"]
    assert verdict(math.nan) == "unsure"

"""From figures to a decision."""

import numpy as np

from passerby.adaptation.verdict import Figure
from training.gate.reasons import decide
from training.gate.resampling import Change
from training.gate.rules import AREA, GUARD, IMPOSSIBLE, LINKED, SOON, Rule, figure_of


def made(rule: Rule, low: float, high: float, *, measured_on: float = 1e6) -> Figure:
    return figure_of(rule, Change(0.5, 0.5 + (low + high) / 2, low, high), measured_on=measured_on)


def test_a_figure_regresses_beyond_its_tolerance_and_improves_beyond_nothing() -> None:
    assert [made(GUARD, -0.3, high).regressed for high in (-0.11, -0.09)] == [True, False]
    assert [made(LINKED, low, 0.3).improved for low in (0.001, -0.001)] == [True, False]
    assert made(IMPOSSIBLE, 0.03, 0.06).regressed
    assert made(IMPOSSIBLE, -0.06, -0.01).improved
    assert not made(IMPOSSIBLE, 0.01, 0.06).regressed


def test_what_was_measured_on_too_little_decides_nothing() -> None:
    for figure in (
        made(GUARD, -0.3, -0.2, measured_on=3),
        figure_of(GUARD, Change(0.5, 0.5, np.nan, np.nan), measured_on=99),
    ):
        assert not figure.enough
        assert not figure.regressed
        assert not figure.improved
    assert figure_of(GUARD, Change(0.5, np.nan, np.nan, np.nan), measured_on=99).after is None


def test_one_certain_gain_promotes_and_one_certain_loss_refuses() -> None:
    gain, loss = made(LINKED, 0.1, 0.5), made(AREA, -0.2, -0.1)
    assert decide([gain], hindrance=None) == (
        True,
        ["Better: hub's links, spreads apart from 0.500 to 0.800 (change +0.100 to +0.500)."],
    )
    passed, reasons = decide([gain, loss], hindrance=None)
    assert not passed
    assert reasons == ["Worse: one tracklet or two people from 0.500 to 0.350 (change -0.200 to -0.100)."]


def test_a_gain_in_one_camera_alone_is_none() -> None:
    passed, reasons = decide([made(AREA, 0.1, 0.2), made(LINKED, -0.01, 0.5)], hindrance=None)
    assert not passed
    assert reasons[0].startswith(
        "No better: none of 1 figures of people across cameras rose for certain; at best hub's"
    )


def test_the_figure_that_came_nearest_is_named() -> None:
    figures = [made(SOON, -0.02, 0.03), made(LINKED, -0.01, 0.5), made(IMPOSSIBLE, -0.01, 0.01)]
    assert "at best hub's links" in decide(figures, hindrance=None)[1][0]


def test_figures_that_contradict_each_other_refuse() -> None:
    passed, reasons = decide([made(SOON, 0.01, 0.05), made(LINKED, -0.3, 0.05)], hindrance=None)
    assert not passed
    assert reasons[0].startswith("Contradictory: better is soon after in another camera from 0.500 to 0.530")
    assert "but not hub's links, spreads apart from 0.500 to 0.375" in reasons[0]


def test_where_nothing_can_be_told_that_is_the_reason() -> None:
    assert decide([], hindrance="Cannot tell: too dark.") == (False, ["Cannot tell: too dark."])
    assert decide([made(AREA, 0.1, 0.2)], hindrance=None)[1] == [
        "Cannot tell: nothing of people across cameras could be measured."
    ]
    loss = made(GUARD, -0.4, -0.2)
    assert [reason[:7] for reason in decide([loss], hindrance="Cannot tell.")[1]] == ["Cannot ", "Worse: "]

"""What counts as worse, as better and as too little, figure by figure.

The tolerances are set on simulated sites alone (benchmarks/gate.py).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from passerby.adaptation.verdict import Figure
from training.gate.resampling import Change

COLLAPSED_SHARE, COLLAPSED_RANK = 0.5, 4.0
"""Embeddings that use less than this share of the deployed model's directions, or so few, have collapsed."""

FEWEST_GROUPS = 8
"""Of fewer people an interval says nothing."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`fewest` items a figure must be measured on; see `Figure` for the rest."""

    name: str
    about: str
    better: Literal["higher", "lower"]
    tolerance: float
    fewest: float
    crossing: bool = False


AREA = Rule(
    "one tracklet or two people",
    "How often early and late pictures of one tracklet are more alike than two people who were seen at once.",
    "higher",
    0.01,
    20,
)
TRUE_POSITIVES = Rule(
    "recognized at 1% mistaken",
    "Share of tracklets whose early and late pictures are taken for one person where 1% of two people are.",
    "higher",
    0.05,
    100,
)
IMPOSSIBLE = Rule(
    "impossible neighbours",
    "Share of tracklets whose nearest of another camera cannot be the same person: elsewhere at once, or too soon.",
    "lower",
    0.02,
    5,
    crossing=True,
)
SOON = Rule(
    "soon after in another camera",
    "How often two that are seen soon after one another in two cameras are more alike than two far apart in time.",
    "higher",
    0.02,
    100,
    crossing=True,
)
LINKED = Rule(
    "hub's links, spreads apart",
    "How far apart tracklets of two cameras are, in spreads of their similarities: those that the hub has linked, and "
    "those that are two people if its links are right.",
    "higher",
    0.05,
    30,
    crossing=True,
)
LINKED_AREA = Rule(
    "hub's links recognized",
    "How often tracklets of two cameras that the hub has linked are more alike than two that are two people.",
    "higher",
    0.005,
    30,
    crossing=True,
)
MUTUAL = Rule(
    "mutual neighbours",
    "Share of tracklets whose nearest of another camera has them as its own nearest.",
    "higher",
    0.1,
    20,
)
PURITY = Rule(
    "one camera in clusters",
    "Of the others in one's cluster, the share that the same camera saw.",
    "lower",
    0.05,
    20,
)
OWN_CAMERA = Rule(
    "own camera nearest",
    "How much more often than by chance the nearest of all was seen by the same camera; less is better only where the "
    "hub's links are further apart as well.",
    "lower",
    0.05,
    20,
)
CORRECTIONS = Rule(
    "operators' corrections",
    "How often two that operators have joined are more alike than two that they have told apart.",
    "higher",
    0.02,
    3,
    crossing=True,
)
RANK = Rule("directions used", "Effective rank of the embeddings: a collapsed model has few.", "higher", 0.0, 1)
GUARD_PLAIN = Rule("guard mAP, plain", "Labelled people of other places, as the model gives them.", "higher", 0.15, 20)
GUARD = Rule("guard mAP", "Labelled people of other places, normalized by camera as the hub does.", "higher", 0.1, 20)
"""What is learned of a site costs elsewhere: honest adaptations lose 0.05 in half a minute."""


def figure_of(rule: Rule, change: Change, *, measured_on: float) -> Figure:
    """The figure, judged. `measured_on`: so many items, to be compared with the rule's `fewest`."""
    enough = measured_on >= rule.fewest and bool(np.isfinite([change.low, change.high]).all())
    gain = (change.low, change.high) if rule.better == "higher" else (-change.high, -change.low)
    return Figure(
        name=rule.name,
        about=rule.about,
        before=_number(change.before),
        after=_number(change.after),
        change=_number(change.after - change.before),
        low=_number(change.low),
        high=_number(change.high),
        better=rule.better,
        tolerance=rule.tolerance,
        regressed=enough and gain[1] < -rule.tolerance,
        improved=enough and gain[0] > 0.0,
        crossing=rule.crossing,
        enough=enough,
    )


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None

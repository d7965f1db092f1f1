"""Has a camera changed, or is it the people? Tests of those seen lately against those seen before.

Everybody is a vector: the camera's offset + the person. A camera that changes moves everybody alike and leaves people
as far from each other as they were. A group of similar people (a uniform, a team) is off the mean too, but its members
are close to each other: what they have in common is missing in their scatter, and is taken off here before anything
is concluded.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]

JUMP_WINDOWS = (6, 8, 12, 16)
"""So many people seen last are compared with those before, one window after the other."""

FEWEST_BEFORE = 12
"""People that must be known before somebody can be unlike them."""

JUMP_ENERGY = 0.25
"""A jump is established when the offset's energy is this share of the people's variance, and surely so."""

DRIFT_WINDOW = 16
"""People seen last whose mean is compared with that of those before."""

RETURN_WINDOWS = (2, 3, 4, 5, 6)
"""Fewer people are enough to recognize a light that is known."""

FEWEST_PRESENT = 3
"""People of the present regime that must be known before another can be told from it."""

RETURN_EVIDENCE = 6.0
"""Log-likelihood ratio from which on a known regime is back."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """People of one regime as a mean (d,), their total variance (all axes together) and their number."""

    mean: Float64Array
    variance: float
    people: int


def crowd_of(rows: Float64Array) -> Crowd:
    """Everybody in `rows` (p, d) counted once; at least two people."""
    mean = rows.mean(axis=0)
    deviations = rows - mean
    return Crowd(mean, float(np.einsum("pd,pd->", deviations, deviations)) / (len(rows) - 1), len(rows))


def offset_energy(recent: Float64Array, before: Crowd) -> float:
    """Energy of the offset between people seen lately (n, d) and those before, over the variance of people.

    Unbiased: about 0, give or take, where nothing has changed. What similar people would have in common is taken off.
    """
    lately = crowd_of(recent)
    apart = float(((lately.mean - before.mean) ** 2).sum())
    chance = lately.variance / len(recent) + before.variance / before.people
    alike = max(0.0, before.variance - lately.variance)
    return (apart - chance - alike) / before.variance if before.variance > 0.0 else 0.0


def drift(recent: Float64Array, before: Crowd) -> float:
    """How far the mean of people seen lately (n, d) is from that of those before, in standard errors: about 1 by
    chance. Similar people count as fewer."""
    lately = crowd_of(recent)
    apart = float(((lately.mean - before.mean) ** 2).sum())
    alike = max(0.0, before.variance - lately.variance)
    chance = alike + lately.variance / len(recent) + before.variance / before.people
    return float(np.sqrt(apart / chance)) if chance > 0.0 else 0.0


def jump(latest_first: Float64Array) -> int:
    """How many of the people seen last came after a jump; 0 where none is established.

    `latest_first` (p, d) is everybody of the present regime, who was seen last first.
    """
    for window in JUMP_WINDOWS:
        if len(latest_first) - window < FEWEST_BEFORE:
            break
        if offset_energy(latest_first[:window], crowd_of(latest_first[window:])) > _jump_energy(window):
            return window
    return 0


def returned(latest_first: Float64Array, *, other: Float64Array) -> int:
    """How many of the people seen last came after another, known regime has returned; 0 if it has not.

    `latest_first` (p, d) is everybody of the present regime, who was seen last first; `other` (q, d) those of the
    other one. Of the windows the one with the most evidence counts.
    """
    best, evidence = 0, RETURN_EVIDENCE
    for window in RETURN_WINDOWS:
        if len(latest_first) - window < FEWEST_PRESENT:
            break
        ratio = likelihood_of_return(latest_first[:window], present=latest_first[window:], other=other)
        if ratio > evidence:
            best, evidence = window, ratio
    return best


def likelihood_of_return(recent: Float64Array, *, present: Float64Array, other: Float64Array) -> float:
    """Log-likelihood ratio of people seen lately (n, d) being of another regime rather than of the present one.

    `present` and `other` (p, d) are the people of both regimes, without these. Gaussian on the line between their
    means, with the same variance in both; similar people count as fewer.
    """
    here, there = present.mean(axis=0), other.mean(axis=0)
    line = there - here
    length = float(line @ line)
    if length <= 0.0:
        return 0.0
    along_here, along_there = (present - here) @ line / length, (other - there) @ line / length
    freedom = len(present) + len(other) - 2
    variance = (float(along_here @ along_here) + float(along_there @ along_there)) / max(1, freedom)
    where = (recent - here) @ line / length  # 0 in the present regime, 1 in the other.
    typical = max(crowd_of(present).variance, crowd_of(other).variance)
    alike = float(np.clip(1.0 - crowd_of(recent).variance / typical, 0.0, 1.0)) if typical > 0.0 else 0.0
    count = len(recent) / (1.0 + (len(recent) - 1) * alike)
    return count * (float(where.mean()) - 0.5) / variance if variance > 0.0 else 0.0


def _jump_energy(window: int) -> float:
    return JUMP_ENERGY * (1.0 + 6.0 / window)

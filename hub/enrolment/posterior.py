"""From evidence to probabilities: Bayes' rule with priors that say what is assumed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

Verdict = Literal["same", "unsure", "another"]

SURE = 0.9
"""By default, who is one person, or is not, with this probability is said to be."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """Probabilities of outcomes that exclude each other, together 1.

    `known` (n,) float64: that it is person i; `nobody`: that it is none of them.
    """

    known: NDArray[np.float64]
    nobody: float


def verified(evidence: float) -> float:
    """The probability that it is who is claimed: prior odds 1, `evidence` a log-likelihood ratio (nat).

    >>> [round(verified(nat), 3) for nat in (-2.0, 0.0, 2.0)]
    [0.119, 0.5, 0.881]
    """
    return float(expit(evidence))


def verdict(probability: float, *, sure: float = SURE) -> Verdict:
    """`same` from `sure` on, `another` up to 1 - `sure`, `unsure` between.

    >>> [verdict(p) for p in (0.95, 0.5, 0.05)]
    ['same', 'unsure', 'another']
    """
    if probability >= sure:
        return "same"
    return "another" if probability <= 1.0 - sure else "unsure"


def identified(evidence: Sequence[float]) -> Outcomes:
    """Who of n people it is, from the log-likelihood ratio (nat) of each against anybody else.

    Before anything is seen each is equally likely, and nobody of them as likely as all together. Without people it is
    nobody. Evidence of minus infinity is an impossible person.

    >>> outcomes = identified([3.0, 0.0])
    >>> outcomes.known.round(3).tolist(), round(outcomes.nobody, 3)
    ([0.87, 0.043], 0.087)
    """
    shares = np.array(evidence, np.float64) - np.log(max(len(evidence), 1))
    probabilities = softmax(np.append(shares, 0.0))
    return Outcomes(probabilities[:-1], float(probabilities[-1]))

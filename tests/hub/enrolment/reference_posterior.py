"""Bayes' rule with numbers, one outcome after the other."""

import itertools
import math
from collections.abc import Sequence


def identified(evidence: Sequence[float]) -> tuple[list[float], float]:
    """Prior times likelihood of each outcome, divided by their sum."""
    if not evidence:
        return [], 1.0
    weights = [0.5 / len(evidence) * math.exp(one) for one in evidence]
    total = sum(weights) + 0.5
    return [weight / total for weight in weights], 0.5 / total


def identified_together(
    evidence: Sequence[Sequence[float]], at_once: Sequence[Sequence[bool]]
) -> list[tuple[list[float], float]]:
    """Every assignment of names, -1 for nobody known, in which those who were seen at once share none."""
    people, names = range(len(evidence)), range(len(evidence[0]))
    total = 0.0
    weights = [[0.0] * (len(names) + 1) for _ in people]
    for chosen in itertools.product(range(-1, len(names)), repeat=len(evidence)):
        if any(at_once[i][j] and chosen[i] == chosen[j] >= 0 for i, j in itertools.combinations(people, 2)):
            continue
        weight = math.prod(
            0.5 if chosen[i] < 0 else 0.5 / len(names) * math.exp(evidence[i][chosen[i]]) for i in people
        )
        total += weight
        for i in people:
            weights[i][chosen[i]] += weight
    return [([weight / total for weight in mine[:-1]], mine[-1] / total) for mine in weights]

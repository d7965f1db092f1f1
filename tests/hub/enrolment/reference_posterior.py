"""Bayes' rule with numbers, one outcome after the other."""

import math
from collections.abc import Sequence


def identified(evidence: Sequence[float]) -> tuple[list[float], float]:
    """Prior times likelihood of each outcome, divided by their sum."""
    if not evidence:
        return [], 1.0
    weights = [0.5 / len(evidence) * math.exp(one) for one in evidence]
    total = sum(weights) + 0.5
    return [weight / total for weight in weights], 0.5 / total

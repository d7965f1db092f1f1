"""From log odds to probabilities, without overflow."""

import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]


def probability(log_odds: Float64Array | float) -> Float64Array:
    """Of what has these log odds (nat), against all else.

    >>> probability(0.0).item(), probability(-1e9).item() < 1e-200
    (0.5, True)
    """
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(log_odds, -500.0, 500.0))), np.float64)


def shares(log_odds: Float64Array) -> Float64Array:
    """Probabilities (..., m) of m that exclude each other, from log odds (..., m) against a common one of them or of
    others; -inf is impossible, and one at least is possible.

    >>> shares(np.array([0.0, 0.0, -np.inf])).tolist()
    [0.5, 0.5, 0.0]
    """
    weights = np.exp(log_odds - log_odds.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True), np.float64)


_PERSON = 2.0
"""Tracklets from which on an identity is rather a person than a fragment of one."""


def persons(sizes: NDArray[np.int64]) -> Float64Array:
    """How probably identities of so many tracklets are people of their own, and somebody is one of them rather than
    anybody else before anything is seen.

    >>> persons(np.array([1, 2, 18])).round(2).tolist()
    [0.33, 0.5, 0.9]
    """
    some = np.maximum(sizes, 1)
    return np.asarray(some / (some + _PERSON), np.float64)

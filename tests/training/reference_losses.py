"""The losses of re-ID training again, one image after the other."""

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Labels = NDArray[np.int64]


def batch_hard_triplet(features: Array, people: Labels, *, margin: float) -> float:
    terms = []
    for i in range(len(features)):
        same = [math.dist(features[i], features[j]) for j in range(len(features)) if people[j] == people[i]]
        other = [math.dist(features[i], features[j]) for j in range(len(features)) if people[j] != people[i]]
        if not other:
            return 0.0
        terms.append(max(0.0, margin + max(same) - min(other)))
    return sum(terms) / len(terms) if terms else 0.0


def smoothed_cross_entropy(logits: Array, people: Labels, *, smoothing: float) -> float:
    terms = []
    for row, person in zip(logits, people, strict=True):
        total = sum(math.exp(value - max(row)) for value in row)
        for index, value in enumerate(row):
            target = smoothing / len(row) + (1 - smoothing if index == person else 0.0)
            terms.append(-target * (value - max(row) - math.log(total)))
    return sum(terms) / len(logits) if len(logits) else 0.0


def center(features: Array, people: Labels, centers: Array) -> float:
    squares = [math.dist(row, centers[person]) ** 2 for row, person in zip(features, people, strict=True)]
    return 0.5 * sum(squares) / len(squares) if squares else 0.0


def moved_centers(features: Array, people: Labels, centers: Array, *, rate: float) -> Array:
    moved = centers.copy()
    for person in range(len(centers)):
        own = [row for row, name in zip(features, people, strict=True) if name == person]
        difference = sum((centers[person] - row for row in own), np.zeros(centers.shape[1]))
        moved[person] = centers[person] - rate * difference / (1 + len(own))
    return moved


def info_nce(queries: Array, keys: Array, others: Array, *, known_same: NDArray[np.bool_], temperature: float) -> float:
    terms = []
    for i in range(len(queries)):
        own = math.exp(float(queries[i] @ keys[i]) / temperature)
        strange = [
            math.exp(float(queries[i] @ others[j]) / temperature) for j in range(len(others)) if not known_same[i, j]
        ]
        terms.append(-math.log(own / (own + sum(strange))))
    return sum(terms) / len(terms) if terms else 0.0

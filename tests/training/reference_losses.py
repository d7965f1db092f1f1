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


def batch_contrast(features: Array, people: Labels, asked: NDArray[np.bool_], *, temperature: float) -> float:
    terms = []
    for i in range(len(features)):
        near = [math.exp(float(features[i] @ other) / temperature) for other in features]
        own = [near[j] for j in range(len(features)) if people[j] == people[i] and j != i]
        strange = sum(near[j] for j in range(len(features)) if people[j] != people[i])
        if asked[i] and own:
            terms.append(sum(-math.log(each / (each + strange)) for each in own) / len(own))
    return sum(terms) / len(terms) if terms else 0.0


def softmax(values: list[float]) -> list[float]:
    total = sum(math.exp(value - max(values)) for value in values)
    return [math.exp(value - max(values)) / total for value in values]


def soft_cross_entropy(logits: Array, told: Array) -> float:
    terms = []
    for row, other in zip(logits.tolist(), told.tolist(), strict=True):
        targets, found = softmax(other), softmax(row)
        terms.append(-sum(target * math.log(value) for target, value in zip(targets, found, strict=True)))
    return sum(terms) / len(terms) if terms else 0.0


def soft_triplet(features: Array, told: Array | None, people: Labels) -> float:
    """Without `told`, the other person must be the farther one."""
    terms = []
    for i in range(len(features)):
        same = [j for j in range(len(features)) if people[j] == people[i]]
        other = [j for j in range(len(features)) if people[j] != people[i]]
        if not other:
            return 0.0
        far = max(same, key=lambda j: _distance(features, i, j))
        near = min(other, key=lambda j: _distance(features, i, j))
        found = softmax([_distance(features, i, far), _distance(features, i, near)])
        target = [0.0, 1.0] if told is None else softmax([_distance(told, i, far), _distance(told, i, near)])
        terms.append(-sum(want * math.log(value) for want, value in zip(target, found, strict=True)))
    return sum(terms) / len(terms) if terms else 0.0


def hybrid(features: Array, memory: Array, classes: Labels, rows: Labels, *, temperature: float) -> float:
    """Of unit `features` of the pictures `rows` against the classes of all that is remembered."""
    terms = []
    for feature, row in zip(features, rows, strict=True):
        attraction = []
        for name in range(int(classes.max()) + 1):
            own = [float(feature @ picture) for picture, of in zip(memory, classes, strict=True) if of == name]
            attraction.append(sum(own) / len(own) / temperature)
        terms.append(-math.log(softmax(attraction)[int(classes[row])]))
    return sum(terms) / len(terms)


def _distance(features: Array, i: int, j: int) -> float:
    first, second = (features[row] / np.linalg.norm(features[row]) for row in (i, j))
    return math.dist(first, second)


def relations(features: Array, reference: Array, *, temperature: float) -> float:
    total = 0.0
    for i in range(len(features)):
        others = [j for j in range(len(features)) if j != i]
        found, asked = (_likeness(rows, i, others, temperature) for rows in (features, reference))
        total += sum(q * math.log(q / p) for p, q in zip(found, asked, strict=True))
    return total / len(features)


def _likeness(rows: Array, i: int, others: list[int], temperature: float) -> list[float]:
    cosines = [float(rows[i] @ rows[j]) / math.hypot(*rows[i]) / math.hypot(*rows[j]) for j in others]
    weights = [math.exp(cosine / temperature) for cosine in cosines]
    return [weight / sum(weights) for weight in weights]

"""A naive twin of passerby.features.people: every person is the list of their tracklets, every distance a double loop.

Weights are not capped, and nobody is forgotten.
"""

import numpy as np


class NaivePeople:
    def __init__(self, *, limit):
        self.limit = limit
        self.people = []  # Lists of (vector, quality), least recently seen first.

    def see(self, vector, *, quality):
        tracklet = [(vector.astype(np.float64), quality)]
        nearest = self._nearest(tracklet, self.people)
        if nearest is None:
            self.people.append(tracklet)
            return
        joined = self.people.pop(nearest) + tracklet
        twin = self._nearest(joined, self.people)
        if twin is not None:
            joined = joined + self.people.pop(twin)
        self.people.append(joined)

    def summary(self):
        for person in self.people:
            weight = sum(quality for _, quality in person)
            yield sum(quality * vector for vector, quality in person) / weight, weight

    def _nearest(self, group, people):
        distances = [self._distance(group, person) for person in people]
        if not distances or min(distances) > self.limit:
            return None
        return distances.index(min(distances))

    def _distance(self, first, second):
        total = sum(p * q * ((a - b) ** 2).sum() for a, p in first for b, q in second)
        return total / (sum(p for _, p in first) * sum(q for _, q in second))

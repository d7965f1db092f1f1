"""Who has been seen by one camera: counts people, not frames and not the tracklets of one loiterer."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array

MAX_PEOPLE = 128
"""People remembered per camera. The least recently seen goes first, so that the statistics follow the seasons."""

MAX_OPEN_TRACKLETS = 256
"""Tracklets per camera that may still be replaced; the oldest is settled into its person for good."""

_MAX_SETTLED_WEIGHT = 8.0
"""Settled tracklets weigh at most so much together, so that a person's mean follows a change of clothes."""

Float64Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PeopleSeen:
    """The people of one camera; row i of each array is one person, least recently seen first.

    `means` (p, d) float32, raw; `weights` (p,) float64, positive: the summed quality of a person's tracklets.
    """

    means: Float32Array
    weights: Float64Array

    def __len__(self) -> int:
        return len(self.weights)


@dataclass(slots=True)
class _Person:
    """Settled tracklets as one weighted mean, open ones by key; `mean` (d,) and `weight` over all of them."""

    mean: Float32Array
    weight: float
    settled_mean: Float32Array
    settled_weight: float
    open_tracklets: dict[Hashable, tuple[Float32Array, float]] = field(default_factory=dict)

    def open(self, key: Hashable, embedding: Float32Array, *, quality: float) -> None:
        self.open_tracklets[key] = (embedding, quality)
        self._update()

    def withdraw(self, key: Hashable) -> None:
        del self.open_tracklets[key]
        self._update()

    def settle(self, key: Hashable) -> None:
        self._settle(*self.open_tracklets.pop(key))
        self._update()

    def absorb(self, other: "_Person") -> None:
        self._settle(other.settled_mean, other.settled_weight)
        self.open_tracklets.update(other.open_tracklets)
        self._update()

    def _settle(self, mean: Float32Array, weight: float) -> None:
        together = self.settled_weight + weight
        if together > 0:
            self.settled_mean = self.settled_mean + np.float32(weight / together) * (mean - self.settled_mean)
        self.settled_weight = min(together, _MAX_SETTLED_WEIGHT)

    def _update(self) -> None:
        self.weight = self.settled_weight + sum(quality for _, quality in self.open_tracklets.values())
        if self.weight > 0:
            total = self.settled_weight * self.settled_mean.astype(np.float64)
            for embedding, quality in self.open_tracklets.values():
                total += quality * embedding.astype(np.float64)
            self.mean = (total / self.weight).astype(np.float32)


class People:
    """The people of one camera, from its tracklets.

    A tracklet whose embedding is within `same_person_distance(embedding)` (squared Euclidean) of a person's mean
    belongs to that person, otherwise to a new one; two people whose means come that close become one. Memory is bounded
    by MAX_PEOPLE and MAX_OPEN_TRACKLETS; the same calls give the same people.
    """

    def __init__(
        self, dimension: int, *, same_person_distance: Callable[[Float32Array], float], known: PeopleSeen | None = None
    ) -> None:
        self._dimension = dimension
        self._same_person_distance = same_person_distance
        self._people: dict[int, _Person] = {}  # Least recently seen first.
        self._person_of: dict[Hashable, int] = {}  # Of open tracklets, least recently observed first.
        self._next_number = 0
        if known is not None:
            for mean, weight in zip(known.means, known.weights.tolist(), strict=True):
                self._add(_Person(mean, weight, settled_mean=mean, settled_weight=weight))

    def __len__(self) -> int:
        return len(self._people)

    def seen(self) -> PeopleSeen:
        """Everybody, as arrays; nobody gives (0, d) and (0,)."""
        people = list(self._people.values())
        means = np.stack([person.mean for person in people]) if people else np.zeros((0, self._dimension), np.float32)
        return PeopleSeen(means, np.array([person.weight for person in people], np.float64))

    def observe(self, key: Hashable, embedding: Float32Array, *, quality: float) -> None:
        """A tracklet (d,) float32 of positive quality: new or, under a key used lately, in place of what it was."""
        self._withdraw(key)
        limit = self._same_person_distance(embedding)
        number = self._nearest(embedding, within=limit)
        person = self._people.pop(number) if number is not None else _nobody(embedding)
        person.open(key, embedding, quality=quality)
        number = self._add(person)
        twin = self._nearest(person.mean, within=limit, besides=number)
        if twin is not None:
            person.absorb(self._people.pop(twin))
            self._point_open_tracklets(person, number)
        self._enforce_bounds()

    def _nearest(self, embedding: Float32Array, *, within: float, besides: int | None = None) -> int | None:
        numbers = [number for number in self._people if number != besides]
        if not numbers:
            return None
        means = np.stack([self._people[number].mean for number in numbers]).astype(np.float64)
        distances = ((means - embedding) ** 2).sum(axis=1)
        best = int(distances.argmin())
        return numbers[best] if distances[best] <= within else None

    def _add(self, person: _Person) -> int:
        """Put a person last, as seen just now, under a new number."""
        number = self._next_number
        self._next_number += 1
        self._people[number] = person
        self._point_open_tracklets(person, number)
        return number

    def _point_open_tracklets(self, person: _Person, number: int) -> None:
        for key in person.open_tracklets:
            self._person_of[key] = number

    def _withdraw(self, key: Hashable) -> None:
        number = self._person_of.pop(key, None)
        if number is None:
            return
        self._people[number].withdraw(key)
        if self._people[number].weight <= 0:
            del self._people[number]

    def _enforce_bounds(self) -> None:
        while len(self._person_of) > MAX_OPEN_TRACKLETS:
            key = next(iter(self._person_of))
            self._people[self._person_of.pop(key)].settle(key)
        while len(self._people) > MAX_PEOPLE:
            gone = self._people.pop(next(iter(self._people)))
            for key in gone.open_tracklets:
                del self._person_of[key]


def _nobody(embedding: Float32Array) -> _Person:
    nothing = np.zeros_like(embedding)
    return _Person(nothing, 0.0, settled_mean=nothing, settled_weight=0.0)

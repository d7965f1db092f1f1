"""Who has been seen by one camera: counts people, not frames and not the tracklets of one loiterer."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array

MAX_PEOPLE = 128
"""People remembered per camera. The least recently seen goes first, so that the statistics follow the seasons."""

MAX_OPEN_TRACKLETS = 128
"""Tracklets per camera that may still be replaced; the oldest is settled into its person for good."""

_MAX_SETTLED_WEIGHT = 8.0
"""Settled tracklets weigh at most so much together, so that a person's mean follows a change of clothes."""

Float64Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PeopleSeen:
    """The people of one camera; row i of each array is one person, least recently seen first.

    `means` (p, d) float32, raw; `weights` (p,) float64, positive: the summed quality of a person's tracklets;
    `energies` (p,) float64: the mean squared length of these tracklets.
    """

    means: Float32Array
    weights: Float64Array
    energies: Float64Array

    def __len__(self) -> int:
        return len(self.weights)


@dataclass(slots=True)
class _Group:
    """Tracklets as their weighted mean (d,), summed weight, and mean squared length."""

    mean: Float32Array
    weight: float
    energy: float

    @property
    def scatter(self) -> float:
        """Mean squared distance of the tracklets to their mean."""
        return max(0.0, self.energy - float((self.mean.astype(np.float64) ** 2).sum()))

    def joined(self, other: "_Group") -> "_Group":
        weight = self.weight + other.weight
        if weight == 0.0:
            return self
        share = other.weight / weight
        mean = self.mean + np.float32(share) * (other.mean - self.mean)
        return _Group(mean, weight, self.energy + share * (other.energy - self.energy))


@dataclass(slots=True)
class _Person:
    """Settled tracklets as one group, open ones by key; `whole` is all of them."""

    settled: _Group
    whole: _Group
    open_tracklets: dict[Hashable, _Group] = field(default_factory=dict)

    def open(self, key: Hashable, tracklet: _Group) -> None:
        self.open_tracklets[key] = tracklet
        self._update()

    def withdraw(self, key: Hashable) -> None:
        del self.open_tracklets[key]
        self._update()

    def settle(self, key: Hashable) -> None:
        self._settle(self.open_tracklets.pop(key))
        self._update()

    def absorb(self, other: "_Person") -> None:
        self._settle(other.settled)
        self.open_tracklets.update(other.open_tracklets)
        self._update()

    def _settle(self, group: _Group) -> None:
        self.settled = self.settled.joined(group)
        self.settled.weight = min(self.settled.weight, _MAX_SETTLED_WEIGHT)

    def _update(self) -> None:
        self.whole = self.settled
        for tracklet in self.open_tracklets.values():
            self.whole = self.whole.joined(tracklet)


class People:
    """The people of one camera, from its tracklets.

    Average linkage, as tracklets come: a tracklet joins the person whose tracklets are nearest to it, on average over
    them, if that squared Euclidean distance is within `same_person_distance(embedding)`; otherwise it is somebody new.
    Two people who come that close become one. (Distances to means instead would let a group that is once mixed
    attract everybody.) Memory is bounded by MAX_PEOPLE and MAX_OPEN_TRACKLETS; the same calls give the same people.
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
            for mean, weight, energy in zip(known.means, known.weights, known.energies, strict=True):
                group = _Group(mean, float(weight), float(energy))
                self._add(_Person(settled=group, whole=group))

    def __len__(self) -> int:
        return len(self._people)

    def seen(self) -> PeopleSeen:
        """Everybody, as arrays; nobody gives (0, d), (0,) and (0,)."""
        groups = [person.whole for person in self._people.values()]
        return PeopleSeen(
            np.stack([group.mean for group in groups]) if groups else np.zeros((0, self._dimension), np.float32),
            np.array([group.weight for group in groups], np.float64),
            np.array([group.energy for group in groups], np.float64),
        )

    def observe(self, key: Hashable, embedding: Float32Array, *, quality: float) -> None:
        """A tracklet (d,) float32 of positive quality: new or, under a key used lately, in place of what it was."""
        self._withdraw(key)
        limit = self._same_person_distance(embedding)
        tracklet = _Group(embedding, quality, float((embedding.astype(np.float64) ** 2).sum()))
        number = self._nearest(tracklet, within=limit)
        person = self._people.pop(number) if number is not None else self._nobody()
        person.open(key, tracklet)
        number = self._add(person)
        twin = self._nearest(person.whole, within=limit, besides=number)
        if twin is not None:
            person.absorb(self._people.pop(twin))
            self._point_open_tracklets(person, number)
        self._enforce_bounds()

    def forget(self, embeddings: Float32Array) -> int:
        """Let nothing be left of the people who look like any of these tracklets (n, d); gives how many they were.

        Others who look alike go with them: too much forgotten only makes the statistics younger.
        """
        gone = []
        for number, person in self._people.items():
            distances = ((embeddings.astype(np.float64) - person.whole.mean) ** 2).sum(axis=1) + person.whole.scatter
            if any(
                distance <= self._same_person_distance(e) for e, distance in zip(embeddings, distances, strict=True)
            ):
                gone.append(number)
        for number in gone:
            for key in self._people.pop(number).open_tracklets:
                del self._person_of[key]
        return len(gone)

    def _nearest(self, group: _Group, *, within: float, besides: int | None = None) -> int | None:
        """Whose tracklets are nearest to those of `group`: mean over all pairs, which is the squared distance of the
        means plus both scatters."""
        numbers = [number for number in self._people if number != besides]
        if not numbers:
            return None
        others = [self._people[number].whole for number in numbers]
        means = np.stack([other.mean for other in others]).astype(np.float64)
        distances = ((means - group.mean) ** 2).sum(axis=1)
        distances += group.scatter + np.array([other.scatter for other in others])
        best = int(distances.argmin())
        return numbers[best] if distances[best] <= within else None

    def _nobody(self) -> _Person:
        nothing = _Group(np.zeros(self._dimension, np.float32), 0.0, 0.0)
        return _Person(settled=nothing, whole=nothing)

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
        if self._people[number].whole.weight == 0.0:
            del self._people[number]

    def _enforce_bounds(self) -> None:
        while len(self._person_of) > MAX_OPEN_TRACKLETS:
            key = next(iter(self._person_of))
            self._people[self._person_of.pop(key)].settle(key)
        while len(self._people) > MAX_PEOPLE:
            gone = self._people.pop(next(iter(self._people)))
            for key in gone.open_tracklets:
                del self._person_of[key]

"""Who has been seen by one camera: counts people, not frames and not the tracklets of one loiterer."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, Int64Array

MAX_PEOPLE = 128
"""People remembered per camera. The least recently seen goes first, so that the statistics follow the seasons."""

_MAX_WEIGHT = 8.0
"""A person's tracklets weigh at most so much together, so that a person's mean follows a change of clothes."""

_FIRST_CAPACITY = 8

Float64Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Person:
    """Tracklets that look like one person.

    `mean` (d,) float32, raw; `weight` their summed quality, `energy` their mean squared length; `seen_at_ns` when the
    latest of them began; `order` grows with each sighting of anybody, and says who was seen lately.
    """

    mean: Float32Array
    weight: float
    energy: float
    seen_at_ns: int
    order: int


@dataclass(frozen=True, slots=True)
class PeopleSeen:
    """The people of one camera; row i of each array is one person, in no order.

    `means` (p, d) float64, raw; `weights` (p,) float64: the summed quality of a person's tracklets, 0 where there is
    no person in that row; `energies` (p,) float64: the mean squared length of these tracklets.
    """

    means: Float64Array
    weights: Float64Array
    energies: Float64Array


class People:
    """The people of one camera, from its tracklets.

    Average linkage, as tracklets come: a tracklet joins the person whose tracklets are nearest to it, on average over
    them, if that squared Euclidean distance is within the limit given with it; otherwise it is somebody new. Two people
    who come that close become one. (Distances to means instead would let a group that is once mixed attract everybody.)

    Each person has a slot, a row of the arrays, for as long as they are one and remembered; of free slots the lowest is
    taken, so that the same people in the same slots go on in the same way, to the last bit. `changed` names the slots
    whose person came, changed or went since it was last cleared. Memory is bounded by MAX_PEOPLE.
    """

    def __init__(self, dimension: int, *, known: Iterable[tuple[int, Person]] = ()) -> None:
        """`known` are the people of a former life, by their slots."""
        self._means = np.zeros((_FIRST_CAPACITY, dimension), np.float32)
        self._weights = np.zeros(_FIRST_CAPACITY)
        self._energies = np.zeros(_FIRST_CAPACITY)
        self._seen_at_ns = np.zeros(_FIRST_CAPACITY, np.int64)
        self._orders = np.full(_FIRST_CAPACITY, -1, np.int64)
        self._next_order = 0
        self.changed: set[int] = set()
        for slot, person in known:
            self._reserve(slot + 1)
            self._put(slot, person)
            self._next_order = max(self._next_order, person.order + 1)
        self.changed.clear()

    def __len__(self) -> int:
        return int((self._orders >= 0).sum())

    def seen(self) -> PeopleSeen:
        """Everybody, as arrays; nobody gives (0, d), (0,) and (0,)."""
        used = self._used()
        return PeopleSeen(self._means[:used].astype(np.float64), self._weights[:used], self._energies[:used])

    def latest_first(self) -> Int64Array:
        """Everybody's slot, who was seen last first."""
        order = np.argsort(-self._orders, kind="stable")
        return order[: len(self)].astype(np.int64)

    def rows(self, slots: Int64Array) -> Float64Array:
        """The mean embeddings (n, d) of the people in these slots."""
        return self._means[slots].astype(np.float64)

    def slots(self) -> Iterator[int]:
        """The slots that somebody is in, or was."""
        return iter(range(len(self._orders)))

    @property
    def latest_ns(self) -> int:
        """When the latest tracklet of those remembered began; 0 without any."""
        return int(self._seen_at_ns.max())

    def person(self, slot: int) -> Person | None:
        """Who is in a slot, if anybody."""
        return None if slot >= len(self._orders) or self._orders[slot] < 0 else self._at(slot)

    def observe(self, embedding: Float32Array, *, quality: float, at_ns: int, same_person_distance: float) -> bool:
        """Learn from a tracklet (d,) of positive quality; True if it is of somebody new.

        `same_person_distance` is the squared distance within which two tracklets are of one person.
        """
        used = self._used()
        means = self._means[:used].astype(np.float64)
        energy = float((embedding.astype(np.float64) ** 2).sum())
        tracklet = Person(embedding, quality, energy, at_ns, self._next_order)
        self._next_order += 1
        slot = self._nearest(tracklet, means, within=same_person_distance)
        if slot is None:
            self._begin(tracklet)
            return True
        person = _joined(self._at(slot), tracklet)
        self._put(slot, person)
        means[slot] = person.mean
        twin = self._nearest(person, means, within=same_person_distance, besides=slot)
        if twin is not None:
            self._put(slot, _joined(person, self._at(twin)))
            self._clear(twin)
        return False

    def like(self, embedding: Float32Array, *, same_person_distance: float) -> list[int]:
        """The slots of all people whose tracklets are within a squared distance of this one (d,), on average."""
        means = self._means[: self._used()].astype(np.float64)
        energy = float((embedding.astype(np.float64) ** 2).sum())
        tracklet = Person(embedding, 1.0, energy, 0, 0)
        near: list[int] = np.flatnonzero(self._distances(tracklet, means) <= same_person_distance).tolist()
        return near

    def adopt(self, people: Iterable[Person]) -> None:
        """Take over people of another group, in the order in which they were seen."""
        for person in sorted(people, key=lambda person: person.order):
            self._begin(Person(person.mean, person.weight, person.energy, person.seen_at_ns, self._next_order))
            self._next_order += 1

    def release(self, slots: Iterable[int]) -> list[Person]:
        """Let go of the people in these slots."""
        released = []
        for slot in slots:
            released.append(self._at(slot))
            self._clear(slot)
        # Where the latest have left, the count goes back with them, as it would after being stored and restored.
        self._next_order = int(self._orders.max()) + 1
        return released

    def _nearest(self, group: Person, means: Float64Array, *, within: float, besides: int = -1) -> int | None:
        """Whose tracklets are nearest to those of `group`."""
        distances = self._distances(group, means)
        if besides >= 0:
            distances[besides] = np.inf
        best = distances.min(initial=np.inf)
        if not best <= within:
            return None
        # Of several at the same distance, the one not seen for longest.
        tied = np.flatnonzero(distances == best)
        return int(tied[self._orders[tied].argmin()])

    def _distances(self, group: Person, means: Float64Array) -> Float64Array:
        """Between the tracklets of `group` and those of each slot (p,), mean over all pairs: the squared distance of
        the means plus both scatters. `means` (p, d) are those of the slots; infinity where nobody is."""
        used = len(means)
        difference = means - group.mean
        scatters = np.maximum(0.0, self._energies[:used] - np.einsum("pd,pd->p", means, means))
        own = float(np.einsum("d,d->", group.mean, group.mean, dtype=np.float64))
        scatters += max(0.0, group.energy - own)
        distances: Float64Array = np.einsum("pd,pd->p", difference, difference) + scatters
        distances[self._orders[:used] < 0] = np.inf
        return distances

    def _at(self, slot: int) -> Person:
        return Person(
            self._means[slot].copy(),
            float(self._weights[slot]),
            float(self._energies[slot]),
            int(self._seen_at_ns[slot]),
            int(self._orders[slot]),
        )

    def _begin(self, person: Person) -> None:
        free = np.flatnonzero(self._orders < 0)
        slot = int(free[0]) if len(free) else len(self._orders)
        self._reserve(slot + 1)
        self._put(slot, person)
        if len(self) > MAX_PEOPLE:
            orders = np.where(self._orders < 0, np.iinfo(np.int64).max, self._orders)
            self._clear(int(orders.argmin()))

    def _put(self, slot: int, person: Person) -> None:
        self._means[slot] = person.mean
        self._weights[slot] = person.weight
        self._energies[slot] = person.energy
        self._seen_at_ns[slot] = person.seen_at_ns
        self._orders[slot] = person.order
        self.changed.add(slot)

    def _clear(self, slot: int) -> None:
        self._means[slot] = 0.0
        self._weights[slot] = self._energies[slot] = 0.0
        self._seen_at_ns[slot] = 0
        self._orders[slot] = -1
        self.changed.add(slot)

    def _used(self) -> int:
        """Slots up to the last person: what a restart would find, whoever was in later ones."""
        taken = np.flatnonzero(self._orders >= 0)
        return int(taken[-1]) + 1 if len(taken) else 0

    def _reserve(self, capacity: int) -> None:
        former = len(self._orders)
        if capacity <= former:
            return
        more = max(former, capacity - former)
        self._means = np.concatenate([self._means, np.zeros((more, self._means.shape[1]), np.float32)])
        self._weights = np.concatenate([self._weights, np.zeros(more)])
        self._energies = np.concatenate([self._energies, np.zeros(more)])
        self._seen_at_ns = np.concatenate([self._seen_at_ns, np.zeros(more, np.int64)])
        self._orders = np.concatenate([self._orders, np.full(more, -1, np.int64)])


def _joined(person: Person, other: Person) -> Person:
    """Both as one, who was seen when `person` was."""
    weight = person.weight + other.weight
    share = other.weight / weight
    return Person(
        person.mean + np.float32(share) * (other.mean - person.mean),
        min(weight, _MAX_WEIGHT),
        person.energy + share * (other.energy - person.energy),
        max(person.seen_at_ns, other.seen_at_ns),
        max(person.order, other.order),
    )

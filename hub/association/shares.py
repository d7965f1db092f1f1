"""Where the variance of embeddings comes from: persons, cameras, tracklets, pictures; expected, and measured."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import overload

import msgspec
import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Int64Array
from passerby.ids import ModelId

Float64Array = NDArray[np.float64]

_KNOWN_PAIRS = 2000.0
"""What is expected of a network that was measured counts as much as so many pairs of the site: most of these are of a
few people who meet again and again."""

_PRIOR_SEEN = 4.0
"""And as so many pairs of people who are seen together now."""

_MEMORY_PAIRS = 4000.0
"""Pairs after which older ones fade."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Where the variance of a model's embeddings comes from: shares of a tracklet's, which are together about 1."""

    person: float = 0.34
    in_camera: float = 0.25
    """What of a person changes with the camera and stays within it."""
    tracklet: float = 0.32
    picture: float = 0.44
    """Of a single picture; n pictures average it to 1 / n."""
    brief: float = 0.0
    """Of a tracklet of one picture, besides; of more of them less, and nothing from `whole` on. Who is seen so briefly
    is mostly half hidden."""
    whole: float = 5.0
    """Pictures of a tracklet that was there for long enough to be seen whole."""
    axes: float = 55.0
    """Effective dimensions: 1 / variance of the cosine of two people."""
    common: float = 0.12
    """Mean lifted similarity of two people."""
    pairs: float = 60.0
    """All this counts as much as so many pairs measured on the site."""

    def where_most_have(self, pictures: int) -> "Shares":
        """Where no tracklet has had more than so many pictures: an edge may be told to keep fewer of each."""
        return replace(self, whole=min(self.whole, max(float(pictures), 1.0)))

    def seeing(self, two_people: Sequence[float]) -> "Shares":
        """With the lifted similarities of people who are seen together for what is common to all: as long as a camera
        has seen few, to take away what these have in common takes away much of each of them too."""
        common = (sum(two_people) + _PRIOR_SEEN * self.common) / (len(two_people) + _PRIOR_SEEN)
        return replace(self, common=min(max(common, 0.0), 0.9))

    @overload
    def noise(self, pictures: float) -> float: ...
    @overload
    def noise(self, pictures: Int64Array) -> Float64Array: ...
    def noise(self, pictures: float | Int64Array) -> float | Float64Array:
        """What of a tracklet of so many pictures says nothing of the person, on the scale of the shares."""
        shown = np.maximum(pictures, 1.0)
        missing = np.maximum(self.whole - shown, 0.0) / max(self.whole - 1.0, 1.0)
        return self.tracklet + self.picture / shown + self.brief * missing**2

    def energy(self, pictures: float) -> float:
        """Mean squared length of such a tracklet."""
        return self.person + self.in_camera + self.noise(pictures)


_SHARES = {
    "person-reidentification-retail-0288": Shares(brief=2.0, common=0.30, pairs=_KNOWN_PAIRS),
    "like-retail-0288": Shares(pairs=_KNOWN_PAIRS),
    "passerby-sim-reid": Shares(
        person=0.52, in_camera=0.20, tracklet=0.06, picture=1.10, brief=0.3, axes=24.0, common=0.44, pairs=_KNOWN_PAIRS
    ),
    "person-reidentification-retail-0277": Shares(
        person=0.43, in_camera=0.21, tracklet=0.28, picture=0.40, brief=2.0, common=0.30, pairs=_KNOWN_PAIRS
    ),
    "like-retail-0277": Shares(person=0.43, in_camera=0.21, tracklet=0.28, picture=0.40, pairs=_KNOWN_PAIRS),
}
"""Read off labelled crops; the default serves for other networks until a site has been measured.

`brief` is that of films of crowded corridors, where a tracklet of one picture has a half of what it should have in
common with others of its person (0.46 to 0.61 of it with the first network, 0.68 with `passerby-sim-reid`; the other
one for retail is taken to be like the first). Simulated tapes have nothing of the kind.

What is common to all is that of real films (0.27 to 0.43): before the first people are known, one room makes all alike.
"""


def shares_of(model_id: ModelId) -> Shares:
    """The shares of a model by its name; of an unknown one, those of a weak network."""
    return _SHARES.get(model_id.split("@", maxsplit=1)[0], Shares())


class Mean(msgspec.Struct):
    """A running mean and variance of similarities."""

    count: float = 0.0
    mean: float = 0.0
    scatter: float = 0.0

    def learn(self, value: float) -> None:
        """Take one more (Welford 1962)."""
        if self.count >= _MEMORY_PAIRS:
            self.count, self.scatter = self.count / 2.0, self.scatter / 2.0
        self.count += 1.0
        away = value - self.mean
        self.mean += away / self.count
        self.scatter += away * (value - self.mean)

    def towards(self, expected: float, *, pairs: float) -> float:
        """The mean, drawn to what was expected, which counts as much as so many `pairs`."""
        return (self.count * self.mean + pairs * expected) / (self.count + pairs)


class MeasuredShares(msgspec.Struct):
    """Lifted similarities of tracklets of which the hub knows, not from their looks, whether they are one person."""

    impostors: Mean = msgspec.field(default_factory=Mean)
    own: Mean = msgspec.field(default_factory=Mean)
    """Of one person in one camera."""
    other: Mean = msgspec.field(default_factory=Mean)
    """Of one person in two cameras."""

    def shares(self, expected: Shares) -> Shares:
        """The shares of this site, near the `expected` ones of the model while little is known."""
        common = min(max(self.impostors.towards(expected.common, pairs=expected.pairs), 0.0), 0.9)
        usual = (1.0 - expected.common) ** 2 / expected.axes
        variance = (self.impostors.scatter + expected.pairs * usual) / (self.impostors.count + expected.pairs)
        person = self._without(common, self.other, expected.person, expected)
        staying = self._without(common, self.own, expected.person + expected.in_camera, expected)
        person = min(max(person, 0.05), 0.85)
        staying = min(max(staying, person + 0.02), 0.95)
        scale = (1.0 - staying) / float(expected.noise(5.0))
        return replace(
            expected,
            person=person,
            in_camera=staying - person,
            tracklet=expected.tracklet * scale,
            picture=expected.picture * scale,
            brief=expected.brief * scale,
            axes=(1.0 - common) ** 2 / variance,
            common=common,
        )

    @staticmethod
    def _without(common: float, measured: Mean, share: float, expected: Shares) -> float:
        """A mean similarity without what everybody has in common."""
        lifted = measured.towards(share * (1.0 - expected.common) + expected.common, pairs=expected.pairs)
        return (lifted - common) / (1.0 - common)

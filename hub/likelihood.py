"""How probable it is that a tracklet is an identity's: looks, place, movement, as log-likelihood ratios that add up."""

import itertools
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hub.association.appearance import Known, fit, predict
from hub.association.calibration import Calibration
from hub.association.reasoning import Reasoning
from hub.exclusion import seen_together
from hub.link_terms import Asked, LinkTerms, Sources, link_terms
from hub.merge_terms import Ages, MergeTerms, fits_of_each, merge_terms
from hub.movement import Movement
from hub.neighbourhood import Neighbourhood
from hub.records import Tracklet, TrackletNumber
from hub.spaces import ModelSpace
from hub.state import SiteState
from hub.strays import strays_between
from passerby.arrays import Float32Array
from passerby.ids import IdentityId

Float64Array = NDArray[np.float64]

SAME_WALK_NS = 30 * 10**9
"""Tracklets of one camera that follow each other so closely are alike for more reasons than the person."""

WELL_SEEN = 3
"""Pictures from which on a tracklet's mean is taken for what it looks like."""

_ALIKE = 1.5
"""The most (nat) that is believed of two tracklets' looking alike which are near in time."""

_MANY_PAIRS = 60
"""Pairs of people that the site has been taught, from which on it needs not look at those who are there now."""

_MOST_COMPARED = 40
"""Tracklets that are looked at for them, the latest."""


def judge_of(state: SiteState, space: ModelSpace, *, reasoning: Reasoning | None) -> "Judge | None":
    """A judge for one round; None where nobody wants one."""
    return None if reasoning is None else Judge(state, space, reasoning=reasoning)


class Judge:
    """Weighs tracklets of one model against identities, with what the site has taught, during one round."""

    def __init__(self, state: SiteState, space: ModelSpace, *, reasoning: Reasoning) -> None:
        self._state = state
        self._space = space
        knowledge = state.knowledge
        self._calibration = knowledge.calibration(space.model_id) if reasoning.calibrated else Calibration()
        self._movement = Movement(knowledge.topology, asked=reasoning.movement)
        self._standing_by_camera: dict[IdentityId, list[Tracklet]] = {}
        self._standing_by_age: dict[IdentityId, list[Tracklet]] = {}
        self.around = Neighbourhood(state, place=reasoning.place, mistaken=self._calibration.mistaken)
        """Who was near in time and place."""
        self._shares = self._calibration.shares(space.model_id, two_people=self._likeness_of_two())
        self._sources = Sources(
            standing=self._by_camera,
            units=space.prototypes,
            shares=self._shares,
            calibration=self._calibration,
            movement=self._movement,
            around=self.around,
        )

    def _likeness_of_two(self) -> list[float]:
        """Similarities of people whom one camera sees together now, as long as few such pairs have been learned."""
        if self._calibration.measured.impostors.count >= _MANY_PAIRS:
            return []
        mine = [t for t in self.around.recent.values() if t.model_id == self._space.model_id]
        seen = [t for t in mine if t.exemplars >= WELL_SEEN][-_MOST_COMPARED:]
        return [
            float((self.unit(one) * self.unit(other)).sum())
            for one, other in itertools.combinations(seen, 2)
            if seen_together(one, other)
        ]

    def unit(self, tracklet: Tracklet) -> Float32Array:
        """A tracklet's lifted unit (d,)."""
        return self._space.unit_of(tracklet)

    def terms(self, asked: Sequence[Asked]) -> LinkTerms:
        """The evidence for each identity that each tracklet may be but for place; nothing of those of whom nothing else
        is known."""
        return link_terms(asked, self._sources)

    def merge_odds(
        self, pairs: Collection[tuple[IdentityId, IdentityId]]
    ) -> dict[tuple[IdentityId, IdentityId], float]:
        """Logarithms of the odds of two identities being one person; -inf where nothing stands for one of them,
        or they are two for sure."""
        terms = self.merge_terms(pairs)
        return {pair: terms[pair].log_odds if pair in terms else -np.inf for pair in pairs}

    def merge_terms(
        self, pairs: Collection[tuple[IdentityId, IdentityId]]
    ) -> dict[tuple[IdentityId, IdentityId], MergeTerms]:
        """The evidence for two identities being one person, from all that stands for them; without the pairs of which
        nothing stands for one, and those who are two people for sure."""
        ages: dict[tuple[IdentityId, IdentityId], Ages] = {}
        strays: list[tuple[TrackletNumber, ...]] = []
        for pair in pairs:
            left = strays_between(self._state, *pair) if all(self._standing(one) for one in pair) else None
            if left is not None:
                standing = [[t for t in self._standing(one) if t.number not in left] for one in pair]
                if all(standing):
                    first, second = ([t for t in self._state.members(one) if t.number not in left] for one in pair)
                    ages[pair] = Ages.of(*standing, walked=(first, second))
                    strays.append(left)
        terms = merge_terms(list(ages.values()), self._sources)
        stray = float(np.log(self._calibration.mistaken))
        return {
            pair: replace(one, apart=one.apart + stray * len(left), strays=left)
            for pair, one, left in zip(ages, terms, strays, strict=True)
        }

    def likenesses(self, pairs: Sequence[tuple[Tracklet, Tracklet]]) -> Float64Array:
        """The evidence of looks (k,) for each two tracklets near in time being one person, by each other alone; 0 for
        those of another model.

        That they look alike says little, as light and pose are the same for both.
        """
        told = np.zeros(len(pairs))
        mine = [i for i, pair in enumerate(pairs) if all(t.model_id == self._space.model_id for t in pair)]
        if not mine:
            return told
        shown = list({t.number: t for i in mine for t in pairs[i]}.values())
        row_of = {t.number: row for row, t in enumerate(shown)}
        units = np.stack([self.unit(t) for t in shown])
        firsts, seconds = zip(*([row_of[t.number] for t in pairs[i]] for i in mine), strict=True)
        found = fits_of_each(shown, units, seconds, [[first] for first in firsts], shares=self._shares)
        seen_here = np.array([pairs[i][0].camera_id == pairs[i][1].camera_id for i in mine])
        looks = self._calibration.evidences(found, seen_here=seen_here)
        told[mine] = np.minimum(looks, _ALIKE)
        return told

    def fit_elsewhere(
        self, tracklet: Tracklet, unit: Float32Array, *, identity_id: IdentityId, own: bool
    ) -> float | None:
        """The fit of looks without what follows too closely, and without the tracklet's own camera unless `own`.

        For calibration: pairs must be no easier than those that have to be decided. None where nothing is left.
        """
        kept = [
            t
            for t in self._prototypes(identity_id, tracklet)
            if (own or t.camera_id != tracklet.camera_id) and not _of_one_walk(t, tracklet)
        ]
        if not kept or (own and all(t.camera_id != tracklet.camera_id for t in kept)):
            return None
        prediction = predict(self._known(kept), tracklet.camera_id, shares=self._shares)
        return fit(prediction, unit, pictures=tracklet.exemplars, shares=self._shares)

    def similarities(
        self, tracklet: Tracklet, unit: Float32Array, *, identity_id: IdentityId
    ) -> list[tuple[bool, float]]:
        """Each prototype of an identity that is of another walk: whether of the same camera, and how like."""
        kept = [
            t
            for t in self._prototypes(identity_id, tracklet)
            if t.exemplars >= WELL_SEEN and not _of_one_walk(t, tracklet)
        ]
        if not kept or tracklet.exemplars < WELL_SEEN:
            return []
        units = self._space.prototypes([t.number for t in kept])
        return [
            (t.camera_id == tracklet.camera_id, float((one * unit).sum())) for t, one in zip(kept, units, strict=True)
        ]

    def most_alike(self, unit: Float32Array, others: list[Tracklet]) -> Tracklet:
        """Of some tracklets the one that looks most like a lifted unit (d,)."""
        return max(others, key=lambda t: (float((self.unit(t) * unit).sum()), t.number))

    def _prototypes(self, identity_id: IdentityId, tracklet: Tracklet) -> list[Tracklet]:
        return [t for t in self._state.prototypes(identity_id, self._space.model_id) if t.number != tracklet.number]

    def _standing(self, identity_id: IdentityId) -> list[Tracklet]:
        if identity_id not in self._standing_by_age:
            mine = self._state.prototypes(identity_id, self._space.model_id)
            self._standing_by_age[identity_id] = sorted(mine, key=lambda t: (t.started_at_ns, t.number))
        return self._standing_by_age[identity_id]

    def _by_camera(self, identity_id: IdentityId) -> list[Tracklet]:
        """What stands for an identity, those of each camera together."""
        if identity_id not in self._standing_by_camera:
            mine = self._state.prototypes(identity_id, self._space.model_id)
            self._standing_by_camera[identity_id] = sorted(mine, key=lambda t: (t.camera_id, t.number))
        return self._standing_by_camera[identity_id]

    def _known(self, prototypes: Sequence[Tracklet]) -> list[Known]:
        units = self._space.prototypes([t.number for t in prototypes])
        return [Known(t.camera_id, unit, t.exemplars) for t, unit in zip(prototypes, units, strict=True)]


def _of_one_walk(first: Tracklet, second: Tracklet) -> bool:
    return first.camera_id == second.camera_id and abs(first.started_at_ns - second.started_at_ns) <= SAME_WALK_NS

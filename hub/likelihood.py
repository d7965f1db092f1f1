"""How probable it is that a tracklet is an identity's: looks, place, movement, as log-likelihood ratios that add up."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.association.appearance import Known, fit, fit_of_sets, predict
from hub.association.calibration import Calibration
from hub.association.reasoning import Reasoning
from hub.association.standing import Standing, fits
from hub.movement import Movement
from hub.neighbourhood import Neighbourhood
from hub.records import Tracklet
from hub.spaces import ModelSpace
from hub.state import SiteState
from passerby.arrays import Float32Array, Int64Array
from passerby.ids import CameraId, IdentityId

Float64Array = NDArray[np.float64]

SAME_WALK_NS = 30 * 10**9
"""Tracklets of one camera that follow each other so closely are alike for more reasons than the person."""

WELL_SEEN = 3
"""Pictures from which on a tracklet's mean is taken for what it looks like."""

_STRAY = 0.1
"""How often what stands for an identity in one camera is somebody else's."""

_MOST_COMPARED = 6
"""Tracklets of the younger of two identities that are looked at, the latest."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Why a tracklet may be an identity's; natural logarithms of ratios against anybody else, or a stranger.

    `appearance`: looks; `movement`: rate of the identity's appearing here and now over that of strangers; `place`: on
    the spot where it was or is; `apart`: at most 0, in two views at once that never show one person. `fit` is what
    `appearance` was calibrated from, `seen_here` how.
    """

    appearance: float
    movement: float
    place: float
    apart: float
    fit: float
    seen_here: bool

    @property
    def log_odds(self) -> float:
        """All together."""
        return self.appearance + self.movement + self.place + self.apart


@dataclass(frozen=True, slots=True)
class MergeTerms:
    """Why two identities may be one person, in the same unit; of place the worst (at most 0) and the best (at least 0)
    that is said of any tracklet."""

    appearance: float
    movement: float
    worst_place: float
    best_place: float
    apart: float

    @property
    def place(self) -> float:
        """All that places say."""
        return self.worst_place + self.best_place

    @property
    def log_odds(self) -> float:
        """All together."""
        return self.appearance + self.movement + self.worst_place + self.best_place + self.apart


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
        self._shares = self._calibration.shares(space.model_id)
        self._movement = Movement(knowledge.topology, asked=reasoning.movement)
        self._standing_by_camera: dict[IdentityId, list[Tracklet]] = {}
        self._codes: dict[CameraId, int] = {}
        self.around = Neighbourhood(state, place=reasoning.place)
        """Who was near in time and place."""

    def unit(self, tracklet: Tracklet) -> Float32Array:
        """A tracklet's lifted unit (d,)."""
        return self._space.unit_of(tracklet)

    def terms(
        self,
        tracklet: Tracklet,
        unit: Float32Array,
        identities: Collection[IdentityId],
        *,
        beside: Sequence[Tracklet] = (),
        rivals: Sequence[Tracklet] = (),
    ) -> dict[IdentityId, Terms]:
        """The evidence for each of `identities` but for place, given the tracklet's lifted `unit`; without those of
        whom nothing else is known.

        What is said of tracklets that are perhaps `beside` it on one spot, whoever that is, or `rivals` that cannot be
        the same person, is not known of an identity if the tracklet is it.
        """
        left_out = {t.number for t in (tracklet, *beside, *rivals)}
        asked = sorted(identities)
        rows = [
            (owner, t)
            for owner, identity_id in enumerate(asked)
            for t in self._by_camera(identity_id)
            if t.number not in left_out
        ]
        owners, values, seen_here = self._fits(tracklet, unit, rows)
        elsewhere = self._fits(tracklet, unit, [(o, t) for o, t in rows if t.camera_id != tracklet.camera_id])
        across = dict(zip(elsewhere[0].tolist(), elsewhere[1].tolist(), strict=True))
        known = [asked[owner] for owner in owners.tolist()]
        lately = self.around.lately
        seen = [[t for t in (*self._by_camera(i), *lately.get(i, ())) if t.number not in left_out] for i in known]
        movement = self._movement.evidence(tracklet, seen, beside=beside)
        found = {}
        for owner, value, here, moved in zip(
            owners.tolist(), values.tolist(), seen_here.tolist(), movement.tolist(), strict=True
        ):
            identity_id = asked[owner]
            at_once = self.around.at_once(tracklet, lately.get(identity_id, ()))
            looks = self._calibration.evidence(value, seen_here=here)
            if here and (other := across.get(owner)) is not None:
                looks = doubted(looks, self._calibration.evidence(other, seen_here=False))
            found[identity_id] = Terms(
                appearance=looks,
                movement=moved,
                place=0.0,
                apart=self._movement.apart(tracklet, [t for t in at_once if t.number not in left_out]),
                fit=value,
                seen_here=here,
            )
        return found

    def _fits(
        self, tracklet: Tracklet, unit: Float32Array, rows: Sequence[tuple[int, Tracklet]]
    ) -> tuple[Int64Array, Float64Array, NDArray[np.bool_]]:
        """How well a tracklet fits what stands for each owner; `fits` says what is given."""
        standing = Standing(
            np.array([owner for owner, _ in rows], np.int64),
            np.array([self._code(t.camera_id) for _, t in rows], np.int64),
            np.array([t.exemplars for _, t in rows], np.int64),
            self._space.prototypes([t.number for _, t in rows]),
        )
        return fits(
            standing, unit, camera=self._code(tracklet.camera_id), pictures=tracklet.exemplars, shares=self._shares
        )

    def merge_odds(self, first: IdentityId, second: IdentityId) -> float:
        """Logarithm of the odds of two identities being one person; -inf where nothing stands for one of them."""
        terms = self.merge_terms(first, second)
        return -np.inf if terms is None else terms.log_odds

    def merge_terms(self, first: IdentityId, second: IdentityId) -> MergeTerms | None:
        """The evidence for two identities being one person, from all that stands for them; None where nothing does."""
        mine, theirs = self._standing(first), self._standing(second)
        if not mine or not theirs:
            return None
        older, younger = (mine, theirs) if mine[0].started_at_ns <= theirs[0].started_at_ns else (theirs, mine)
        younger = younger[-_MOST_COMPARED:]
        value = fit_of_sets(self._known(older), self._known(younger), shares=self._shares)
        seen_here = {t.camera_id for t in older} >= {t.camera_id for t in younger}
        places, apart = [0.0], [0.0]
        for t in younger:
            places.append(self.around.places(t, older))
            apart.append(self._movement.apart(t, self.around.at_once(t, older)))
        return MergeTerms(
            appearance=self._calibration.evidence(value, seen_here=seen_here),
            movement=float(self._movement.evidence(younger[0], [older])[0]),
            worst_place=min(places),
            best_place=max(places),
            apart=min(apart),
        )

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
        mine = self._state.prototypes(identity_id, self._space.model_id)
        return sorted(mine, key=lambda t: (t.started_at_ns, t.number))

    def _by_camera(self, identity_id: IdentityId) -> list[Tracklet]:
        """What stands for an identity, those of each camera together."""
        if identity_id not in self._standing_by_camera:
            mine = self._state.prototypes(identity_id, self._space.model_id)
            self._standing_by_camera[identity_id] = sorted(mine, key=lambda t: (self._code(t.camera_id), t.number))
        return self._standing_by_camera[identity_id]

    def _code(self, camera_id: CameraId) -> int:
        return self._codes.setdefault(camera_id, len(self._codes))

    def _known(self, prototypes: Sequence[Tracklet]) -> list[Known]:
        units = self._space.prototypes([t.number for t in prototypes])
        return [Known(t.camera_id, unit, t.exemplars) for t, unit in zip(prototypes, units, strict=True)]


def doubted(here: float, elsewhere: float) -> float:
    """Evidence (nat) of looks, with what stands for an identity in the tracklet's own camera and without it: that may
    be of somebody else, whose next tracklets then look like it too."""
    return float(np.logaddexp(np.log1p(-_STRAY) + here, np.log(_STRAY) + elsewhere))


def _of_one_walk(first: Tracklet, second: Tracklet) -> bool:
    return first.camera_id == second.camera_id and abs(first.started_at_ns - second.started_at_ns) <= SAME_WALK_NS

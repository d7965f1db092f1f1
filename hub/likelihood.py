"""How probable it is that a tracklet is an identity's: looks, place, movement, as log-likelihood ratios that add up."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from hub.association.appearance import Known, Prediction, fit, fit_of_sets, predict
from hub.association.calibration import Calibration
from hub.association.place import UNSEEN_NS
from hub.association.reasoning import Reasoning
from hub.association.shares import shares_of
from hub.exclusion import seen_together
from hub.paths import NOWHERE, Path
from hub.records import Tracklet, TrackletNumber
from hub.spaces import ModelSpace
from hub.state import SiteState
from passerby.arrays import Float32Array
from passerby.ids import CameraId, IdentityId

LATELY_NS = 60 * 10**9
"""Where somebody is and was is asked of tracklets that are open or had news so lately."""

_SAME_WALK_NS = 30 * 10**9
"""Tracklets of one camera that follow each other so closely are alike for more reasons than the person."""

_ONE_VIEW_NS = 1_500_000_000
"""To be seen in two views at once for less may be the clocks' doing."""

_WELL_SEEN = 3
"""Pictures from which on a tracklet's mean is taken for what it looks like."""

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
class Surroundings:
    """An identity's tracklets near in time: `places` on a floor that both views show, `at_once` in another view."""

    places: Sequence[Tracklet] = ()
    at_once: Sequence[Tracklet] = ()


NOBODY_NEAR = Surroundings()


def seen_last(tracklets: Collection[Tracklet], at_ns: int) -> Tracklet:
    """Of tracklets that began until `at_ns` the one that was seen last before it; of those still seen, the newest."""
    return max(tracklets, key=lambda t: (min(t.ended_at_ns, at_ns), t.started_at_ns, t.number))


def judge_of(state: SiteState, space: ModelSpace, *, reasoning: Reasoning | None) -> "Judge | None":
    """A judge for one round; None where nobody wants one."""
    return None if reasoning is None else Judge(state, space, reasoning=reasoning)


class Judge:
    """Weighs tracklets of one model against identities, with what the site has taught, during one round."""

    def __init__(self, state: SiteState, space: ModelSpace, *, reasoning: Reasoning) -> None:
        self._reasoning = reasoning
        self._state = state
        self._space = space
        self._knowledge = state.knowledge
        self._calibration = state.knowledge.calibration(space.model_id) if reasoning.calibrated else Calibration()
        self._shares = self._calibration.measured.shares(shares_of(space.model_id))
        self._predictions: dict[tuple[IdentityId, CameraId], Prediction] = {}
        self.lately: dict[IdentityId, list[Tracklet]] = {}
        """Identities with their tracklets of the last minute."""
        for t in state.lately(LATELY_NS):
            if t.identity_id is not None:
                self.lately.setdefault(t.identity_id, []).append(t)

    def unit(self, tracklet: Tracklet) -> Float32Array:
        """A tracklet's lifted unit (d,)."""
        return self._space.unit_of(tracklet)

    def surroundings(self, tracklet: Tracklet) -> dict[IdentityId, Surroundings]:
        """Who was near a tracklet in time."""
        return {i: found for i, others in self.lately.items() if (found := self._near(tracklet, others)) is not None}

    def _near(self, tracklet: Tracklet, others: Sequence[Tracklet]) -> Surroundings | None:
        floor = self._knowledge.floor
        places, at_once = [], []
        begin, end, camera_id = tracklet.started_at_ns, tracklet.ended_at_ns, tracklet.camera_id
        for other in others:
            gap_ns = max(other.started_at_ns, begin) - min(other.ended_at_ns, end)
            if gap_ns > UNSEEN_NS or other.number == tracklet.number:
                continue
            if other.camera_id == camera_id:
                places.append(other)
                continue
            if floor.mapped(other.camera_id, camera_id):
                places.append(other)
            if -gap_ns > _ONE_VIEW_NS + other.clock_error_ns + tracklet.clock_error_ns:
                at_once.append(other)
        return Surroundings(places, at_once) if places or at_once else None

    def terms(
        self, tracklet: Tracklet, unit: Float32Array, *, identity_id: IdentityId, near: Surroundings
    ) -> Terms | None:
        """The evidence for one identity, given the tracklet's lifted `unit`; None where nothing else of it is known."""
        prototypes = self._prototypes(identity_id, tracklet)
        if not prototypes:
            return None
        present = [t for t in self.lately.get(identity_id, ()) if t.number != tracklet.number]
        prediction = self._prediction(identity_id, prototypes, tracklet)
        value = fit(prediction, unit, pictures=tracklet.exemplars, shares=self._shares)
        return Terms(
            appearance=self._calibration.evidence(value, seen_here=prediction.seen_here),
            movement=self._movement(tracklet, [*prototypes, *present]),
            place=self._place(tracklet, near.places),
            apart=self._apart(tracklet, near.at_once),
            fit=value,
            seen_here=prediction.seen_here,
        )

    def merge_odds(self, first: IdentityId, second: IdentityId) -> float:
        """Logarithm of the odds of two identities being one person, from all that stands for them."""
        mine, theirs = self._standing(first), self._standing(second)
        if not mine or not theirs:
            return -np.inf
        older, younger = (mine, theirs) if mine[0].started_at_ns <= theirs[0].started_at_ns else (theirs, mine)
        younger = younger[-_MOST_COMPARED:]
        value = fit_of_sets(self._known(older), self._known(younger), shares=self._shares)
        seen_here = {t.camera_id for t in older} >= {t.camera_id for t in younger}
        places, apart = [0.0], [0.0]
        for t in younger:
            near = self._near(t, older) or NOBODY_NEAR
            places.append(self._place(t, near.places))
            apart.append(self._apart(t, near.at_once))
        total = self._calibration.evidence(value, seen_here=seen_here) + self._movement(younger[0], older)
        return total + min(places) + max(places) + min(apart)

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
            if t.exemplars >= _WELL_SEEN and not _of_one_walk(t, tracklet)
        ]
        if not kept or tracklet.exemplars < _WELL_SEEN:
            return []
        units = self._space.prototypes([t.number for t in kept])
        return [
            (t.camera_id == tracklet.camera_id, float((one * unit).sum())) for t, one in zip(kept, units, strict=True)
        ]

    def most_alike(self, unit: Float32Array, others: list[Tracklet]) -> Tracklet:
        """Of some tracklets the one that looks most like a lifted unit (d,)."""
        return max(others, key=lambda t: (float((self.unit(t) * unit).sum()), t.number))

    def seen_with(self, tracklet: Tracklet) -> set[IdentityId]:
        """The identities that the same camera saw at the same time: other people."""
        return {
            identity_id
            for identity_id, others in self.lately.items()
            if identity_id != tracklet.identity_id and any(seen_together(tracklet, other) for other in others)
        }

    def _prototypes(self, identity_id: IdentityId, tracklet: Tracklet) -> list[Tracklet]:
        return [t for t in self._state.prototypes(identity_id, self._space.model_id) if t.number != tracklet.number]

    def _standing(self, identity_id: IdentityId) -> list[Tracklet]:
        mine = self._state.prototypes(identity_id, self._space.model_id)
        return sorted(mine, key=lambda t: (t.started_at_ns, t.number))

    def _prediction(self, identity_id: IdentityId, prototypes: list[Tracklet], tracklet: Tracklet) -> Prediction:
        if tracklet.identity_id == identity_id:
            return predict(self._known(prototypes), tracklet.camera_id, shares=self._shares)
        key = (identity_id, tracklet.camera_id)
        if key not in self._predictions:
            known = self._known(prototypes)
            self._predictions[key] = predict(known, tracklet.camera_id, shares=self._shares)
        return self._predictions[key]

    def _known(self, prototypes: Sequence[Tracklet]) -> list[Known]:
        units = self._space.prototypes([t.number for t in prototypes])
        return [Known(t.camera_id, unit, t.exemplars) for t, unit in zip(prototypes, units, strict=True)]

    def _movement(self, tracklet: Tracklet, others: Collection[Tracklet]) -> float:
        """Who was seen last before it began; where nobody was, who was seen at all."""
        if not self._reasoning.movement:
            return 0.0
        begin = tracklet.started_at_ns
        earlier = [t for t in others if t.started_at_ns <= begin] or others
        last = seen_last(earlier, begin)
        gap_s = (begin - last.ended_at_ns) / 1e9
        error_s = (tracklet.clock_error_ns + last.clock_error_ns) / 1e9 if last.camera_id != tracklet.camera_id else 0.0
        topology = self._knowledge.topology
        rate = topology.rate(last.camera_id, tracklet.camera_id, gap_s=gap_s, clock_error_s=error_s)
        return float(np.log(rate / topology.stranger_rate(tracklet.camera_id)))

    def _place(self, tracklet: Tracklet, others: Sequence[Tracklet]) -> float:
        """The best and the worst that is said of it: one place that fits is not all, one that does not is not all."""
        low = high = 0.0
        if not self._reasoning.place:
            return 0.0
        for other in others:
            first, second = (other, tracklet) if other.started_at_ns <= tracklet.started_at_ns else (tracklet, other)
            value = self._knowledge.floor.evidence(
                self._path(first.number), self._path(second.number), cameras=(first.camera_id, second.camera_id)
            )
            if value is not None:
                low, high = min(low, value), max(high, value)
        return low + high

    def _apart(self, tracklet: Tracklet, others: Sequence[Tracklet]) -> float:
        """To be in two views at once costs what the site has learned that it does; once, however many there are."""
        if not self._reasoning.movement:
            return 0.0
        topology = self._knowledge.topology
        return min((topology.never_together(other.camera_id, tracklet.camera_id) for other in others), default=0.0)

    def _path(self, number: TrackletNumber) -> Path:
        return self._state.paths.get(number, NOWHERE)


def _of_one_walk(first: Tracklet, second: Tracklet) -> bool:
    return first.camera_id == second.camera_id and abs(first.started_at_ns - second.started_at_ns) <= _SAME_WALK_NS

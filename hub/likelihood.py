"""How probable it is that a tracklet is an identity's: looks, place, movement, as log-likelihood ratios that add up."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from hub.association.appearance import Known, Prediction, fit, fit_of_sets, predict, shares_of
from hub.knowledge import Knowledge
from hub.exclusion import seen_together
from hub.paths import NOWHERE, Path
from hub.records import Tracklet, TrackletNumber
from hub.spaces import ModelSpace
from hub.state import SiteState
from passerby.arrays import Float32Array
from passerby.ids import CameraId, IdentityId

_SAME_WALK_NS = 30 * 10**9
"""Tracklets of one camera that follow each other so closely are alike for more reasons than the person."""

_MOST_COMPARED = 6

LATELY_NS = 60 * 10**9
"""Where somebody is and was is asked of tracklets that are open or had news so lately."""

_ONE_VIEW_NS = 1_500_000_000
"""To be seen in two views at once for less may be the clocks' doing."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Why a tracklet may be an identity's; natural logarithms of ratios against anybody else, or a stranger.

    `movement`: rate of the identity's appearing here and now over that of strangers; `appearance`: looks; `place`: on the
    spot where it was or is; `apart`: at most 0, in two views at once that never show one person. `fit` is what
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


class Judge:
    """Weighs tracklets of one model against identities, with what the site has taught, during one round."""

    def __init__(self, state: SiteState, space: ModelSpace, knowledge: Knowledge) -> None:
        self._state = state
        self._space = space
        self._knowledge = knowledge
        self._shares = shares_of(space.model_id)
        self._calibration = knowledge.calibration(space.model_id)
        self.lately: dict[IdentityId, list[Tracklet]] = {}
        """Identities with their tracklets of the last minutes."""
        for t in state.tracklets.values():
            if t.identity_id is not None and t.updated_at_ns >= state.clock_ns - LATELY_NS:
                self.lately.setdefault(t.identity_id, []).append(t)
        self._predictions: dict[tuple[IdentityId, CameraId], Prediction] = {}

    def terms(
        self,
        tracklet: Tracklet,
        unit: Float32Array,
        *,
        identity_id: IdentityId,
    ) -> Terms | None:
        """The evidence for one identity, given the tracklet's lifted `unit`; None where nothing else of it is known."""
        prototypes = self._prototypes(identity_id, tracklet)
        present = self.lately.get(identity_id, ())
        others = {t.number: t for t in (*prototypes, *present) if t.number != tracklet.number}
        earlier = [t for t in others.values() if t.started_at_ns <= tracklet.started_at_ns]
        if not prototypes:
            return None
        prediction = self._prediction(identity_id, prototypes, tracklet)
        value = fit(prediction, unit, pictures=tracklet.exemplars, shares=self._shares)
        return Terms(
            appearance=self._calibration.evidence(value, seen_here=prediction.seen_here),
            movement=self._movement(tracklet, earlier or list(others.values())),
            place=self._place(tracklet, others.values()),
            apart=self._apart(tracklet, others.values()),
            fit=value,
            seen_here=prediction.seen_here,
        )

    def most_alike(self, unit: Float32Array, others: list[Tracklet]) -> Tracklet:
        """Of some tracklets the one that looks most like a lifted unit (d,)."""
        return max(others, key=lambda t: (float((self.unit(t) * unit).sum()), t.number))

    def unit(self, tracklet: Tracklet) -> Float32Array:
        """A tracklet's lifted unit (d,)."""
        return self._space.unit(tracklet.camera_id, tracklet.embedding)

    def seen_with(self, tracklet: Tracklet) -> set[IdentityId]:
        """The identities that the same camera saw at the same time: other people."""
        return {
            identity_id
            for identity_id, others in self.lately.items()
            if identity_id != tracklet.identity_id and any(seen_together(tracklet, other) for other in others)
        }

    def merge_odds(self, first: IdentityId, second: IdentityId) -> float:
        """Logarithm of the odds of two identities being one person, from all that stands for them."""
        mine, theirs = self._standing(first), self._standing(second)
        if not mine or not theirs:
            return -np.inf
        older, younger = (mine, theirs) if mine[0].started_at_ns <= theirs[0].started_at_ns else (theirs, mine)
        if len(younger) > _MOST_COMPARED:
            younger = younger[-_MOST_COMPARED:]
        value = fit_of_sets([self._known(t) for t in older], [self._known(t) for t in younger], shares=self._shares)
        total = self._calibration.evidence(value, seen_here={t.camera_id for t in older} >= {t.camera_id for t in younger})
        begin = younger[0]
        earlier = [t for t in older if t.started_at_ns <= begin.started_at_ns] or older
        total += self._movement(begin, earlier)
        places = [self._place(t, older) for t in younger]
        total += min([0.0, *places]) + max([0.0, *places])
        return total + min(self._apart(t, older) for t in younger)

    def _standing(self, identity_id: IdentityId) -> list[Tracklet]:
        found = {
            t.number: t
            for t in self._state.members(identity_id)
            if t.model_id == self._space.model_id and t.prototype
        }
        return sorted(found.values(), key=lambda t: (t.started_at_ns, t.number))

    def fit_elsewhere(self, tracklet: Tracklet, unit: Float32Array, *, identity_id: IdentityId, own: bool) -> float | None:
        """The fit of looks without what follows too closely, and without the tracklet's own camera unless `own`.

        For calibration: pairs must be no easier than those that have to be decided. None where nothing is left.
        """
        kept = [
            t
            for t in self._prototypes(identity_id, tracklet)
            if (own or t.camera_id != tracklet.camera_id)
            and (t.camera_id != tracklet.camera_id or abs(t.started_at_ns - tracklet.started_at_ns) > _SAME_WALK_NS)
        ]
        if not kept or (own and all(t.camera_id != tracklet.camera_id for t in kept)):
            return None
        prediction = predict([self._known(t) for t in kept], tracklet.camera_id, shares=self._shares)
        return fit(prediction, unit, pictures=tracklet.exemplars, shares=self._shares)

    def _prototypes(self, identity_id: IdentityId, tracklet: Tracklet) -> list[Tracklet]:
        return [
            t
            for t in self._state.members(identity_id)
            if t.prototype and t.model_id == self._space.model_id and t.number != tracklet.number
        ]

    def _prediction(self, identity_id: IdentityId, prototypes: list[Tracklet], tracklet: Tracklet) -> Prediction:
        if tracklet.identity_id == identity_id:
            return predict([self._known(t) for t in prototypes], tracklet.camera_id, shares=self._shares)
        key = (identity_id, tracklet.camera_id)
        if key not in self._predictions:
            known = [self._known(t) for t in prototypes]
            self._predictions[key] = predict(known, tracklet.camera_id, shares=self._shares)
        return self._predictions[key]

    def _known(self, tracklet: Tracklet) -> Known:
        return Known(tracklet.camera_id, self._space.prototype(tracklet.number), tracklet.exemplars)

    def _movement(self, tracklet: Tracklet, earlier: list[Tracklet]) -> float:
        last = max(earlier, key=lambda t: (min(t.ended_at_ns, tracklet.started_at_ns), t.started_at_ns, t.number))
        gap_s = (tracklet.started_at_ns - last.ended_at_ns) / 1e9
        error_s = (tracklet.clock_error_ns + last.clock_error_ns) / 1e9 if last.camera_id != tracklet.camera_id else 0.0
        topology = self._knowledge.topology
        rate = topology.rate(last.camera_id, tracklet.camera_id, gap_s=gap_s, clock_error_s=error_s)
        return float(np.log(rate / topology.stranger_rate(tracklet.camera_id)))

    def _place(self, tracklet: Tracklet, others: Collection[Tracklet]) -> float:
        low = high = 0.0
        for other in others:
            first, second = (other, tracklet) if other.started_at_ns <= tracklet.started_at_ns else (tracklet, other)
            value = self._knowledge.floor.evidence(
                self._path(first.number), self._path(second.number), cameras=(first.camera_id, second.camera_id)
            )
            if value is not None:
                low, high = min(low, value), max(high, value)
        return low + high

    def _apart(self, tracklet: Tracklet, others: Collection[Tracklet]) -> float:
        """To be in two views at once costs what the site has learned that it costs; once, whatever it is seen by."""
        least = 0.0
        for other in others:
            if other.camera_id == tracklet.camera_id:
                continue
            shared = min(other.ended_at_ns, tracklet.ended_at_ns) - max(other.started_at_ns, tracklet.started_at_ns)
            if shared > _ONE_VIEW_NS + other.clock_error_ns + tracklet.clock_error_ns:
                least = min(least, self._knowledge.topology.never_together(other.camera_id, tracklet.camera_id))
        return least

    def _path(self, number: TrackletNumber) -> Path:
        return self._state.paths.get(number, NOWHERE)

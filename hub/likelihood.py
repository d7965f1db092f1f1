"""How probable it is that a tracklet is an identity's: looks, place, movement, as log-likelihood ratios that add up."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.association.appearance import Known, fit, fit_of_sets, predict
from hub.association.calibration import Calibration
from hub.association.place import UNSEEN_NS
from hub.association.reasoning import Reasoning
from hub.association.shares import shares_of
from hub.association.standing import Standing, fits
from hub.association.ties import credible
from hub.exclusion import seen_together
from hub.paths import NOWHERE, Path
from hub.records import Tracklet, TrackletNumber
from hub.spaces import ModelSpace
from hub.state import SiteState
from passerby.arrays import Float32Array, Int64Array
from passerby.ids import CameraId, IdentityId

Float64Array = NDArray[np.float64]

LATELY_NS = 60 * 10**9
"""Where somebody is and was is asked of tracklets that are open or had news so lately."""

_SAME_WALK_NS = 30 * 10**9
"""Tracklets of one camera that follow each other so closely are alike for more reasons than the person."""

_ONE_VIEW_NS = 1_500_000_000
"""To be seen in two views at once for less may be the clocks' doing."""

_WELL_SEEN = 3
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
        self._standing_by_camera: dict[IdentityId, list[Tracklet]] = {}
        self._codes: dict[CameraId, int] = {}
        self._sharing: dict[CameraId, set[CameraId]] = {}
        self._ties: dict[tuple[TrackletNumber, TrackletNumber], float] = {}
        self._tied: dict[TrackletNumber, dict[TrackletNumber, float]] = {}
        self._never_together: dict[tuple[CameraId, CameraId], float] = {}
        self.recent: dict[TrackletNumber, Tracklet] = {t.number: t for t in state.lately(LATELY_NS)}
        """The tracklets of the last minute."""
        self.lately: dict[IdentityId, list[Tracklet]] = {}
        """Identities with their tracklets of the last minute."""
        for t in self.recent.values():
            if t.identity_id is not None:
                self.lately.setdefault(t.identity_id, []).append(t)

    def unit(self, tracklet: Tracklet) -> Float32Array:
        """A tracklet's lifted unit (d,)."""
        return self._space.unit_of(tracklet)

    def tied(self, tracklet: Tracklet) -> dict[TrackletNumber, float]:
        """Evidence of place (nat) of being one person with each tracklet that was near in time, where there is any."""
        if not self._reasoning.place:
            return {}
        if tracklet.number not in self._tied:
            near = self._near(tracklet, self.recent.values())
            ties = ((other.number, self._tie(tracklet, other)) for other in near)
            self._tied[tracklet.number] = {number: nat for number, nat in ties if nat}
        return self._tied[tracklet.number]

    def near(self, tracklet: Tracklet) -> set[IdentityId]:
        """The identities of those who were near in time, where their places can be compared."""
        others = self._near(tracklet, self.recent.values())
        return {other.identity_id for other in others if other.identity_id is not None}

    def in_another_view(self, tracklet: Tracklet) -> dict[IdentityId, list[Tracklet]]:
        """The tracklets of each identity that another camera saw at the same time."""
        found: dict[IdentityId, list[Tracklet]] = {}
        for identity_id, others in self.lately.items():
            at_once = self._at_once(tracklet, others)
            if at_once:
                found[identity_id] = at_once
        return found

    def _near(self, tracklet: Tracklet, others: Collection[Tracklet]) -> list[Tracklet]:
        """Those near in time whose places can be compared with a tracklet's."""
        begin, end, number = tracklet.started_at_ns - UNSEEN_NS, tracklet.ended_at_ns + UNSEEN_NS, tracklet.number
        mapped = self._mapped(tracklet.camera_id)
        return [
            other
            for other in others
            if other.camera_id in mapped
            and other.started_at_ns <= end
            and other.ended_at_ns >= begin
            and other.number != number
            and not seen_together(other, tracklet)
        ]

    def _mapped(self, camera_id: CameraId) -> set[CameraId]:
        """The cameras in whose views places can be compared with those in one."""
        if camera_id not in self._sharing:
            floor = self._knowledge.floor
            cameras = {CameraId(name) for pair in floor.maps for name in pair.split("|")}
            self._sharing[camera_id] = {camera_id, *(one for one in cameras if floor.mapped(one, camera_id))}
        return self._sharing[camera_id]

    @staticmethod
    def _at_once(tracklet: Tracklet, others: Collection[Tracklet]) -> list[Tracklet]:
        """Those that another camera saw at the same time, for longer than the clocks' doing."""
        return [
            other
            for other in others
            if other.camera_id != tracklet.camera_id
            and min(other.ended_at_ns, tracklet.ended_at_ns) - max(other.started_at_ns, tracklet.started_at_ns)
            > _ONE_VIEW_NS + other.clock_error_ns + tracklet.clock_error_ns
        ]

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
        movement = self._movements(tracklet, known, left_out=left_out, beside=beside)
        found = {}
        for identity_id, value, here, moved in zip(
            known, values.tolist(), seen_here.tolist(), movement.tolist(), strict=True
        ):
            at_once = self._at_once(tracklet, self.lately.get(identity_id, ()))
            looks = self._calibration.evidence(value, seen_here=here)
            if here and (other := across.get(asked.index(identity_id))) is not None:
                looks = doubted(looks, self._calibration.evidence(other, seen_here=False))
            found[identity_id] = Terms(
                appearance=looks,
                movement=moved,
                place=0.0,
                apart=self._apart(tracklet, [t for t in at_once if t.number not in left_out]),
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
            places.append(self._place(t, self._near(t, older)))
            apart.append(self._apart(t, self._at_once(t, older)))
        return MergeTerms(
            appearance=self._calibration.evidence(value, seen_here=seen_here),
            movement=self._movement(younger[0], older),
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

    def _movements(
        self,
        tracklet: Tracklet,
        identities: Sequence[IdentityId],
        *,
        left_out: Collection[TrackletNumber],
        beside: Sequence[Tracklet],
    ) -> Float64Array:
        """Evidence (n,) of movement for identities that something stands for; what is common to all who may be `beside`
        it speaks for none of them."""
        if not self._reasoning.movement or not identities:
            return np.zeros(len(identities))
        begin = tracklet.started_at_ns
        last = []
        for identity_id in identities:
            others = [*self._by_camera(identity_id), *self.lately.get(identity_id, ())]
            last.append(self._seen_last([t for t in others if t.number not in left_out] + [*beside], begin))
        if beside:
            last.append(self._seen_last(beside, begin))
        moved = self._rates(tracklet, last)
        return moved[:-1] - moved[-1] if beside else moved

    def _movement(self, tracklet: Tracklet, others: Collection[Tracklet]) -> float:
        """Evidence of movement from the one of `others` that was seen last."""
        if not self._reasoning.movement:
            return 0.0
        return float(self._rates(tracklet, [self._seen_last(others, tracklet.started_at_ns)])[0])

    @staticmethod
    def _seen_last(others: Collection[Tracklet], begin_ns: int) -> Tracklet:
        """Who was seen last before it began; where nobody was, who was seen at all."""
        return seen_last([t for t in others if t.started_at_ns <= begin_ns] or others, begin_ns)

    def _rates(self, tracklet: Tracklet, last: Sequence[Tracklet]) -> Float64Array:
        """Log (n,) of the rates of appearing here and now after those tracklets, over that of strangers."""
        begin, error_ns, camera_id = tracklet.started_at_ns, tracklet.clock_error_ns, tracklet.camera_id
        topology = self._knowledge.topology
        rates = topology.rates(
            [t.camera_id for t in last],
            camera_id,
            gap_s=np.array([(begin - t.ended_at_ns) / 1e9 for t in last]),
            clock_error_s=np.array([(t.clock_error_ns + error_ns) / 1e9 * (t.camera_id != camera_id) for t in last]),
        )
        return np.asarray(np.log(rates / topology.stranger_rate(camera_id)), np.float64)

    def _place(self, tracklet: Tracklet, others: Sequence[Tracklet]) -> float:
        """The best and the worst that is said of it: one place that fits is not all, one that does not is not all."""
        low = high = 0.0
        if not self._reasoning.place:
            return 0.0
        for other in others:
            value = credible(self._tie(tracklet, other))
            low, high = min(low, value), max(high, value)
        return low + high

    def _tie(self, tracklet: Tracklet, other: Tracklet) -> float:
        """Evidence of place of two tracklets being one person; 0 where there is none."""
        first, second = (other, tracklet) if other.started_at_ns <= tracklet.started_at_ns else (tracklet, other)
        key = (first.number, second.number)
        if key not in self._ties:
            value = self._knowledge.floor.evidence(
                self._path(first.number), self._path(second.number), cameras=(first.camera_id, second.camera_id)
            )
            self._ties[key] = value or 0.0
        return self._ties[key]

    def _apart(self, tracklet: Tracklet, others: Sequence[Tracklet]) -> float:
        """To be in two views at once costs what the site has learned that it does; once, however many there are."""
        if not self._reasoning.movement:
            return 0.0
        return min((self._rarely(other.camera_id, tracklet.camera_id) for other in others), default=0.0)

    def _rarely(self, first: CameraId, second: CameraId) -> float:
        pair = (first, second)
        if pair not in self._never_together:
            self._never_together[pair] = self._knowledge.topology.never_together(first, second)
        return self._never_together[pair]

    def _path(self, number: TrackletNumber) -> Path:
        return self._state.paths.get(number, NOWHERE)


def doubted(here: float, elsewhere: float) -> float:
    """Evidence (nat) of looks, with what stands for an identity in the tracklet's own camera and without it: that may
    be of somebody else, whose next tracklets then look like it too."""
    return float(np.logaddexp(np.log1p(-_STRAY) + here, np.log(_STRAY) + elsewhere))


def _of_one_walk(first: Tracklet, second: Tracklet) -> bool:
    return first.camera_id == second.camera_id and abs(first.started_at_ns - second.started_at_ns) <= _SAME_WALK_NS

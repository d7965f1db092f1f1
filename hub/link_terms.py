"""Why tracklets may be identities': looks and movement of all of a round in one pass."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hub.association.calibration import Calibration
from hub.association.shares import Shares
from hub.association.standing import Fits, Looks, Standing, fits
from hub.movement import Movement, Sightings
from hub.neighbourhood import Neighbourhood
from hub.records import Tracklet, TrackletNumber
from passerby.arrays import Float32Array
from passerby.ids import CameraId, IdentityId

Float64Array = NDArray[np.float64]

_STRAY = 0.1
"""How often what stands for an identity in one camera is somebody else's."""


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

    def placed(self, place: float) -> "Terms":
        """With what is known of place, which was not before."""
        if place == 0.0:
            return self
        return Terms(self.appearance, self.movement, place, self.apart, self.fit, self.seen_here)


@dataclass(frozen=True, slots=True)
class Asked:
    """A tracklet with its lifted `unit` (d,), and the identities that it may be.

    What is said of tracklets that are perhaps `beside` it on one spot, whoever that is, or `rivals` that cannot be the
    same person, is not known of an identity if the tracklet is it.
    """

    tracklet: Tracklet
    unit: Float32Array
    identities: Collection[IdentityId]
    beside: Sequence[Tracklet] = ()
    rivals: Sequence[Tracklet] = ()
    left_out: frozenset[TrackletNumber] = field(init=False)

    def __post_init__(self) -> None:
        numbers = frozenset(t.number for t in (self.tracklet, *self.beside, *self.rivals))
        object.__setattr__(self, "left_out", numbers)


@dataclass(frozen=True, slots=True)
class Sources:
    """What evidence is made of: `standing` gives what stands for an identity, those of each camera together, `units`
    the lifted units (n, d) of such tracklets."""

    standing: Callable[[IdentityId], Sequence[Tracklet]]
    units: Callable[[Sequence[TrackletNumber]], Float32Array]
    shares: Shares
    calibration: Calibration
    movement: Movement
    around: Neighbourhood

    def looks(self, standing: Sequence[Sequence[Tracklet]]) -> tuple[Looks, dict[CameraId, int]]:
        """Of owners 0, 1 ..., of each of whom `standing` has the tracklets, those of each camera together; and which
        number `Looks.cameras` has for each of their cameras."""
        rows = [t for known in standing for t in known]
        codes: dict[CameraId, int] = {}
        each = Standing(
            np.repeat(np.arange(len(standing)), [len(known) for known in standing]),
            np.array([codes.setdefault(t.camera_id, len(codes)) for t in rows], np.int64),
            np.array([t.exemplars for t in rows], np.int64),
            self.units([t.number for t in rows]),
        )
        return Looks.of(each, self.shares), codes


def link_terms(asked: Sequence[Asked], sources: Sources) -> list[dict[IdentityId, Terms]]:
    """The evidence for each identity that each tracklet may be but for place; without those of whom nothing else is
    known."""
    pairs, kept = _known(asked, sources)
    if not pairs:
        return [{} for _ in asked]
    found = _fits(asked, pairs, kept, sources)
    looks = sources.calibration.evidences(found.values, seen_here=found.seen_here)
    doubtful = np.flatnonzero(found.seen_here & ~np.isnan(found.elsewhere))
    elsewhere = sources.calibration.evidences(found.elsewhere[doubtful], seen_here=np.zeros(len(doubtful), np.bool_))
    looks[doubtful] = doubted(looks[doubtful], elsewhere)
    columns = (looks, _movement(asked, pairs, sources), _apart(asked, pairs, sources), found.values)
    terms: list[dict[IdentityId, Terms]] = [{} for _ in asked]
    for (row, identity_id), look, moved, apart, value, here in zip(
        pairs, *(column.tolist() for column in columns), found.seen_here.tolist(), strict=True
    ):
        terms[row][identity_id] = Terms(look, moved, 0.0, apart, value, here)
    return terms


def doubted(here: Float64Array, elsewhere: Float64Array) -> Float64Array:
    """Evidence (n,) nat of looks, with what stands for an identity in the tracklet's own camera and without it: that
    may be of somebody else, whose next tracklets then look like it too."""
    return np.asarray(np.logaddexp(np.log1p(-_STRAY) + here, np.log(_STRAY) + elsewhere), np.float64)


Pair = tuple[int, IdentityId]
Kept = tuple[IdentityId, frozenset[TrackletNumber]]
"""An identity, and what of its tracklets is left out."""


def _known(asked: Sequence[Asked], sources: Sources) -> tuple[list[Pair], list[Kept]]:
    """The rows and identities of which something is left that stands for them, and what that is."""
    numbers: dict[IdentityId, frozenset[TrackletNumber]] = {}
    pairs, kept = [], []
    for row, one in enumerate(asked):
        for identity_id in sorted(one.identities):
            if identity_id not in numbers:
                numbers[identity_id] = frozenset(t.number for t in sources.standing(identity_id))
            mine = numbers[identity_id]
            gone = mine & one.left_out
            if len(gone) < len(mine):
                pairs.append((row, identity_id))
                kept.append((identity_id, gone))
    return pairs, kept


def _fits(asked: Sequence[Asked], pairs: Sequence[Pair], kept: Sequence[Kept], sources: Sources) -> Fits:
    owner_of: dict[Kept, int] = {}
    owners = np.array([owner_of.setdefault(one, len(owner_of)) for one in kept], np.int64)
    standing = [[t for t in sources.standing(identity_id) if t.number not in gone] for identity_id, gone in owner_of]
    looks, codes = sources.looks(standing)
    return fits(
        looks,
        np.array([row for row, _ in pairs], np.int64),
        owners,
        units=np.stack([one.unit for one in asked]),
        cameras=np.array([codes.get(one.tracklet.camera_id, -1) for one in asked], np.int64),
        pictures=np.array([one.tracklet.exemplars for one in asked], np.int64),
        shares=sources.shares,
    )


def _movement(asked: Sequence[Asked], pairs: Sequence[Pair], sources: Sources) -> Float64Array:
    """What is said of each pair by when and where the identity was seen last; what is common to all who may be beside a
    tracklet speaks for none of them."""
    if not sources.movement.asked:
        return np.zeros(len(pairs))
    seen: list[Tracklet] = []
    row_of: dict[TrackletNumber, int] = {}

    def rows_of(tracklets: Sequence[Tracklet]) -> list[int]:
        for t in tracklets:
            if t.number not in row_of:
                row_of[t.number] = len(seen)
                seen.append(t)
        return [row_of[t.number] for t in tracklets]

    everything: dict[IdentityId, tuple[list[int], frozenset[TrackletNumber]]] = {}
    beside = [rows_of(one.beside) for one in asked]
    lately = sources.around.lately
    sets: list[list[int]] = []
    for row, identity_id in pairs:
        if identity_id not in everything:
            known = [*sources.standing(identity_id), *lately.get(identity_id, ())]
            everything[identity_id] = rows_of(known), frozenset(t.number for t in known)
        left_out = asked[row].left_out
        mine, numbers = everything[identity_id]
        if not numbers.isdisjoint(left_out):
            mine = [one for one in mine if seen[one].number not in left_out]
        sets.append(mine + beside[row])
    # After the pairs come those who have somebody beside them, to be compared with.
    accompanied = [row for row, others in enumerate(beside) if others]
    sets += [beside[row] for row in accompanied]
    whose = [row for row, _ in pairs] + accompanied
    last = Sightings.of(seen).last(
        np.repeat(np.arange(len(sets)), [len(one) for one in sets]),
        np.array([one for some in sets for one in some], np.int64),
        before_ns=np.array([asked[row].tracklet.started_at_ns for row in whose], np.int64),
    )
    moved = sources.movement.evidence([asked[row].tracklet for row in whose], [seen[one] for one in last.tolist()])
    common = np.zeros(len(asked))
    common[accompanied] = moved[len(pairs) :]
    return np.asarray(moved[: len(pairs)] - common[whose[: len(pairs)]], np.float64)


def _apart(asked: Sequence[Asked], pairs: Sequence[Pair], sources: Sources) -> Float64Array:
    """At most 0, of each pair: the identity is in another view at the same time."""
    others = list(sources.around.recent.values())
    worst: dict[Pair, float] = {}
    for row, found in enumerate(sources.around.in_two_views([one.tracklet for one in asked])):
        camera_id, left_out = asked[row].tracklet.camera_id, asked[row].left_out
        for column in np.flatnonzero(found).tolist():
            other = others[column]
            if other.identity_id is not None and other.number not in left_out:
                pair = (row, other.identity_id)
                worst[pair] = min(worst.get(pair, 0.0), sources.movement.rarely(other.camera_id, camera_id))
    return np.array([worst.get(pair, 0.0) for pair in pairs])

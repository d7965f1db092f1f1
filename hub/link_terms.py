"""Why tracklets may be identities': looks and movement of all of a round in one pass."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hub.association.calibration import Calibration
from hub.association.ranges import ranges
from hub.association.shares import Shares
from hub.association.standing import Fits, Looks, Standing, fits
from hub.movement import Movement, Sightings
from hub.neighbourhood import Neighbourhood
from hub.records import Tracklet, TrackletNumber
from passerby.arrays import Float32Array, Int64Array
from passerby.ids import CameraId, IdentityId

Float64Array = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

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


@dataclass(frozen=True, slots=True, eq=False)
class LinkTerms:
    """The terms of n tracklets and m `identities`, rising: (n, m) each, as those of Terms, and which are `known`.

    Where nothing is known numbers are 0.
    """

    identities: Sequence[IdentityId]
    known: BoolArray
    appearance: Float64Array
    movement: Float64Array
    place: Float64Array
    apart: Float64Array
    fit: Float64Array
    seen_here: BoolArray

    @classmethod
    def nothing(cls, n: int, identities: Sequence[IdentityId] = ()) -> "LinkTerms":
        """Of n tracklets of which nothing is known."""
        shape = (n, len(identities))
        look, moved, place, apart, fit = (np.zeros(shape) for _ in range(5))
        return cls(
            identities=identities,
            known=np.zeros(shape, np.bool_),
            appearance=look,
            movement=moved,
            place=place,
            apart=apart,
            fit=fit,
            seen_here=np.zeros(shape, np.bool_),
        )

    def log_odds(self) -> Float64Array:
        """All together, (n, m); NaN where nothing is known."""
        return np.where(self.known, self.appearance + self.movement + self.place + self.apart, np.nan)

    def of(self, row: int) -> dict[IdentityId, Terms]:
        """The terms of one tracklet for each identity that something is known of."""
        columns = np.flatnonzero(self.known[row])
        numbers = (self.appearance, self.movement, self.place, self.apart, self.fit, self.seen_here)
        each = zip(*(column[row, columns].tolist() for column in numbers), strict=True)
        return {self.identities[column]: Terms(*one) for column, one in zip(columns.tolist(), each, strict=True)}


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

    def looks(self, standing: Sequence[Tracklet], owners: Int64Array) -> tuple[Looks, dict[CameraId, int]]:
        """Of owners 0, 1 ..., who have these tracklets (k,), `owners` (k,) rising and those of each camera together;
        and which number `Looks.cameras` has for each of their cameras."""
        codes: dict[CameraId, int] = {}
        each = Standing(
            owners,
            np.array([codes.setdefault(t.camera_id, len(codes)) for t in standing], np.int64),
            np.array([t.exemplars for t in standing], np.int64),
            self.units([t.number for t in standing]),
        )
        return Looks.of(each, self.shares), codes


def link_terms(asked: Sequence[Asked], sources: Sources) -> LinkTerms:
    """The evidence for each identity that each tracklet may be but for place; nothing of those of whom nothing else is
    known."""
    stood = _Stood.of(asked, sources)
    terms = LinkTerms.nothing(len(asked), stood.identities)
    if not stood.known.any():
        return terms
    known = stood.known
    found = _fits(asked, stood, sources)
    looks = sources.calibration.evidences(found.values, seen_here=found.seen_here)
    doubtful = np.flatnonzero(found.seen_here & ~np.isnan(found.elsewhere))
    elsewhere = sources.calibration.evidences(found.elsewhere[doubtful], seen_here=np.zeros(len(doubtful), np.bool_))
    looks[doubtful] = doubted(looks[doubtful], elsewhere)
    terms.known[:] = known
    terms.appearance[known], terms.fit[known], terms.seen_here[known] = looks, found.values, found.seen_here
    terms.movement[known] = _movement(asked, stood, sources)
    _apart(asked, terms, sources)
    return terms


def doubted(here: Float64Array, elsewhere: Float64Array) -> Float64Array:
    """Evidence (n,) nat of looks, with what stands for an identity in the tracklet's own camera and without it: that
    may be of somebody else, whose next tracklets then look like it too."""
    return np.asarray(np.logaddexp(np.log1p(-_STRAY) + here, np.log(_STRAY) + elsewhere), np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class _Stood:
    """What stands for the `identities` (m) that n tracklets may be.

    `tracklets` (k) are those of one identity after the other: from `begins[i]` (m,) on the `counts[i]` of identity i.
    `known` (n, m): something is left for a tracklet; `left_out` has, by row and column, the tracklets that are not.
    """

    identities: list[IdentityId]
    tracklets: list[Tracklet]
    begins: Int64Array
    counts: Int64Array
    known: BoolArray
    left_out: dict[tuple[int, int], frozenset[TrackletNumber]]

    @classmethod
    def of(cls, asked: Sequence[Asked], sources: Sources) -> "_Stood":
        identities = sorted(set().union(*(one.identities for one in asked)))
        column = {identity_id: index for index, identity_id in enumerate(identities)}
        standing = [sources.standing(identity_id) for identity_id in identities]
        counts = np.array([len(known) for known in standing], np.int64)
        known = np.zeros((len(asked), len(identities)), np.bool_)
        for row, one in enumerate(asked):
            known[row, [column[identity_id] for identity_id in one.identities]] = True
        known &= counts > 0
        anywhere = frozenset().union(*(one.left_out for one in asked))
        owner = {t.number: index for index, mine in enumerate(standing) for t in mine if t.number in anywhere}
        left_out: dict[tuple[int, int], set[TrackletNumber]] = {}
        for row, one in enumerate(asked):
            for number in one.left_out:
                index = owner.get(number, -1)
                if index >= 0 and known[row, index]:
                    left_out.setdefault((row, index), set()).add(number)
        for (row, index), gone in left_out.items():
            known[row, index] = len(gone) < counts[index]
        return cls(
            identities=identities,
            tracklets=[t for mine in standing for t in mine],
            begins=np.cumsum(counts) - counts,
            counts=counts,
            known=known,
            left_out={pair: frozenset(gone) for pair, gone in left_out.items() if known[pair]},
        )


def _fits(asked: Sequence[Asked], stood: _Stood, sources: Sources) -> Fits:
    """Of the known pairs, row by row."""
    standing, owners = list(stood.tracklets), np.repeat(np.cumsum(stood.counts > 0) - 1, stood.counts)
    of_pair = np.broadcast_to(np.cumsum(stood.counts > 0) - 1, stood.known.shape).copy()
    # Of whom something is left out is an owner of its own.
    more = int((stood.counts > 0).sum())
    partly: dict[tuple[int, frozenset[TrackletNumber]], int] = {}
    added: list[int] = []
    for (row, index), gone in stood.left_out.items():
        if (index, gone) not in partly:
            partly[index, gone] = more + len(partly)
            begin = int(stood.begins[index])
            left = [t for t in stood.tracklets[begin : begin + int(stood.counts[index])] if t.number not in gone]
            standing += left
            added += [partly[index, gone]] * len(left)
        of_pair[row, index] = partly[index, gone]
    looks, codes = sources.looks(standing, np.concatenate([owners, np.array(added, np.int64)]))
    return fits(
        looks,
        np.nonzero(stood.known)[0],
        of_pair[stood.known],
        units=np.stack([one.unit for one in asked]),
        cameras=np.array([codes.get(one.tracklet.camera_id, -1) for one in asked], np.int64),
        pictures=np.array([one.tracklet.exemplars for one in asked], np.int64),
        shares=sources.shares,
    )


def _movement(asked: Sequence[Asked], stood: _Stood, sources: Sources) -> Float64Array:
    """What is said of each known pair by when and where the identity was seen last; what is common to all who may be
    beside a tracklet speaks for none of them."""
    rows, columns = np.nonzero(stood.known)
    if not sources.movement.asked:
        return np.zeros(len(rows))
    lately = [sources.around.lately.get(identity_id, ()) for identity_id in stood.identities]
    beside = [one.beside for one in asked]
    # Those of identities, and after them those beside tracklets, each in a range of rows.
    parts: list[tuple[Int64Array, Int64Array]] = [(stood.begins, stood.counts)]
    seen = list(stood.tracklets)
    for lists in (lately, beside):
        counts = np.array([len(some) for some in lists], np.int64)
        parts.append((len(seen) + np.cumsum(counts) - counts, counts))
        seen += [t for some in lists for t in some]
    # After the pairs come those who have somebody beside them, to be compared with.
    accompanied = np.flatnonzero(parts[2][1] > 0)
    whose = np.concatenate([rows, accompanied])
    where = (columns, columns, whose)
    found = [ranges(begins[at], counts[at]) for (begins, counts), at in zip(parts, where, strict=True)]
    sets, places = (np.concatenate([part[side] for part in found]) for side in (0, 1))
    sightings = Sightings.of(seen)
    # What is left out of an identity is not among its own, but may be beside.
    own = np.arange(len(sets)) < len(found[0][0]) + len(found[1][0])
    kept = ~(own & _left_out(asked, whose[sets], sightings.numbers[places]))
    sets, places = sets[kept], places[kept]
    order = np.argsort(sets, kind="stable")
    after = Sightings.of([one.tracklet for one in asked]).taken(whose)
    last = sightings.last(sets[order], places[order], before_ns=after.begins_ns)
    moved = sources.movement.evidence(after, sightings.taken(last))
    common = np.zeros(len(asked))
    common[accompanied] = moved[len(rows) :]
    return np.asarray(moved[: len(rows)] - common[rows], np.float64)


def _left_out(asked: Sequence[Asked], rows: Int64Array, numbers: Int64Array) -> BoolArray:
    """Which of the tracklets `numbers` (k,) are left out for the ones that `rows` (k,) ask about."""
    gone: BoolArray = np.isin(numbers, np.array(sorted(frozenset().union(*(one.left_out for one in asked))), np.int64))
    for place in np.flatnonzero(gone).tolist():
        gone[place] = int(numbers[place]) in asked[int(rows[place])].left_out
    return gone


def _apart(asked: Sequence[Asked], terms: LinkTerms, sources: Sources) -> None:
    """Note, at most 0, where an identity is in another view at the same time."""
    column = {identity_id: index for index, identity_id in enumerate(terms.identities)}
    others = list(sources.around.recent.values())
    of_other = np.array([column.get(t.identity_id, -1) if t.identity_id is not None else -1 for t in others], np.int64)
    found = sources.around.in_two_views([one.tracklet for one in asked])
    rows, places = np.nonzero(found & (of_other >= 0))
    columns = of_other[places]
    known = terms.known[rows, columns]
    for row, place, index in zip(rows[known].tolist(), places[known].tolist(), columns[known].tolist(), strict=True):
        if others[place].number not in asked[row].left_out:
            cost = sources.movement.rarely(others[place].camera_id, asked[row].tracklet.camera_id)
            terms.apart[row, index] = min(terms.apart[row, index], cost)

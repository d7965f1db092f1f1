"""Pairs of tracklets of two cameras of which it is known, and not by their looks, whether they are one person.

To tell what a way of comparing looks is worth, pairs must not have been chosen by how they look, least of all as that
way has it. The hub's links will not do: what looked alike was linked. So these are

- **genuine**: on one spot of the floor at one time in two views that share it (3 nat of evidence of place or more, as
  the hub wants it of its own lessons), and nobody else who was there at once is as good for either; whether the hub
  has linked them is not asked. Or joined by an operator's merge, one of each side of it: the hub had not joined them by
  itself, so if anything they are harder than most, and normalization is worth more than they say. What lay on one side
  of a merge the hub had put together by their looks; that is left out, although the operator let it stand.
- **impostors**: at one time in two views, in different places of a floor that both show (-3 nat or less), or in views
  that show nobody together; and whoever one camera saw at the same time as one of a genuine pair, with the other of
  it. Whom operators have told apart is left out: they are asked about those who look alike to the hub.

Two tracklets that one camera saw at once are two people, but no pair of two cameras: within a camera normalization
changes little, and its people look more alike as they share its colours. So they count through a genuine pair only.
And of each two cameras there have to be pairs of both kinds, or none is taken: else genuine pairs of cameras that
differ much would be measured against impostors of cameras that differ little, or the other way round.

Some labels are wrong all the same: a place is shared by chance, a box is drawn twice. They are as wrong with
normalization as without, and make its gain, or loss, smaller. The floor's maps were found with pairs that look alike,
but a map stands only where so many agree on one geometry; then it speaks of the unlike as of the like.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hub.association.place import Floor
from hub.association.topology import Topology
from hub.exclusion import in_two_views, seen_together
from hub.paths import NOWHERE, Path
from hub.records import Tracklet, TrackletNumber
from passerby.arrays import Int64Array
from passerby.ids import CameraId

_SURE = 3.0
"""Evidence of place (nat) that is enough, for or against: as of what the hub learns looks from."""

_LONGEST_NS = 600 * 10**9
"""Who has been in a view for longer is not compared with who comes then, so that a sleeper does not cost everything."""

_MOST_ASKED = 6000
"""Pairs whose places are compared, the latest: a tenth of a millisecond each."""

Pair = tuple[int, int]
"""Two rows of tracklets."""


@dataclass(frozen=True, slots=True, eq=False)
class KnownPairs:
    """Pairs (n, 2) of rows of tracklets."""

    genuine: Int64Array
    impostors: Int64Array
    cameras: int
    """How many pairs of cameras they are of."""


def known_pairs(
    tracklets: Sequence[Tracklet],
    *,
    paths: Mapping[TrackletNumber, Path],
    floor: Floor,
    topology: Topology,
    joined: Collection[tuple[TrackletNumber, TrackletNumber]] = (),
    each_once: bool = True,
) -> KnownPairs:
    """What is known of tracklets of one model, in any order; `joined` are pairs of the two sides of operators' merges.

    `paths` may lack those who were in no view that shares its floor. `each_once`: only so many pairs that a tracklet is
    in one of each kind at most.
    """
    order = sorted(range(len(tracklets)), key=lambda row: (-tracklets[row].started_at_ns, tracklets[row].number))
    rows = {tracklets[row].number: row for row in order}
    on_spot, elsewhere, unmapped = _by_place(tracklets, order, paths=paths, floor=floor, topology=topology)
    genuine = _unrivalled(on_spot, tracklets)
    merged = [(rows[a], rows[b]) for a, b in joined if a in rows and b in rows]
    genuine += [(a, b) for a, b in merged if tracklets[a].camera_id != tracklets[b].camera_id]
    known = {frozenset(pair) for pair in genuine}
    companions = _companions(tracklets, {row for pair in genuine for row in pair})
    impostors = [
        (other, third)
        for pair in genuine
        for one, other in (pair, pair[::-1])
        for third in companions.get(one, ())
        if tracklets[third].camera_id != tracklets[other].camera_id
    ]
    apart = [pair for pair in [*impostors, *elsewhere, *unmapped] if frozenset(pair) not in known]
    both = {_cameras(tracklets, pair) for pair in genuine} & {_cameras(tracklets, pair) for pair in apart}
    kept = [[pair for pair in kind if _cameras(tracklets, pair) in both] for kind in (genuine, apart)]
    chosen = [_each_once(pairs) for pairs in kept] if each_once else kept
    same, other = (np.array(pairs, np.int64).reshape(-1, 2) for pairs in chosen)
    return KnownPairs(genuine=same, impostors=other, cameras=len(both))


def _by_place(
    tracklets: Sequence[Tracklet],
    order: Sequence[int],
    *,
    paths: Mapping[TrackletNumber, Path],
    floor: Floor,
    topology: Topology,
) -> tuple[list[Pair], list[Pair], list[Pair]]:
    """Pairs in two views at once, the latest first: on one spot, elsewhere on one floor, and in views apart."""
    on_spot: list[Pair] = []
    elsewhere: list[Pair] = []
    apart: list[Pair] = []
    for asked, (a, b) in enumerate(_at_once(tracklets, order)):
        if asked == _MOST_ASKED:
            break
        first, second = sorted((tracklets[a], tracklets[b]), key=lambda t: (t.started_at_ns, t.number))
        cameras = (first.camera_id, second.camera_id)
        if not floor.mapped(*cameras):
            if topology.never_together(*cameras) <= -_SURE:
                apart.append((a, b))
            continue
        path, other = paths.get(first.number, NOWHERE), paths.get(second.number, NOWHERE)
        evidence = floor.evidence(path, other, cameras=cameras)
        if evidence is not None and abs(evidence) >= _SURE:
            (on_spot if evidence > 0.0 else elsewhere).append((a, b))
    return on_spot, elsewhere, apart


def _at_once(tracklets: Sequence[Tracklet], order: Sequence[int]) -> Iterator[Pair]:
    """Rows of tracklets of two cameras that were seen at once for long enough, those that began last first."""
    active: list[int] = []
    for row in order:
        mine = tracklets[row]
        # Whoever is left has begun no sooner than this one: they are at once for as long as this one lasts.
        active = [one for one in active if tracklets[one].started_at_ns < mine.started_at_ns + _LONGEST_NS]
        for one in active:
            if in_two_views(mine, tracklets[one]):
                yield one, row
        active.append(row)


def _unrivalled(on_spot: Sequence[Pair], tracklets: Sequence[Tracklet]) -> list[Pair]:
    """Pairs of which neither could as well be a pair with somebody who was seen beside the other."""
    partners: dict[int, list[int]] = {}
    for a, b in on_spot:
        partners.setdefault(a, []).append(b)
        partners.setdefault(b, []).append(a)

    def rivalled(one: int, other: int) -> bool:
        return any(third != other and seen_together(tracklets[third], tracklets[other]) for third in partners[one])

    return [(a, b) for a, b in on_spot if not rivalled(a, b) and not rivalled(b, a)]


def _companions(tracklets: Sequence[Tracklet], wanted: Collection[int]) -> dict[int, list[int]]:
    """Of each of some rows those that its camera saw at the same time: other people."""
    by_camera: dict[CameraId, list[int]] = {}
    for row, tracklet in enumerate(tracklets):
        by_camera.setdefault(tracklet.camera_id, []).append(row)
    found: dict[int, list[int]] = {}
    for rows in by_camera.values():
        asked = [row for row in rows if row in wanted]
        begins = np.array([tracklets[row].started_at_ns for row in rows], np.int64)
        ends = np.array([tracklets[row].ended_at_ns for row in rows], np.int64)
        for row in asked:
            near = np.flatnonzero((begins < tracklets[row].ended_at_ns) & (ends > tracklets[row].started_at_ns))
            others = [rows[one] for one in near.tolist() if rows[one] != row]
            found[row] = [one for one in others if seen_together(tracklets[row], tracklets[one])]
    return found


def _cameras(tracklets: Sequence[Tracklet], pair: Pair) -> frozenset[CameraId]:
    return frozenset(tracklets[row].camera_id for row in pair)


def _each_once(pairs: Iterable[Pair]) -> list[Pair]:
    """The first pairs in which each tracklet is once: more of them would tell hardly more."""
    taken: set[int] = set()
    kept = []
    for pair in pairs:
        if taken.isdisjoint(pair):
            taken.update(pair)
            kept.append(pair)
    return kept

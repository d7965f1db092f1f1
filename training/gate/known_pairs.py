"""Of which pairs of tracklets it is known, without labels, whether they are one person.

One: a tracklet's early and late pictures, and whom operators have joined. Two: whoever is in one camera at once, or at
one moment in two views that never show one person, and whom operators have told apart. With the hub's word, which
weighs time and place as well as looks: one are those whom it has linked; two are somebody whom it has linked to a
tracklet, and whoever was seen beside that tracklet.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passerby.adaptation import Snapshot, SnapshotViews
from passerby.arrays import Float32Array, Int64Array
from training.gate.separation import Pairs

SHARED_NS = 800_000_000
"""Two tracklets of one camera that share less may be one person whom the tracker lost and found."""

APART_NS = 2_000_000_000
"""Between the early and the late pictures of a tracklet, on average: nearer ones are the same picture twice."""

MOST_PAIRS = 20_000
"""Of two people; of more, so many are drawn."""

_ROWS_AT_ONCE = 256

_NO_PAIRS: Int64Array = np.zeros((0, 2), np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """The h held-out tracklets, in the order of the hub's numbers; element i of each array is one.

    `identities` (h,): whom the hub takes it for, -1 for nobody; `groups` (h,) int64: from 0, by their names.
    """

    rows: Int64Array
    cameras: Int64Array
    identities: Int64Array
    groups: Int64Array
    began_ns: Int64Array
    ended_ns: Int64Array
    clock_error_ns: Int64Array
    views: SnapshotViews

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def of(cls, snapshot: Snapshot, held_out: Int64Array, *, groups: Int64Array) -> "Scene":
        """`held_out` are rows of tracklets, `groups` (t,) the names of the groups of all."""
        rows = np.unique(held_out)
        return cls(
            rows,
            snapshot.camera_rows[rows],
            snapshot.identities[rows],
            np.unique(groups[rows], return_inverse=True)[1].astype(np.int64),
            snapshot.started_at_ns[rows],
            snapshot.ended_at_ns[rows],
            snapshot.clock_error_ns[rows],
            snapshot.views,
        )

    def pairs(self, rows: Int64Array) -> Pairs:
        """Of rows (k, 2) of this scene."""
        return Pairs(rows, self.groups[rows])

    def gaps_ns(self, part: slice = slice(None)) -> Int64Array:
        """(r, h): time between a tracklet of the rows `part` and another; negative: so long they share."""
        gaps: Int64Array = np.maximum(self.began_ns[part, None], self.began_ns) - np.minimum(
            self.ended_ns[part, None], self.ended_ns
        )
        return gaps

    def impossible(self, part: slice = slice(None)) -> NDArray[np.bool_]:
        """(r, h): whether a tracklet of the rows `part` cannot be the same person as another of another camera: at one
        moment in views apart, or sooner in the other than anybody can be there. Clock errors are allowed for."""
        error = self.clock_error_ns[part, None] + self.clock_error_ns
        gaps = self.gaps_ns(part)
        mine, theirs = self.cameras[part, None], self.cameras
        at_once = self.views.apart[mine, theirs] & (-gaps > error)
        forth = self.views.fastest_s[mine, theirs].astype(np.float64) * 1e9
        back = self.views.fastest_s[theirs, mine].astype(np.float64) * 1e9
        first = self.began_ns[part, None] < self.began_ns
        too_soon = (gaps >= 0) & (gaps + error < np.where(first, forth, back))
        found: NDArray[np.bool_] = (mine != theirs) & (at_once | too_soon)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class KnownPairs:
    """`one` and `two` people: whom time and place tell of; `joined` and `parted`: whom operators have told of;
    `linked` and `unlinked`: of two cameras, whom the hub tells of."""

    one: Pairs
    two: Pairs
    joined: Pairs
    parted: Pairs
    linked: Pairs
    unlinked: Pairs


def known_pairs(snapshot: Snapshot, scene: Scene, *, long: NDArray[np.bool_], seed: int) -> KnownPairs:
    """Of the scene's tracklets; `long` (h,): those with early and late pictures (`Ends`)."""
    two = np.concatenate([_NO_PAIRS, *_at_once(scene)])
    linked, unlinked = _by_hub(scene, two)
    own = np.flatnonzero(long)
    return KnownPairs(
        scene.pairs(np.stack([own, own], axis=1)),
        scene.pairs(_some(two, seed=seed)),
        scene.pairs(_within(snapshot.together, scene)),
        scene.pairs(_within(snapshot.apart, scene)),
        scene.pairs(_some(linked, seed=seed)),
        scene.pairs(_some(unlinked, seed=seed)),
    )


def _some(pairs: Int64Array, *, seed: int) -> Int64Array:
    """As many as are wanted at most, in order."""
    if len(pairs) <= MOST_PAIRS:
        return pairs
    return pairs[np.sort(np.random.default_rng(seed).choice(len(pairs), MOST_PAIRS, replace=False))]


def _by_hub(scene: Scene, two: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Pairs (k, 2) of two cameras: of one identity; and of an identity and somebody who was seen at once, in one
    camera, with another of its tracklets (rows `two`), or who cannot be it at all."""
    known = np.flatnonzero(scene.identities >= 0)
    names, columns = np.unique(scene.identities[known], return_inverse=True)
    members = np.zeros((len(scene), len(names)), np.bool_)
    members[known, columns] = True
    beside = np.zeros_like(members)
    one, other = two[scene.cameras[two[:, 0]] == scene.cameras[two[:, 1]]].T
    np.logical_or.at(beside, one, members[other])
    np.logical_or.at(beside, other, members[one])
    beside &= ~members
    linked, unlinked = [_NO_PAIRS], [_NO_PAIRS]
    for start in range(0, len(scene), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        crossing = scene.cameras[part, None] != scene.cameras
        same = (scene.identities[part, None] == scene.identities) & (scene.identities >= 0)
        of_two = (members[part].astype(np.float32) @ beside.T.astype(np.float32)) > 0
        of_two |= (beside[part].astype(np.float32) @ members.T.astype(np.float32)) > 0
        of_two |= scene.impossible(part)
        for found, kind in ((linked, same), (unlinked, of_two & ~same)):
            one, other = np.nonzero(crossing & kind)
            pairs = np.stack([one + start, other], axis=1)
            found.append(pairs[pairs[:, 0] < pairs[:, 1]])
    return np.concatenate(linked), np.concatenate(unlinked)


def _at_once(scene: Scene) -> Iterator[Int64Array]:
    """Pairs (k, 2) of rows, the lower first, a part of all rows at a time."""
    for start in range(0, len(scene), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        shared = -scene.gaps_ns(part)
        same = scene.cameras[part, None] == scene.cameras
        error = scene.clock_error_ns[part, None] + scene.clock_error_ns
        apart = scene.views.apart[scene.cameras[part, None], scene.cameras]
        known = (shared > SHARED_NS) & (same | (apart & (shared > SHARED_NS + error)))
        one, other = np.nonzero(known)
        pairs = np.stack([one + start, other], axis=1)
        yield pairs[pairs[:, 0] < pairs[:, 1]]


def _within(pairs: Int64Array, scene: Scene) -> Int64Array:
    """Pairs of the snapshot's rows of which both are in the scene, as its rows."""
    kept = pairs[np.isin(pairs, scene.rows).all(axis=1)]
    found: Int64Array = np.searchsorted(scene.rows, kept).astype(np.int64)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """Crops of the first and the last third of each of the scene's tracklets by time, at least one each.

    `early` and `late` (n,) int64: of each crop the row in the scene, or -1. `long` (h,): whether they are far enough
    apart in time to be compared.
    """

    early: Int64Array
    late: Int64Array
    long: NDArray[np.bool_]

    @classmethod
    def of(cls, snapshot: Snapshot, scene: Scene) -> "Ends":
        early = np.full(snapshot.crops, -1, np.int64)
        late = early.copy()
        order = np.lexsort((snapshot.crop_ids, snapshot.captured_at_ns, snapshot.crop_tracklets))
        begins = np.searchsorted(snapshot.crop_tracklets, [scene.rows, scene.rows + 1])
        times = np.zeros((len(scene), 2))
        for row, (begin, end) in enumerate(begins.T.tolist()):
            third = max((end - begin) // 3, min(end - begin, 1))
            for column, (of_end, crops) in enumerate(
                ((early, order[begin : begin + third]), (late, order[end - third : end]))
            ):
                of_end[crops] = row
                times[row, column] = snapshot.captured_at_ns[crops].mean() if len(crops) else 0.0
        return cls(early, late, times[:, 1] - times[:, 0] >= APART_NS)


def pair_similarities(early: Float32Array, late: Float32Array, rows: Int64Array) -> Float32Array:
    """(k,): cosine of the one's early and the other's late pictures, mean over both ways; (h, d) unit rows."""
    one, other = rows.T
    forth = np.einsum("kd,kd->k", early[one], late[other])
    back = np.einsum("kd,kd->k", early[other], late[one])
    similarities: Float32Array = ((forth + back) / 2.0).astype(np.float32)
    return similarities

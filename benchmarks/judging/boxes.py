"""What the hub's decisions are worth as tracks over all cameras: identities on the boxes that the edges have seen."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from hub.export import DECIDED_AFTER_NS, CameraTracks, interpolate, one_row_each
from hub.history import DecisionHistory
from hub.playback import Batch
from hub.records import Tracklet, TrackletNumber
from passerby.arrays import Int64Array
from passerby.ids import BootId, CameraId, TrackletId
from passerby.messages import Observations, TrackletUpdate
from training.evaluate.mot_files import read_truth
from training.evaluate.tracks import TrackBoxes, TrackingQuality, evaluate_tracks

MIN_VISIBILITY = 0.3
"""Who is seen less does not count; to find them is no fault."""

_SAME_BOX_IOU = 0.5

_WITHIN = 0.7
"""Of the smaller of two boxes: of somebody of whom a part is hidden, or who is drawn too large."""


@dataclass(frozen=True, slots=True)
class Overlaps:
    """Where boxes of one camera lie on true ones: pair k says that `rows[k]` of the edges' is `true_rows[k]`.

    `shares` (k,) are their intersections over unions; `ignored` (n,) bool: the edges' row belongs to somebody who does
    not count.
    """

    rows: Int64Array
    true_rows: Int64Array
    shares: NDArray[np.float64]
    ignored: NDArray[np.bool_]


class Footage:
    """All boxes of a site, true ones and those of the edges' tracklets, to lay identities on.

    True boxes are cut where the picture ends: an edge cannot see farther.
    """

    def __init__(self, batches: Sequence[Batch], gt: Path) -> None:
        """`gt`: the folder of true boxes. Raises DataError."""
        truth = read_truth(gt, min_visibility=MIN_VISIBILITY)
        sizes = _frame_sizes(batches)
        self.truth = {camera: _cut(boxes, sizes.get(camera)) for camera, boxes in truth.items()}
        self._keys, self._seen = _seen_by_camera(batches, cameras=list(self.truth))
        self._overlaps = {camera: _overlaps(self.truth[camera], seen) for camera, seen in self._seen.items()}

    def identities(
        self, tracklets: Mapping[TrackletNumber, Tracklet], history: DecisionHistory
    ) -> dict[str, CameraTracks]:
        """Every camera's rows with the identities that a hub has given them, decided and final."""
        numbers = {(t.boot_id, t.tracklet_id): number for number, t in tracklets.items()}
        final, times, decided = [], [], []
        for key in self._keys:
            number = numbers.get(key)
            made = [] if number is None else history.decisions(number)
            times.append(np.array([at for at, _ in made], np.int64))
            decided.append(np.array([0, *(identity for _, identity in made)], np.int64))
            final.append(int(decided[-1][-1]))
        last = np.array(final, np.int64)
        named = {}
        for camera, seen in self._seen.items():
            then = np.zeros(len(seen), np.int64)
            # Rows lie by frame; those of one tracklet are asked together.
            order = np.argsort(seen.tracklets, kind="stable")
            ends = np.flatnonzero(np.diff(seen.tracklets[order], append=-1))
            begin = 0
            for end in (ends + 1).tolist():
                rows = order[begin:end]
                key_index = int(seen.tracklets[rows[0]])
                at = np.searchsorted(times[key_index], seen.captured_at_ns[rows] + DECIDED_AFTER_NS, side="right")
                then[rows] = decided[key_index][at]
                begin = end
            named[camera] = replace(seen, identities=last[seen.tracklets], decided=then)
        return named

    def shown(self) -> Iterator[tuple[tuple[BootId, TrackletId], str, Int64Array, Int64Array]]:
        """Of each tracklet its name, its camera, the capture times (n,) of its rows, and whom each row shows.

        That is, of the people on whose boxes a row lies (two, where one covers the other), the one on whom the tracklet
        lies most often, or else the best; of none, who lies within it, or the other way round. Rows that lie on nobody
        are left out, but of a thing, who shows nobody: 0.
        """
        for camera, seen in self._seen.items():
            overlaps, truth = self._overlaps[camera], self.truth[camera]
            people = _within(truth, seen)
            order = np.argsort(overlaps.shares, kind="stable")  # The best one is written last.
            people[overlaps.rows[order]] = truth.ids[overlaps.true_rows[order]]
            on, whose = overlaps.rows, truth.ids[overlaps.true_rows]
            for index in np.unique(seen.tracklets).tolist():
                mine = seen.tracklets == index
                names, counts = np.unique(whose[mine[on]], return_counts=True)
                if len(names):
                    people[on[mine[on] & (whose == names[counts.argmax()])]] = names[counts.argmax()]
                rows = np.flatnonzero(mine)
                somebody = people[rows] != 0
                if 2 * somebody.sum() >= len(rows):
                    rows = rows[somebody]
                yield self._keys[index], camera, seen.captured_at_ns[rows], people[rows]

    def idf1(self, named: Mapping[str, CameraTracks], *, as_decided: bool) -> float:
        """IDF1 over all cameras, by the global matching of identities alone: quick.

        Against `quality` it differs where a frame's matching with ignored people depends on who is not yet known.
        """
        rows_true, rows_found, boxes, wanted = [], [], 0, 0
        for camera, seen in named.items():
            identities = seen.decided if as_decided else seen.identities
            overlaps, truth = self._overlaps[camera], self.truth[camera]
            kept = np.zeros(len(seen), bool)
            kept[one_row_each(seen, identities)] = True
            kept &= ~overlaps.ignored
            boxes += int(kept.sum())
            wanted += int(truth.counts.sum())
            both = kept[overlaps.rows] & truth.counts[overlaps.true_rows]
            rows_found.append(identities[overlaps.rows[both]])
            rows_true.append(truth.ids[overlaps.true_rows[both]])
        people, person = np.unique(np.concatenate(rows_true), return_inverse=True)
        known, identity = np.unique(np.concatenate(rows_found), return_inverse=True)
        together = np.zeros((len(people), len(known)))
        np.add.at(together, (person, identity), 1.0)
        hits = together[linear_sum_assignment(together, maximize=True)].sum()
        return float(2.0 * hits / (boxes + wanted)) if wanted else 0.0

    def quality(self, named: Mapping[str, CameraTracks], *, as_decided: bool) -> TrackingQuality:
        """HOTA, AssA, IDF1 and the rest over all cameras, by trackeval: a minute for an hour of a camera."""
        predicted = {}
        for camera, seen in named.items():
            identities = seen.decided if as_decided else seen.identities
            rows = one_row_each(seen, identities)
            predicted[camera] = TrackBoxes(
                frames=seen.frame_numbers[rows],
                ids=identities[rows],
                boxes_xyxy=seen.boxes_xyxy[rows].astype(np.float64),
                counts=np.ones(len(rows), bool),
            )
        return evaluate_tracks(self.truth, predicted).site


def _frame_sizes(batches: Sequence[Batch]) -> dict[str, tuple[int, int]]:
    """(width, height) of the pictures of each camera that somebody was seen by."""
    messages = (envelope.message for batch in batches for _, envelope in batch.deliveries)
    return {str(one.camera_id): one.frame_size for one in messages if isinstance(one, TrackletUpdate)}


def _cut(boxes: TrackBoxes, size: tuple[int, int] | None) -> TrackBoxes:
    return boxes if size is None else replace(boxes, boxes_xyxy=np.clip(boxes.boxes_xyxy, 0.0, [*size, *size]))


def _seen_by_camera(
    batches: Sequence[Batch], *, cameras: Sequence[str]
) -> tuple[list[tuple[BootId, TrackletId]], dict[str, CameraTracks]]:
    """The names of all tracklets, and the rows of each camera, whose `tracklets` are places in that list."""
    parts: dict[tuple[BootId, TrackletId], list[Observations]] = {}
    where: dict[tuple[BootId, TrackletId], CameraId] = {}
    for batch in batches:
        for _, envelope in batch.deliveries:
            update = envelope.message
            if isinstance(update, TrackletUpdate):
                parts.setdefault((envelope.boot_id, update.tracklet_id), []).append(update.observations)
                where[envelope.boot_id, update.tracklet_id] = update.camera_id
    keys = list(parts)
    by_camera: dict[str, list[tuple[int, Observations, NDArray[np.bool_]]]] = {camera: [] for camera in cameras}
    for index, key in enumerate(keys):
        by_camera[where[key]].append((index, *interpolate(_joined(parts[key]))))
    return keys, {camera: _rows(found) for camera, found in by_camera.items()}


def _joined(parts: list[Observations]) -> Observations:
    return Observations(
        np.concatenate([part.frame_numbers for part in parts]),
        np.concatenate([part.captured_at_ns for part in parts]),
        np.concatenate([part.boxes_xyxy for part in parts]),
        np.concatenate([part.confidence for part in parts]),
    )


def _rows(found: list[tuple[int, Observations, NDArray[np.bool_]]]) -> CameraTracks:
    seen = _joined([Observations.empty(), *(one for _, one, _ in found)])
    tracklets = np.repeat([index for index, _, _ in found], [len(one) for _, one, _ in found]).astype(np.int64)
    made_up = np.concatenate([np.zeros(0, bool), *(flags for _, _, flags in found)])
    order = np.lexsort((tracklets, seen.frame_numbers))
    nobody = np.zeros(len(order), np.int64)
    return CameraTracks(
        frame_numbers=seen.frame_numbers[order],
        captured_at_ns=seen.captured_at_ns[order],
        tracklets=tracklets[order],
        identities=nobody,
        decided=nobody,
        boxes_xyxy=seen.boxes_xyxy[order],
        confidence=seen.confidence[order],
        interpolated=made_up[order],
    )


def _overlaps(truth: TrackBoxes, seen: CameraTracks) -> Overlaps:
    """Pairs of an IoU of at least a half; of them, frame by frame, who belongs to somebody who is ignored."""
    rows, true_rows = _of_one_frame(truth, seen)
    shared, mine, theirs = _areas(seen.boxes_xyxy[rows].astype(np.float64), truth.boxes_xyxy[true_rows])
    overlap = _share(shared, mine + theirs - shared)
    near = overlap >= _SAME_BOX_IOU
    rows, true_rows, overlap = rows[near], true_rows[near], overlap[near]
    ignored = np.zeros(len(seen), bool)
    frames = seen.frame_numbers[rows]
    doubtful = np.isin(frames, frames[~truth.counts[true_rows]])
    for frame in np.unique(frames[doubtful]).tolist():
        here = slice(*np.searchsorted(frames, [frame, frame + 1]))
        found, i = np.unique(rows[here], return_inverse=True)
        people, j = np.unique(true_rows[here], return_inverse=True)
        gain = np.zeros((len(found), len(people)))
        gain[i, j] = overlap[here]
        chosen, of = linear_sum_assignment(gain, maximize=True)
        matched = gain[chosen, of] > 0
        ignored[found[chosen[matched]]] = ~truth.counts[people[of[matched]]]
    return Overlaps(rows, true_rows, overlap, ignored)


def _within(truth: TrackBoxes, seen: CameraTracks) -> Int64Array:
    """Who (n,) lies within each box, or the other way round, first of those who count; 0 for nobody."""
    rows, true_rows = _of_one_frame(truth, seen)
    shared, mine, theirs = _areas(seen.boxes_xyxy[rows].astype(np.float64), truth.boxes_xyxy[true_rows])
    share = _share(shared, np.minimum(mine, theirs))
    inside = np.flatnonzero(share >= _WITHIN)
    # The best one is written last.
    inside = inside[np.lexsort((share[inside], truth.counts[true_rows[inside]]))]
    people = np.zeros(len(seen), np.int64)
    people[rows[inside]] = truth.ids[true_rows[inside]]
    return people


def _of_one_frame(truth: TrackBoxes, seen: CameraTracks) -> tuple[Int64Array, Int64Array]:
    """All pairs of a row of the edges' and a true row of the same frame: (k,) each."""
    begins, ends = (np.searchsorted(truth.frames, seen.frame_numbers, side=side) for side in ("left", "right"))
    counts = ends - begins
    rows = np.repeat(np.arange(len(seen)), counts)
    true_rows = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(begins, counts)
    return rows, true_rows


def _areas(
    one: NDArray[np.float64], other: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """What boxes (n, 4) and (n, 4) have in common, pair by pair, and the areas of either: (n,) each."""
    sides = np.minimum(one[:, 2:], other[:, 2:]) - np.maximum(one[:, :2], other[:, :2])
    own, theirs = (np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (one, other))
    return np.prod(np.maximum(sides, 0.0), axis=1), own, theirs


def _share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    share: NDArray[np.float64] = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return share

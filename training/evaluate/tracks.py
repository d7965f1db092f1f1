"""How well people are tracked, over time and over cameras: HOTA, AssA, IDF1 and MOTA, computed by trackeval.

HOTA: Luiten et al., IJCV 2021. IDF1: Ristani et al., 2016. MOTA: Bernardin and Stiefelhagen, 2008.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from passerby.arrays import Int64Array, require_shape
from passerby.errors import ConfigError, DataError

_MATCH_IOU = 0.5
"""The overlap from which on MOTA, IDF1 and the rule for ignored boxes take two boxes for the same person."""


@dataclass(frozen=True, slots=True)
class TrackBoxes:
    """The tracks of one camera; row i of each array is one box, in the order of `frames`.

    `frames` (n,) int64 from 1; `ids` (n,) int64: who it is, the same in all cameras; `boxes_xyxy` (n, 4) float64
    pixels; `counts` (n,) bool: False for a box of the truth that is ignored. To find such a box is no success, and to
    miss it no failure: a prediction that belongs to it is taken out. Which one does is decided by the best matching
    (sum of IoU) of all boxes of the frame, ignored or not, that overlap by at least half.
    """

    frames: Int64Array
    ids: Int64Array
    boxes_xyxy: NDArray[np.float64]
    counts: NDArray[np.bool_]

    def __post_init__(self) -> None:
        require_shape("frames", self.frames, (None,))
        for name, array in (("ids", self.ids), ("counts", self.counts)):
            require_shape(name, array, (len(self.frames),))
        require_shape("boxes_xyxy", self.boxes_xyxy, (len(self.frames), 4))
        if not np.isfinite(self.boxes_xyxy).all():
            raise DataError("boxes_xyxy hold NaN or infinity, expected pixels")
        if (np.diff(self.frames) < 0).any():
            raise DataError("frames are not in order, expected them rising")

    def __len__(self) -> int:
        return len(self.frames)

    @classmethod
    def empty(cls) -> "TrackBoxes":
        """Nobody."""
        return cls(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 4)), np.zeros(0, np.bool_))


@dataclass(frozen=True, slots=True)
class TrackingQuality:
    """What tracks are worth, in fractions (MOTA can be below 0); `hota` and its parts are means over IoU 0.05-0.95.

    The fractions are None where no box of the truth counts.
    """

    hota: float | None
    assa: float | None
    deta: float | None
    idf1: float | None
    mota: float | None
    id_switches: int
    misses: int
    false_positives: int
    """Of MOTA, at an IoU of 0.5."""
    true_boxes: int
    true_ids: int
    predicted_boxes: int
    """Without those that fit an ignored box."""
    predicted_ids: int
    ignored_boxes: int
    """Of the truth."""
    frames: int
    """Up to the last that has a box."""


@dataclass(frozen=True, slots=True)
class SiteTracking:
    """`site`: all cameras as one long sequence, in which an identity must be the same in all of them."""

    site: TrackingQuality
    cameras: Mapping[str, TrackingQuality]


def evaluate_tracks(truth: Mapping[str, TrackBoxes], predicted: Mapping[str, TrackBoxes]) -> SiteTracking:
    """Compare what was predicted with the truth, camera by camera and over all.

    One person may be in two views at once, which no single sequence allows: the cameras stand one after the other, each
    with its frames behind those of the one before. Ids are compared as identities, never as numbers.

    Raises DataError when the cameras are not the same or no box of the truth counts, ConfigError without trackeval.
    """
    missing, extra = sorted(truth.keys() - predicted.keys()), sorted(predicted.keys() - truth.keys())
    if missing:
        raise DataError(f"no prediction for {', '.join(missing)}; expected a file, empty where nobody was found")
    if extra:
        raise DataError(
            f"no ground truth for {', '.join(extra)}; expected predictions of {', '.join(sorted(truth))} alone"
        )
    if not any(boxes.counts.any() for boxes in truth.values()):
        raise DataError("no box of the ground truth counts; nothing can be measured")
    cameras = sorted(truth)
    return SiteTracking(
        site=_quality([(truth[camera], predicted[camera]) for camera in cameras]),
        cameras={camera: _quality([(truth[camera], predicted[camera])]) for camera in cameras},
    )


@dataclass(frozen=True, slots=True)
class _Instant:
    """One frame of one camera: ids of the truth (m,) and predicted (n,), and `overlap` (m, n), their IoU."""

    true_ids: Int64Array
    predicted_ids: Int64Array
    overlap: NDArray[np.float64]


def _quality(views: list[tuple[TrackBoxes, TrackBoxes]]) -> TrackingQuality:
    instants = [instant for true, predicted in views for instant in _instants(true, predicted)]
    true_ids, true_numbers = _renumbered([instant.true_ids for instant in instants])
    predicted_ids, predicted_numbers = _renumbered([instant.predicted_ids for instant in instants])
    true_boxes, predicted_boxes = sum(map(len, true_numbers)), sum(map(len, predicted_numbers))
    sequence = {
        "num_timesteps": len(instants),
        "num_gt_ids": true_ids,
        "num_tracker_ids": predicted_ids,
        "num_gt_dets": true_boxes,
        "num_tracker_dets": predicted_boxes,
        "gt_ids": true_numbers,
        "tracker_ids": predicted_numbers,
        "similarity_scores": [instant.overlap for instant in instants],
    }
    hota, clear, identity = _metrics(sequence)
    measured = true_boxes > 0
    return TrackingQuality(
        hota=float(np.mean(hota["HOTA"])) if measured else None,
        assa=float(np.mean(hota["AssA"])) if measured else None,
        deta=float(np.mean(hota["DetA"])) if measured else None,
        idf1=float(identity["IDF1"]) if measured else None,
        mota=float(clear["MOTA"]) if measured else None,
        id_switches=int(clear["IDSW"]),
        misses=int(clear["CLR_FN"]),
        false_positives=int(clear["CLR_FP"]),
        true_boxes=true_boxes,
        true_ids=true_ids,
        predicted_boxes=predicted_boxes,
        predicted_ids=predicted_ids,
        ignored_boxes=sum(int((~true.counts).sum()) for true, _ in views),
        frames=sum(max(0, *map(_last_frame, view)) for view in views),
    )


def _last_frame(boxes: TrackBoxes) -> int:
    return int(boxes.frames[-1]) if len(boxes) else 0


def _metrics(sequence: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    try:
        from trackeval.metrics import CLEAR, HOTA, Identity
    except ImportError as error:
        raise ConfigError("measuring tracks needs trackeval: pip install 'passerby[evaluation]'") from error
    quiet = {"THRESHOLD": _MATCH_IOU, "PRINT_CONFIG": False}
    return HOTA().eval_sequence(sequence), CLEAR(quiet).eval_sequence(sequence), Identity(quiet).eval_sequence(sequence)


def _instants(true: TrackBoxes, predicted: TrackBoxes) -> Iterator[_Instant]:
    """Every frame in which somebody is or was found, in order, without what is ignored."""
    for frame in np.union1d(true.frames, predicted.frames):
        here = slice(*np.searchsorted(true.frames, [frame, frame + 1]))
        found = slice(*np.searchsorted(predicted.frames, [frame, frame + 1]))
        overlap = _iou(true.boxes_xyxy[here], predicted.boxes_xyxy[found])
        counts = true.counts[here]
        kept = np.ones(overlap.shape[1], np.bool_)
        if not counts.all():
            rows, columns = linear_sum_assignment(np.where(overlap >= _MATCH_IOU, overlap, 0.0), maximize=True)
            matched = overlap[rows, columns] >= _MATCH_IOU
            kept[columns[matched & ~counts[rows]]] = False
        yield _Instant(true.ids[here][counts], predicted.ids[found][kept], overlap[np.ix_(counts, kept)])


def _renumbered(ids: list[Int64Array]) -> tuple[int, list[Int64Array]]:
    """How many different ids there are, and the same lists with ids from 0 without gaps."""
    known, numbers = np.unique(np.concatenate([*ids, np.zeros(0, np.int64)]), return_inverse=True)
    return len(known), np.split(numbers, np.cumsum([len(part) for part in ids]))[:-1] if ids else []


def _iou(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union: element (i, j) of box i of `one` and box j of `other`, (m, 4) and (n, 4) xyxy."""
    corner = np.maximum(one[:, np.newaxis, :2], other[np.newaxis, :, :2])
    far = np.minimum(one[:, np.newaxis, 2:], other[np.newaxis, :, 2:])
    shared = np.prod(np.maximum(far - corner, 0.0), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (one, other)]
    union = areas[0][:, np.newaxis] + areas[1][np.newaxis, :] - shared
    overlap: NDArray[np.float64] = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return overlap

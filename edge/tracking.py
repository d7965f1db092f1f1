"""Who is who from one frame to the next, within one camera, by motion alone."""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
import supervision as sv
from numpy.typing import NDArray
from trackers import ByteTrackTracker, OCSORTTracker

from edge.boxes import iou
from edge.returns import LastSeen, doubtful_returns
from edge.takeovers import Seen, takeovers
from passerby.arrays import Detections, Float32Array, Int64Array
from passerby.config import CameraSettings

UNTRACKED = -1

_MIN_IOU = 0.2
"""At 5 fps a person walks about 0.28 m between frames, half their own width: the boxes overlap by a third, and less
before the filter knows the speed. ByteTrack's own 0.1 lets lost tracks drift onto other people."""

_MIN_IOU_AT_BIRTH = 0.1

_UNSEEN_S = 0.3
_UNSEEN_FRAMES = 2.5
"""Whoever was not found for longer than both may, among others, come back as one of them."""


@dataclass(frozen=True, slots=True)
class Tracks:
    """Who the detections of one frame are; row i is detection i.

    `keys` (n,) int64, the same number for the same person while they are tracked, from 1, or UNTRACKED.
    `previous_rows` (n,) int64: of a person tracked for the first time, their row in the *previous* frame, when it was
    not yet known that they would stay; else -1.
    """

    keys: Int64Array
    previous_rows: Int64Array


class CameraTracker:
    """ByteTrack or OC-SORT (package `trackers`) for one camera, with keys of its own.

    Time decides, not the frame count: frames may be skipped or late. A key is given at the second sighting, is never
    used again, and is replaced where a track may have taken over another one's person (edge.takeovers) or come back as
    somebody else (edge.returns).
    `fps` is the rate that frames normally come at. Detections below `min_confidence` start no track.

    Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box", ECCV 2022; Cao et al.,
    "Observation-Centric SORT", CVPR 2023.
    """

    def __init__(self, settings: CameraSettings, *, fps: float, min_confidence: float) -> None:
        lost_frames = max(1, math.ceil(settings.lost_after_s * 30))  # the package counts in frames at 30 fps
        self._tracker: ByteTrackTracker | OCSORTTracker
        if settings.tracker == "bytetrack":
            self._tracker = ByteTrackTracker(
                lost_track_buffer=lost_frames,
                frame_rate=fps,
                track_activation_threshold=min_confidence,
                high_conf_det_threshold=min_confidence,
                minimum_consecutive_frames=1,
                minimum_iou_threshold=_MIN_IOU,
            )
        else:
            self._tracker = OCSORTTracker(
                lost_track_buffer=lost_frames,
                frame_rate=fps,
                high_conf_det_threshold=min_confidence,
                minimum_consecutive_frames=1,
                minimum_iou_threshold=_MIN_IOU,
            )
        self._min_confidence = min_confidence
        self._last_key = 0
        self._keys: dict[int, int] = {}
        self._sightings: Counter[int] = Counter()
        self._seen: dict[int, Seen] = {}
        self._last: dict[int, LastSeen] = {}
        self._cut_returns = settings.cut_id_switches
        self._unseen_ns = int(max(_UNSEEN_S, _UNSEEN_FRAMES / fps) * 1e9)
        self._first_ns: int | None = None
        self._last_ns = 0
        self._unclaimed = _Unclaimed(np.zeros((0, 4), np.float32), np.zeros(0, np.int64))

    def update(self, detections: Detections, captured_at_ns: int) -> Tracks:
        """The tracks of a frame's detections, low confidences included: they prolong tracks but start none.

        Times must grow; a frame that does not is tracked as if it came a millisecond after the one before it.
        """
        if self._first_ns is None:
            self._first_ns = self._last_ns = captured_at_ns
        else:
            self._last_ns = max(captured_at_ns, self._last_ns + 1_000_000)
        rows = np.arange(len(detections))
        found = self._tracker.update(
            sv.Detections(
                xyxy=detections.boxes_xyxy.astype(np.float64),
                confidence=detections.confidence.astype(np.float64),
                data={"row": rows},
            ),
            timestamp=(self._last_ns - self._first_ns) / 1e9,
        )
        theirs = np.full(len(detections), UNTRACKED, np.int64)
        if found.tracker_id is not None and len(found):
            theirs[found.data["row"]] = found.tracker_id
        return self._name(detections, theirs)

    def _name(self, detections: Detections, theirs: Int64Array) -> Tracks:
        """From the package's numbers of the tracks to our keys: new ones where a track may have changed person."""
        tracked = [(row, int(theirs[row])) for row in np.flatnonzero(theirs != UNTRACKED).tolist()]
        now = {
            number: Seen(detections.boxes_xyxy[row], float(detections.confidence[row]), self._sightings[number] + 1)
            for row, number in tracked
        }
        for lost, taker in takeovers(self._seen, now, min_confidence=self._min_confidence):
            self._keys.pop(lost, None)
            self._keys.pop(taker, None)
        places = {number: seen.box_xyxy for number, seen in now.items()}
        if self._cut_returns:
            for number in doubtful_returns(self._last, places, at_ns=self._last_ns, unseen_ns=self._unseen_ns):
                self._keys.pop(number, None)
        keys = np.full(len(detections), UNTRACKED, np.int64)
        previous_rows = np.full(len(detections), -1, np.int64)
        for row, number in tracked:
            if number not in self._keys:
                self._last_key += 1
                self._keys[number] = self._last_key
                if number not in self._last:
                    previous_rows[row] = self._unclaimed.claim(detections.boxes_xyxy[row])
            keys[row] = self._keys[number]
            self._sightings[number] += 1
        free = np.flatnonzero(keys == UNTRACKED)
        self._unclaimed = _Unclaimed(detections.boxes_xyxy[free], free)
        self._seen = now
        self._last |= {number: LastSeen(box, self._last_ns) for number, box in places.items()}
        self._forget_dead_tracks()
        return Tracks(keys, previous_rows)

    def _forget_dead_tracks(self) -> None:
        alive = {track.tracker_id for track in self._tracker.tracks}
        for number in [number for number in self._sightings if number not in alive]:
            del self._sightings[number]
            self._last.pop(number, None)
            self._keys.pop(number, None)


class _Unclaimed:
    """The untracked detections of the previous frame: a new track was one of them."""

    def __init__(self, boxes_xyxy: Float32Array, rows: NDArray[np.integer]) -> None:
        self._boxes = boxes_xyxy
        self._rows = rows.astype(np.int64)

    def claim(self, box_xyxy: Float32Array) -> int:
        """The row that overlaps most with the box, now taken; -1 if none overlaps enough."""
        if not len(self._rows):
            return -1
        overlap = iou(box_xyxy[None], self._boxes)[0]
        best = int(np.argmax(overlap))
        if overlap[best] < _MIN_IOU_AT_BIRTH:
            return -1
        row = int(self._rows[best])
        keep = np.arange(len(self._rows)) != best
        self._boxes, self._rows = self._boxes[keep], self._rows[keep]
        return row

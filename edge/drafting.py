"""One camera's people, tracked: which tracklets there are, and when they are to be told of. No network, no clock."""

import functools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.exemplars import Crop
from edge.frames import Frame
from edge.quality import crop_quality, visible_quality
from edge.switches import MIN_QUALITY_AFTER, Comparison
from edge.tracking import UNTRACKED, CameraTracker
from edge.tracklets import MIN_QUALITY, Shortcoming, Sighting, Tracklet
from edge.zones import Region
from passerby.arrays import Detections, Float32Array, Image, Int64Array
from passerby.config import CameraSettings
from passerby.errors import ModelError
from passerby.features.crossings import Crossings
from passerby.ids import CameraId, TrackletId
from passerby.models import ModelManifest


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """An update that waits for its new crops' embeddings."""

    frame: Frame
    tracklet: Tracklet
    final: bool
    crops: list[Crop]


class CameraTracklets:
    """Tracks the people whom a detector has found in one camera's frames."""

    def __init__(
        self,
        camera_id: CameraId,
        settings: CameraSettings,
        *,
        detector: ModelManifest,
        tracklet_ids: Iterator[TrackletId],
        source_fps: float = 0.0,
    ) -> None:
        """`source_fps` is what the camera gives, if known: fewer than `settings.fps` makes the tracker wait longer."""
        self.camera_id = camera_id
        self.settings = settings
        self.unpublished: Counter[Shortcoming] = Counter()
        """Tracklets that were never told of, by reason."""
        self.published = 0
        self.switches = 0
        """Crossings after which two people were found exchanged."""
        self._ids = tracklet_ids
        self._region = Region(settings)
        self._new_tracker = functools.partial(
            CameraTracker,
            settings,
            fps=min(settings.fps, source_fps or settings.fps),
            min_confidence=_start_confidence(settings, detector),
        )
        self._tracker = self._new_tracker()
        self._open: dict[int, Tracklet] = {}
        self._crossings: Crossings[Crop] = Crossings()
        self._comparisons: list[Comparison] = []
        self._previous: tuple[Frame, Detections] | None = None

    def watch(self, settings: CameraSettings) -> None:
        """Change zones, masks and the minimum height; tracklets stay open."""
        self.settings = settings
        self._region = Region(settings)

    def forget_embeddings(self) -> None:
        """Have all kept crops of open tracklets embedded anew at their next update."""
        for tracklet in self._open.values():
            tracklet.forget_embeddings()

    def advance(self, frame: Frame, detections: Detections) -> list[Draft]:
        """Track a frame's people; the drafts of what is to be told now.

        Where the clock was set back, everybody is told of for the last time, and tracking begins anew.
        """
        drafts = []
        if self._previous is not None and frame.captured_at_ns < self._previous[0].captured_at_ns:
            drafts = self.drain()
            self._tracker = self._new_tracker()
        height, width = frame.image.shape[:2]
        people = detections.where(self._region.watched(detections, width=width, height=height))
        tracks = self._tracker.update(people, frame.captured_at_ns)
        visible = visible_quality(people.boxes_xyxy, people.confidence, width=width, height=height)
        if self.settings.cut_id_switches:
            self._compare(frame, tracks.keys, boxes_xyxy=people.boxes_xyxy, visible=visible)
        for row, key in enumerate(tracks.keys.tolist()):
            if key == UNTRACKED:
                continue
            tracklet = self._open.get(key)
            if tracklet is None:
                tracklet = self._open[key] = Tracklet(self.settings, (width, height))
                self._see_birth(tracklet, int(tracks.previous_rows[row]))
            tracklet.see(_sighting(frame, people, row), frame.clock)
            _offer_crop(tracklet, frame, people.boxes_xyxy[row], visible=float(visible[row]))
        self._previous = (frame, people)
        return drafts + self._due(frame)

    def comparisons(self) -> list[Comparison]:
        """The crossings that the latest frame ended: to be embedded, and judged after its drafts are told."""
        found, self._comparisons = self._comparisons, []
        return found

    def cut(self, comparison: Comparison) -> list[Draft]:
        """End the tracklets of two who were exchanged where they crossed, and go on with new ones; the final drafts."""
        self.switches += 1
        crossing = comparison.crossing
        self._crossings.forget(crossing.keys)
        drafts = []
        for key, tracklet, before in zip(crossing.keys, comparison.tracklets, crossing.before, strict=True):
            if tracklet is None or self._open.get(key) is not tracklet:
                continue
            later = tracklet.split(crossing.ended_ns, before=before)
            del self._open[key]
            if later.sightings:
                self._open[key] = later
            drafts += self._close(tracklet, comparison.frame)
        return drafts

    def present(self, *, now_ns: int, within_ns: int) -> list[tuple[TrackletId, Float32Array]]:
        """Who was seen at most so long before, of those who were told of: the latest box of each, (4,) float32 xyxy."""
        return [
            (one.tracklet_id, one.last_box_xyxy)
            for one in self._open.values()
            if one.tracklet_id is not None and 0 <= now_ns - one.last_seen_ns <= within_ns
        ]

    def drain(self) -> list[Draft]:
        """The final drafts of all open tracklets, which are closed by it."""
        tracklets, self._open = list(self._open.values()), {}
        if self._previous is None:
            return []
        frame = self._previous[0]
        self._previous = None
        self._crossings = Crossings()
        self._comparisons = []
        return [draft for tracklet in tracklets for draft in self._close(tracklet, frame)]

    def _compare(
        self, frame: Frame, keys: Int64Array, *, boxes_xyxy: Float32Array, visible: NDArray[np.float64]
    ) -> None:
        """Follow the crossings of a frame's people, whose tracklets do not hold it yet."""
        tracked = np.flatnonzero(keys != UNTRACKED)

        def kept(key: int) -> list[Crop]:
            return self._open[key].crops.ranked() if key in self._open else []

        def picture(row: int) -> Crop | None:
            at = tracked[row]
            cut = _cut_out(frame, boxes_xyxy[at], visible=float(visible[at]), least=MIN_QUALITY_AFTER)
            return cut and Crop(0, frame.captured_at_ns, boxes_xyxy[at].copy(), cut[0], cut[1].copy())

        over = self._crossings.see(
            keys[tracked], boxes_xyxy[tracked], at_ns=frame.captured_at_ns, kept=kept, picture=picture
        )
        self._comparisons = [Comparison.of(frame, crossing, tracklets=self._open) for crossing in over]

    def _see_birth(self, tracklet: Tracklet, row: int) -> None:
        """The sighting one frame before the tracker was sure."""
        if row >= 0 and self._previous is not None:
            frame, people = self._previous
            tracklet.see(_sighting(frame, people, row), frame.clock)

    def _due(self, frame: Frame) -> list[Draft]:
        now_ns = frame.captured_at_ns
        drafts = []
        # What is told of a wrong person cannot be taken back.
        doubted = self._crossings.doubted(now_ns).union(*(one.crossing.keys for one in self._comparisons))
        for key, tracklet in list(self._open.items()):
            if tracklet.is_lost(now_ns):
                del self._open[key]
                drafts += self._close(tracklet, frame)
            elif key not in doubted and tracklet.is_due(now_ns):
                drafts.append(self._draft(tracklet, frame, final=False))
        return drafts

    def _close(self, tracklet: Tracklet, frame: Frame) -> list[Draft]:
        shortcoming = tracklet.shortcoming() if tracklet.tracklet_id is None else None
        if shortcoming is not None:
            self.unpublished[shortcoming] += 1
            return []
        return [self._draft(tracklet, frame, final=True)]

    def _draft(self, tracklet: Tracklet, frame: Frame, *, final: bool) -> Draft:
        if tracklet.tracklet_id is None:
            tracklet.tracklet_id = next(self._ids)
            self.published += 1
        return Draft(frame, tracklet, final, tracklet.crops_to_embed())


def _start_confidence(settings: CameraSettings, manifest: ModelManifest) -> float:
    """The camera's own wish, or what the detector's manifest advises."""
    if settings.min_confidence is not None:
        return settings.min_confidence
    if manifest.detection is None:
        raise ModelError(f"{manifest.name} has no `detection` in its manifest; a detector needs one")
    return manifest.detection.start_confidence


def _sighting(frame: Frame, people: Detections, row: int) -> Sighting:
    return Sighting(
        frame.frame_number, frame.captured_at_ns, people.boxes_xyxy[row].copy(), float(people.confidence[row])
    )


def _offer_crop(tracklet: Tracklet, frame: Frame, box_xyxy: Float32Array, *, visible: float) -> None:
    """Let the tracklet keep the crop if it is among its best; pixels are looked at only if it could be."""
    if visible < MIN_QUALITY or not tracklet.crops.wants(frame.captured_at_ns, visible):
        return
    cut = _cut_out(frame, box_xyxy, visible=visible, least=MIN_QUALITY)
    if cut is not None:
        tracklet.crops.add(frame.captured_at_ns, box_xyxy, quality=cut[0], image=cut[1])


def _cut_out(frame: Frame, box_xyxy: Float32Array, *, visible: float, least: float) -> tuple[float, Image] | None:
    """The quality and the pixels, a view of the frame's, of a box; None where the quality is below `least`."""
    if visible < least:
        return None
    height, width = frame.image.shape[:2]
    left, top = np.maximum(np.floor(box_xyxy[:2]), 0).astype(int)
    right, bottom = np.minimum(np.ceil(box_xyxy[2:]), (width, height)).astype(int)
    crop = frame.image[top:bottom, left:right]
    if crop.size == 0:
        return None
    quality = crop_quality(visible, crop)
    return (quality, crop) if quality >= least else None

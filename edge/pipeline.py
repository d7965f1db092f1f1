"""One camera from frames to tracklet updates: synchronous, deterministic, without clock, thread or socket."""

import functools
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from edge.exemplars import Crop
from edge.frames import Frame
from edge.quality import crop_quality, visible_quality
from edge.tracking import UNTRACKED, CameraTracker
from edge.tracklets import MIN_QUALITY, Shortcoming, Sighting, Tracklet
from edge.zones import Region
from passerby.arrays import Detections, Float32Array, Image
from passerby.config import CameraSettings
from passerby.errors import ModelError
from passerby.ids import CameraId, ModelId, TrackletId
from passerby.inference import DetectionEngine, EmbeddingEngine
from passerby.messages import TrackletUpdate
from passerby.models import ModelManifest


def tracklet_ids() -> Iterator[TrackletId]:
    """1, 2, 3, ...: one such counter serves all cameras of an edge's boot, so that no id comes twice."""
    return map(TrackletId, itertools.count(1))


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """An update that waits for its new crops' embeddings."""

    frame: Frame
    tracklet: Tracklet
    final: bool
    crops: list[Crop]


class CameraPipeline:
    """Tracks the people of one camera, and tells of them.

    `process` does all at once. To share the networks between cameras, detect on all their frames together, call
    `advance` of each, embed the crops of all drafts together, and call `complete` of each: `track_together` does.
    """

    def __init__(
        self,
        camera_id: CameraId,
        settings: CameraSettings,
        *,
        detector: DetectionEngine,
        embedder: EmbeddingEngine,
        tracklet_ids: Iterator[TrackletId],
        source_fps: float = 0.0,
    ) -> None:
        """`source_fps` is what the camera gives, if known: fewer than `settings.fps` makes the tracker wait longer."""
        self.camera_id = camera_id
        self.settings = settings
        self.unpublished: Counter[Shortcoming] = Counter()
        """Tracklets that were never told of, by reason."""
        self.published = 0
        self._detector = detector
        self._embedder = embedder
        self._ids = tracklet_ids
        self._region = Region(settings)
        self._new_tracker = functools.partial(
            CameraTracker,
            settings,
            fps=min(settings.fps, source_fps or settings.fps),
            min_confidence=_start_confidence(settings, detector.manifest),
        )
        self._tracker = self._new_tracker()
        self._open: dict[int, Tracklet] = {}
        self._previous: tuple[Frame, Detections] | None = None

    @property
    def model_id(self) -> ModelId:
        """The embedding space of its updates."""
        return self._embedder.manifest.model_id

    def watch(self, settings: CameraSettings) -> None:
        """Change zones, masks and the minimum height; tracklets stay open."""
        self.settings = settings
        self._region = Region(settings)

    def process(self, frame: Frame) -> list[TrackletUpdate]:
        """Detect, track, and tell what is due. Frames of a camera come in capture order."""
        return self.process_detected(frame, self._detector.detect([frame.image])[0])

    def process_detected(self, frame: Frame, detections: Detections) -> list[TrackletUpdate]:
        """The same for a frame on which the detector has already run."""
        return self._embed_and_complete(self.advance(frame, detections))

    def finish(self) -> list[TrackletUpdate]:
        """Close all open tracklets: the camera is stopped or its stream is over."""
        return self._embed_and_complete(self.drain())

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

    def drain(self) -> list[Draft]:
        """The final drafts of all open tracklets, which are closed by it."""
        tracklets, self._open = list(self._open.values()), {}
        if self._previous is None:
            return []
        frame = self._previous[0]
        self._previous = None
        return [draft for tracklet in tracklets for draft in self._close(tracklet, frame)]

    def complete(self, draft: Draft, embeddings: Float32Array) -> TrackletUpdate:
        """The update of a draft; `embeddings` (n, d) raw, row i of `draft.crops[i]`."""
        embedded = list(zip(draft.crops, embeddings, strict=True))
        return draft.tracklet.tell(draft.frame, model_id=self.model_id, embedded=embedded, final=draft.final)

    def _see_birth(self, tracklet: Tracklet, row: int) -> None:
        """The sighting one frame before the tracker was sure."""
        if row >= 0 and self._previous is not None:
            frame, people = self._previous
            tracklet.see(_sighting(frame, people, row), frame.clock)

    def _due(self, frame: Frame) -> list[Draft]:
        now_ns = frame.captured_at_ns
        drafts = []
        for key, tracklet in list(self._open.items()):
            if tracklet.is_lost(now_ns):
                del self._open[key]
                drafts += self._close(tracklet, frame)
            elif tracklet.is_due(now_ns):
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

    def _embed_and_complete(self, drafts: Sequence[Draft]) -> list[TrackletUpdate]:
        return complete_together([(self, draft) for draft in drafts], self._embedder)


def track_together(
    work: Sequence[tuple[CameraPipeline, Frame]], detections: Sequence[Detections], *, embedder: EmbeddingEngine
) -> list[TrackletUpdate]:
    """One frame each of several cameras with its people: at most one call of the embedder for all."""
    drafts = [
        (pipeline, draft)
        for (pipeline, frame), found in zip(work, detections, strict=True)
        for draft in pipeline.advance(frame, found)
    ]
    return complete_together(drafts, embedder)


def complete_together(
    drafts: Sequence[tuple[CameraPipeline, Draft]], embedder: EmbeddingEngine
) -> list[TrackletUpdate]:
    """Embed the crops of all drafts in one call and complete them, in their order."""
    crops: list[Image] = [crop.image for _, draft in drafts for crop in draft.crops]
    cameras = [draft.frame.camera_id for _, draft in drafts for _ in draft.crops]
    embeddings = embedder.embed(crops, cameras) if crops else np.zeros((0, 0), np.float32)
    updates, start = [], 0
    for pipeline, draft in drafts:
        end = start + len(draft.crops)
        updates.append(pipeline.complete(draft, embeddings[start:end]))
        start = end
    return updates


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
    height, width = frame.image.shape[:2]
    left, top = np.maximum(np.floor(box_xyxy[:2]), 0).astype(int)
    right, bottom = np.minimum(np.ceil(box_xyxy[2:]), (width, height)).astype(int)
    crop = frame.image[top:bottom, left:right]
    if crop.size == 0:
        return
    quality = crop_quality(visible, crop)
    if quality >= MIN_QUALITY:
        tracklet.crops.add(frame.captured_at_ns, box_xyxy, quality=quality, image=crop)

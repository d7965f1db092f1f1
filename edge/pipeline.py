"""One camera from frames to tracklet updates: synchronous, deterministic, without clock, thread or socket."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from edge.drafting import CameraTracklets, Draft
from edge.frames import Frame
from passerby.arrays import Detections, Float32Array, Image
from passerby.config import CameraSettings
from passerby.ids import CameraId, ModelId, TrackletId
from passerby.inference import DetectionEngine, EmbeddingEngine
from passerby.messages import TrackletUpdate


def tracklet_ids() -> Iterator[TrackletId]:
    """1, 2, 3, ...: one such counter serves all cameras of an edge's boot, so that no id comes twice."""
    return map(TrackletId, itertools.count(1))


class CameraPipeline(CameraTracklets):
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
        super().__init__(
            camera_id, settings, detector=detector.manifest, tracklet_ids=tracklet_ids, source_fps=source_fps
        )
        self._detector = detector
        self._embedder = embedder

    @property
    def model_id(self) -> ModelId:
        """The embedding space of its updates."""
        return self._embedder.manifest.model_id

    def process(self, frame: Frame) -> list[TrackletUpdate]:
        """Detect, track, and tell what is due. Frames of a camera come in capture order."""
        return self.process_detected(frame, self._detector.detect([frame.image])[0])

    def process_detected(self, frame: Frame, detections: Detections) -> list[TrackletUpdate]:
        """The same for a frame on which the detector has already run."""
        return self._embed_and_complete(self.advance(frame, detections))

    def finish(self) -> list[TrackletUpdate]:
        """Close all open tracklets: the camera is stopped or its stream is over."""
        return self._embed_and_complete(self.drain())

    def complete(self, draft: Draft, embeddings: Float32Array) -> TrackletUpdate:
        """The update of a draft; `embeddings` (n, d) raw, row i of `draft.crops[i]`."""
        embedded = list(zip(draft.crops, embeddings, strict=True))
        return draft.tracklet.tell(draft.frame, model_id=self.model_id, embedded=embedded, final=draft.final)

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

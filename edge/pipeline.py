"""One camera from frames to tracklet updates: synchronous, deterministic, without clock, thread or socket."""

import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from edge.drafting import CameraTracklets, Draft
from edge.exemplars import Crop
from edge.frames import Frame
from edge.switches import Comparison
from passerby.arrays import Detections, Float32Array, Image
from passerby.config import CameraSettings
from passerby.features.exchanges import SwitchOdds
from passerby.ids import CameraId, ModelId, TrackletId
from passerby.inference import DetectionEngine, EmbeddingEngine
from passerby.messages import TrackletUpdate

_NO_EMBEDDINGS: Float32Array = np.zeros((0, 0), np.float32)


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
        self._odds = SwitchOdds()

    @property
    def embedder(self) -> EmbeddingEngine:
        """The network that describes its people."""
        return self._embedder

    def describe_with(self, embedder: EmbeddingEngine) -> None:
        """Use another network from the next update on.

        The kept crops of open tracklets are embedded anew then, so that all embeddings of an update are of one model.
        """
        if embedder is not self._embedder:
            self._embedder = embedder
            self._odds = SwitchOdds()
            self.forget_embeddings()

    @property
    def model_id(self) -> ModelId:
        """The embedding space of its updates."""
        return self._embedder.manifest.model_id

    def process(self, frame: Frame) -> list[TrackletUpdate]:
        """Detect, track, and tell what is due. Frames of a camera come in capture order."""
        return self.process_detected(frame, self._detector.detect([frame.image])[0])

    def process_detected(self, frame: Frame, detections: Detections) -> list[TrackletUpdate]:
        """The same for a frame on which the detector has already run."""
        return track_together([(self, frame)], [detections])

    def finish(self) -> list[TrackletUpdate]:
        """Close all open tracklets: the camera is stopped or its stream is over."""
        return complete_together([(self, draft) for draft in self.drain()])

    def complete(self, work: Draft | Comparison, embeddings: Float32Array) -> list[TrackletUpdate]:
        """The update of a draft, or the last ones of two who were exchanged; row i of `embeddings` (n, d) raw is of
        `work.crops[i]`."""
        if isinstance(work, Comparison):
            return self._judge(work, work.with_embeddings(embeddings))
        return [self._told(work, dict(zip(work.crops, embeddings, strict=True)))]

    def _judge(self, work: Comparison, embedded: Mapping[Crop, Float32Array]) -> list[TrackletUpdate]:
        found = work.leanings(embedded)
        exchanged = self._odds.log_odds(found) > 0
        self._odds = self._odds.taught(found)
        return [self._told(draft, embedded) for draft in (self.cut(work) if exchanged else [])]

    def _told(self, draft: Draft, embedded: Mapping[Crop, Float32Array]) -> TrackletUpdate:
        new = [(crop, embedded[crop]) for crop in draft.crops]
        return draft.tracklet.tell(draft.frame, model_id=self.model_id, embedded=new, final=draft.final)


def track_together(
    work: Sequence[tuple[CameraPipeline, Frame]], detections: Sequence[Detections]
) -> list[TrackletUpdate]:
    """One frame each of several cameras with its people: at most one call of each embedder for all."""
    drafts: list[tuple[CameraPipeline, Draft | Comparison]] = []
    for (pipeline, frame), found in zip(work, detections, strict=True):
        drafts += [(pipeline, draft) for draft in pipeline.advance(frame, found)]
        drafts += [(pipeline, comparison) for comparison in pipeline.comparisons()]
    return complete_together(drafts)


def complete_together(drafts: Sequence[tuple[CameraPipeline, Draft | Comparison]]) -> list[TrackletUpdate]:
    """Embed the crops of all drafts, in one call of each embedder, and complete the drafts in their order."""
    embeddings = [_NO_EMBEDDINGS] * len(drafts)
    for embedder in {id(pipeline.embedder): pipeline.embedder for pipeline, _ in drafts}.values():
        rows = [row for row, (pipeline, draft) in enumerate(drafts) if pipeline.embedder is embedder and draft.crops]
        if not rows:
            continue
        crops: list[Image] = [crop.image for row in rows for crop in drafts[row][1].crops]
        cameras = [drafts[row][1].frame.camera_id for row in rows for _ in drafts[row][1].crops]
        ends = np.cumsum([len(drafts[row][1].crops) for row in rows])
        for row, part in zip(rows, np.split(embedder.embed(crops, cameras), ends[:-1]), strict=True):
            embeddings[row] = part
    return [
        update
        for (pipeline, draft), vectors in zip(drafts, embeddings, strict=True)
        for update in pipeline.complete(draft, vectors)
    ]

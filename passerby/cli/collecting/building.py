"""People of videos, found and tracked as a camera's are, cut out into an archive of crops.

Fu et al., Unsupervised Pre-training for Person Re-identification (LUPerson), CVPR 2021: what nobody has labelled.
"""

from collections.abc import Callable, Sequence
from contextlib import closing

import msgspec

from edge.drafting import CameraTracklets, Draft
from edge.pipeline import tracklet_ids
from edge.sources import open_source
from edge.sources.prefetch import prefetch
from edge.tracklets import jpeg
from passerby.cli.collecting.videos import Video
from passerby.config import CameraSettings
from passerby.errors import SourceError
from passerby.ids import CameraId
from passerby.inference import DetectionEngine
from training.datasets.crops import CropWriter
from training.datasets.records import ArchiveSettings, CropRecord, TrackletRecord, VideoRecord

_JPEG_QUALITY = 90
_TOLERATED_FRAMES = 2
"""Containers count a frame or two that no decoder gives."""

_TOLERATED_S = 2.0
"""Sound may go on after the last picture."""


def collect(
    video: Video,
    writer: CropWriter,
    *,
    detector: DetectionEngine,
    how: ArchiveSettings,
    on_frame: Callable[[int], None] = lambda _: None,
) -> VideoRecord:
    """Read a video and keep its people. What was read of a broken one is kept, and its record says where it ends.

    `on_frame` hears of each frame number that is looked at, from 1. Raises SourceError where nothing can be read.
    """
    settings = CameraSettings(
        url=str(video.file),
        fps=how.fps,
        cut_id_switches=False,
        crops_per_tracklet=how.crops_per_tracklet,
        min_person_height=how.min_person_height,
        min_confidence=how.min_confidence,
    )
    camera = CameraId(video.camera)
    record = VideoRecord(camera=video.camera, name=video.file.name, fingerprint=video.fingerprint)
    frames = last = last_ns = 0
    broken = ""
    with open_source(camera, settings, realtime=False, start_at_ns=0) as source:
        tracking = CameraTracklets(
            camera, settings, detector=detector.manifest, tracklet_ids=tracklet_ids(), source_fps=source.info.fps
        )
        number = writer.begin(record)
        kept = _Kept(writer, number)
        try:
            with closing(prefetch(source)) as pictures:
                for frame in pictures:
                    frames, last, last_ns = frames + 1, frame.frame_number, frame.captured_at_ns
                    on_frame(last)
                    kept.add(tracking.advance(frame, detector.detect([frame.image])[0]))
        except SourceError as error:
            if not frames:
                raise
            broken = f"{error} (after frame {last})"
        kept.add(tracking.drain())
        broken = broken or _missing(video, last, last_ns=last_ns, step_s=1 / min(how.fps, source.info.fps))
    record = msgspec.structs.replace(
        record, complete=True, cut_short=broken, frames=frames, tracklets=kept.tracklets, crops=kept.crops
    )
    writer.finish(number, record)
    return record


def _missing(video: Video, last: int, *, last_ns: int, step_s: float) -> str:
    """What a video lacks whose picture number `last`, `step_s` before the next, was looked at last; empty: nothing."""
    if not last:
        return ""
    last_s = last_ns / 1e9
    if video.frames is not None:
        stride = step_s * max(last - 1, 1) / last_s if last_s else 1.0
        whole = last + stride + _TOLERATED_FRAMES >= video.frames
        return "" if whole else f"it ends after frame {last} of {video.frames}"
    if video.seconds is None or last_s + step_s + _TOLERATED_S >= video.seconds:
        return ""
    return f"it ends after {last_s:.1f} of {video.seconds:.1f} s"


class _Kept:
    """Tracklets that have ended, on their way into the archive."""

    def __init__(self, writer: CropWriter, video: int) -> None:
        self._writer = writer
        self._video = video
        self.tracklets = 0
        self.crops = 0

    def add(self, drafts: Sequence[Draft]) -> None:
        ended = [_row(draft) for draft in drafts if draft.final]
        if not ended:
            return
        self._writer.add(self._video, ended)
        self.tracklets += len(ended)
        self.crops += sum(len(jpegs) for _, _, jpegs in ended)


def _row(draft: Draft) -> tuple[int, TrackletRecord, list[bytes]]:
    tracklet = draft.tracklet
    if tracklet.tracklet_id is None:
        raise ValueError("a draft is of a tracklet that has an id")
    crops = tracklet.crops.ranked()
    records = []
    for crop in crops:
        left, top, right, bottom = crop.box_xyxy.tolist()
        box = (left, top, right, bottom)
        records.append(CropRecord(captured_at_ns=crop.captured_at_ns, box_xyxy=box, quality=crop.quality))
    record = TrackletRecord(started_at_ns=tracklet.started_at_ns, ended_at_ns=tracklet.last_seen_ns, crops=records)
    return int(tracklet.tracklet_id), record, [jpeg(crop.image, quality=_JPEG_QUALITY) for crop in crops]

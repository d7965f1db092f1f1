"""The people of a film: found, tracked and described as a camera's are."""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import av
import numpy as np

from edge.pipeline import CameraPipeline, tracklet_ids
from edge.sources import open_source
from edge.sources.prefetch import prefetch
from hub.enrolment.grouping import people_in_film
from hub.enrolment.likeness import Likeness
from hub.enrolment.records import Look, Picture
from passerby.cli.looking.people import Person, Sighting
from passerby.config import CameraSettings
from passerby.errors import DataError
from passerby.ids import CameraId, TrackletId
from passerby.inference import DetectionEngine, EmbeddingEngine
from passerby.messages import TrackletUpdate

_CAMERA = CameraId("film")
_FPS = 5.0
_ONLY_AT_LAST_S = 86400.0
"""Nobody waits for news of an open tracklet; each would cost an embedding."""


def frames_in(file: Path) -> int | None:
    """How many frames a film says that it has, if it does."""
    try:
        with av.open(str(file)) as container:
            return container.streams.video[0].frames or None if container.streams.video else None
    except (av.FFmpegError, OSError):
        return None  # what is wrong with it is said where it is read


def watch_film(
    file: Path,
    *,
    detector: DetectionEngine,
    embedder: EmbeddingEngine,
    first: int = 1,
    last: int | None = None,
    name: str = "",
    on_frame: Callable[[int], None] = lambda _: None,
    on_last: Callable[[], None] = lambda: None,
) -> list[Sighting]:
    """Everybody who is tracked in frames `first` to `last` (from 1, both included), in the order of their beginnings.

    `on_frame` hears of each frame number that is looked at, `on_last` that there are no more: who is still there is
    embedded then. Raises SourceError, and DataError, which calls the film `name`, where nobody is seen.
    """
    # Whoever is asked about is pointed out as one track, from the first frame to the last.
    settings = CameraSettings(url=str(file), fps=_FPS, update_interval_s=_ONLY_AT_LAST_S, cut_id_switches=False)
    updates: dict[TrackletId, list[TrackletUpdate]] = {}
    seen_frames = 0
    with open_source(_CAMERA, settings, realtime=False, start_at_ns=0) as source:
        pipeline = CameraPipeline(
            _CAMERA,
            settings,
            detector=detector,
            embedder=embedder,
            tracklet_ids=tracklet_ids(),
            source_fps=source.info.fps,
        )
        with closing(prefetch(source)) as frames:
            for frame in frames:
                if last is not None and frame.frame_number > last:
                    break
                on_frame(frame.frame_number)
                if frame.frame_number >= first:
                    seen_frames += 1
                    _collect(updates, pipeline.process(frame))
        on_last()
        _collect(updates, pipeline.finish())
    if not updates:
        why = ", ".join(f"{count} {reason}" for reason, count in sorted(pipeline.unpublished.items()))
        raise DataError(
            f"nobody is seen in {seen_frames} frames of {name or file.name}"
            f"{f' (tracks that are no use: {why})' if why else ''}; is it the right film, range and detector?"
        )
    return [_sighting(of_one) for of_one in updates.values()]


def group(sightings: Sequence[Sighting], likeness: Likeness) -> list[Person]:
    """The people of one film, in the order of their first sightings."""
    known = [likeness.known(sighting.look, origin="film") for sighting in sightings]
    labels = people_in_film(known, [sighting.span_ns for sighting in sightings], likeness=likeness)
    return [
        Person(tuple(sightings[row] for row in np.flatnonzero(labels == person).tolist()))
        for person in range(int(labels.max(initial=-1)) + 1)
    ]


def _collect(updates: dict[TrackletId, list[TrackletUpdate]], new: Sequence[TrackletUpdate]) -> None:
    for update in new:
        updates.setdefault(update.tracklet_id, []).append(update)


def _sighting(updates: Sequence[TrackletUpdate]) -> Sighting:
    final = updates[-1]
    jpegs = {crop_id: jpeg for update in updates for crop_id, jpeg in update.crops.items()}
    kept = final.exemplars
    pictures = tuple(
        Picture(kept.embeddings[row].astype(np.float32), float(kept.quality[row]), jpegs[crop_id])
        for row, crop_id in enumerate(kept.crop_ids.tolist())
    )
    return Sighting(
        Look(pictures),
        np.concatenate([update.observations.frame_numbers for update in updates]),
        np.concatenate([update.observations.boxes_xyxy for update in updates]),
        (final.started_at_ns, final.ended_at_ns),
    )

"""One camera from its sightings to its tracklets, with the truth of each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, Int64Array
from passerby.ids import CameraId
from simulation.streams import stream
from simulation.tapes.appearance import Appearance, Views
from simulation.tapes.clocks import CameraClock
from simulation.tapes.detecting import NOBODY, Detected, detect
from simulation.tapes.networks import DIMENSION
from simulation.tapes.sightings import Sightings
from simulation.tapes.telling import Telling, ToldTracklet, rows_told, tellings
from simulation.tapes.tracking import track

_OF_THE_OTHER = 0.6
"""Of the part of a box that a nearer person covers, this share of the embedding is theirs."""


@dataclass(frozen=True, slots=True)
class FilmedTracklet:
    """A told tracklet, and of each sighting who it is: `people` (n,) index of the person, -1 for a thing."""

    told: ToldTracklet
    people: NDArray[np.int64]


def film(seed: int, sightings: Sightings, *, appearance: Appearance, seconds: float) -> list[FilmedTracklet]:
    """The tracklets that an edge would tell of, by their first frame."""
    detected = detect(seed, sightings, seconds=seconds)
    clock = CameraClock.of(seed, sightings.camera_id)
    last_frame = max(0, int(seconds * sightings.fps) - 1)
    drafts: list[_Draft] = []
    for number, one in enumerate(track(seed, sightings.camera_id, detected, fps=sightings.fps)):
        seen = detected.rows(one.rows)
        captured = clock.captured_at_ns(seen.frames / sightings.fps)
        told = tellings(
            seen.frames,
            captured,
            boxes_xyxy=seen.boxes_xyxy,
            quality=seen.quality,
            fps=sightings.fps,
            last_frame=last_frame,
        )
        if told:
            rows = np.array(rows_told(told), np.intp)
            draw = stream(seed, "tracklet", sightings.camera_id, number)
            pictures = _pictures(sightings.camera_id, seen.rows(rows), appearance=appearance, draw=draw)
            drafts.append(_Draft(seen, captured, told, rows, pictures))
    if not drafts:
        return []
    vectors = appearance.as_seen(
        sightings.camera_id,
        np.concatenate([draft.pictures for draft in drafts]),
        times_s=np.concatenate([draft.seen.frames[draft.rows] for draft in drafts]) / sightings.fps,
    ).astype(np.float16)
    ends = np.cumsum([len(draft.rows) for draft in drafts])
    return [
        draft.finished(sightings, clock, embeddings=vectors[end - len(draft.rows) : end])
        for draft, end in zip(drafts, ends.tolist(), strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Draft:
    """A tracklet whose pictures, of rows `rows` (k,), have no embeddings yet: a camera's are made all at once."""

    seen: Detected
    captured_at_ns: Int64Array
    told: tuple[Telling, ...]
    rows: NDArray[np.intp]
    pictures: Float32Array

    def finished(self, sightings: Sightings, clock: CameraClock, *, embeddings: NDArray[np.float16]) -> FilmedTracklet:
        told = ToldTracklet(
            camera_id=sightings.camera_id,
            frame_size=sightings.size,
            clock=clock.stated,
            frames=self.seen.frames,
            captured_at_ns=self.captured_at_ns,
            boxes_xyxy=self.seen.boxes_xyxy,
            confidence=self.seen.confidence,
            quality=self.seen.quality,
            tellings=self.told,
            embeddings=dict(zip(self.rows.tolist(), embeddings, strict=True)),
        )
        return FilmedTracklet(told, self.seen.people)


def _pictures(
    camera_id: CameraId, pictures: Detected, *, appearance: Appearance, draw: np.random.Generator
) -> Float32Array:
    """Some boxes (n, 256) of one tracklet, which may be of more than one person, on the network's own axes."""
    found = np.zeros((len(pictures), DIMENSION), np.float32)
    for person in np.unique(pictures.people).tolist():
        rows = np.flatnonzero(pictures.people == person)
        if person == NOBODY:
            found[rows] = appearance.of_thing(camera_id, int(pictures.things[rows[0]]), count=len(rows), draw=draw)
            continue
        views = Views(
            yaw_rad=pictures.yaw_rad[rows],
            visibility=pictures.visibility[rows],
            height_px=pictures.boxes_xyxy[rows, 3] - pictures.boxes_xyxy[rows, 1],
            other=np.where(pictures.covered[rows] > 0, pictures.covered_by[rows], NOBODY),
            other_share=_OF_THE_OTHER * pictures.covered[rows],
        )
        found[rows] = appearance.of_person(camera_id, person, views=views, draw=draw)
    return found

"""One camera from its sightings to its tracklets, with the truth of each."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array
from simulation.streams import stream
from simulation.tapes.appearance import Appearance, Views
from simulation.tapes.clocks import CameraClock
from simulation.tapes.detecting import NOBODY, Detected, detect
from simulation.tapes.networks import DIMENSION
from simulation.tapes.sightings import Sightings
from simulation.tapes.telling import ToldTracklet, rows_told, tellings
from simulation.tapes.tracking import track

_OF_THE_OTHER = 0.6
"""Of the part of a box that a nearer person covers, this share of the embedding is theirs."""


@dataclass(frozen=True, slots=True)
class FilmedTracklet:
    """A told tracklet, and of each sighting who it is: `people` (n,) index of the person, -1 for a thing."""

    told: ToldTracklet
    people: NDArray[np.int64]


def film(seed: int, sightings: Sightings, *, appearance: Appearance, seconds: float) -> Iterator[FilmedTracklet]:
    """The tracklets that an edge would tell of, by their first frame."""
    detected = detect(seed, sightings, seconds=seconds)
    clock = CameraClock.of(seed, sightings.camera_id)
    last_frame = max(0, int(seconds * sightings.fps) - 1)
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
        if not told:
            continue
        draw = stream(seed, "tracklet", sightings.camera_id, number)
        rows = rows_told(told)
        vectors = _embeddings(sightings, seen.rows(np.array(rows, np.intp)), appearance=appearance, draw=draw)
        tracklet = ToldTracklet(
            camera_id=sightings.camera_id,
            frame_size=sightings.size,
            clock=clock.stated,
            frames=seen.frames,
            captured_at_ns=captured,
            boxes_xyxy=seen.boxes_xyxy,
            confidence=seen.confidence,
            quality=seen.quality,
            tellings=told,
            embeddings=dict(zip(rows, vectors.astype(np.float16), strict=True)),
        )
        yield FilmedTracklet(tracklet, seen.people)


def _embeddings(
    sightings: Sightings, pictures: Detected, *, appearance: Appearance, draw: np.random.Generator
) -> Float32Array:
    """Raw vectors (n, 256) of some boxes of one tracklet, which may be of more than one person."""
    times = pictures.frames / sightings.fps
    found = np.zeros((len(pictures), DIMENSION), np.float32)
    for person in np.unique(pictures.people).tolist():
        rows = np.flatnonzero(pictures.people == person)
        if person == NOBODY:
            thing = int(pictures.things[rows[0]])
            found[rows] = appearance.of_things(sightings.camera_id, thing, times_s=times[rows], draw=draw)
            continue
        views = Views(
            yaw_rad=pictures.yaw_rad[rows],
            visibility=pictures.visibility[rows],
            height_px=pictures.boxes_xyxy[rows, 3] - pictures.boxes_xyxy[rows, 1],
            other=np.where(pictures.covered[rows] > 0, pictures.covered_by[rows], NOBODY),
            other_share=_OF_THE_OTHER * pictures.covered[rows],
            times_s=times[rows],
        )
        found[rows] = appearance.embeddings(sightings.camera_id, person, views=views, draw=draw)
    return found

"""One camera from its sightings to its tracklets, with the truth of each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulation.streams import stream
from simulation.tapes.appearance import Appearance
from simulation.tapes.clocks import CameraClock
from simulation.tapes.detecting import detect
from simulation.tapes.pictures import Pictures
from simulation.tapes.sightings import Sightings
from simulation.tapes.switching import Teller
from simulation.tapes.telling import ToldTracklet, rows_told
from simulation.tapes.tracking import track


@dataclass(frozen=True, slots=True)
class FilmedTracklet:
    """A told tracklet, and of each sighting who it is: `people` (n,) index of the person, -1 for a thing."""

    told: ToldTracklet
    people: NDArray[np.int64]


def film(seed: int, sightings: Sightings, *, appearance: Appearance, seconds: float) -> list[FilmedTracklet]:
    """The tracklets that an edge would tell of, by their first frame."""
    camera_id, fps = sightings.camera_id, sightings.fps
    detected = detect(seed, sightings, seconds=seconds)
    clock = CameraClock.of(seed, camera_id)
    tracked = track(seed, camera_id, detected, fps=fps)
    captured_at_ns = clock.captured_at_ns(detected.frames / fps)
    pictures = Pictures(
        camera_id,
        detected,
        stays=tracked.stays,
        fps=fps,
        appearance=appearance,
        draw=stream(seed, "pictures", camera_id),
    )
    teller = Teller(
        detected,
        tracked.tracks,
        captured_at_ns=captured_at_ns,
        pictures=pictures,
        fps=fps,
        last_frame=max(0, int(seconds * fps) - 1),
    )
    found = []
    for one in teller.tracklets():
        seen, told = detected.rows(one.rows), rows_told(one.told)
        embeddings = pictures.of(one.rows[told].tolist())
        tracklet = ToldTracklet(
            camera_id=camera_id,
            frame_size=sightings.size,
            clock=clock.stated,
            frames=seen.frames,
            captured_at_ns=captured_at_ns[one.rows],
            boxes_xyxy=seen.boxes_xyxy,
            confidence=seen.confidence,
            quality=seen.quality,
            tellings=one.told,
            embeddings=dict(zip(told, embeddings, strict=True)),
        )
        found.append(FilmedTracklet(tracklet, seen.people))
    return found

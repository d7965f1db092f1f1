"""The guard set: labelled people of a simulated site that no network of ours has ever seen."""

import numpy as np

from passerby.arrays import Image
from simulation.samples import person_crops, sampled_frames
from simulation.site import SimulatedSite
from simulation.streams import stream
from training.gate.guarding import GuardSet

_SEED = 6_180_339_887
"""Far from the seeds of the embedded networks' sites, and from those that somebody types for a demo."""

_PEOPLE, _CAMERAS, _FRAMES, _SECONDS = 40, 3, 14, 1200.0


def guard_set() -> GuardSet:
    """40 people before 3 cameras, about 300 crops as they were cut out; the same whenever it is rendered.

    It takes some 0.3 s a frame, of which there are 42. A network that was adapted to a site gets them as from a camera
    that it does not know.
    """
    site = SimulatedSite.make("crowded", seed=_SEED, cameras=_CAMERAS, people=_PEOPLE)
    draw = stream(_SEED, "guard")
    pictures: list[Image] = []
    people: list[int] = []
    cameras: list[int] = []
    for camera, frame in sampled_frames(site, frames_per_camera=_FRAMES, seconds=_SECONDS, seed=_SEED):
        for crop in person_crops(frame, draw=draw):
            pictures.append(crop.image)
            people.append(crop.person_id)
            cameras.append(camera)
    return GuardSet(
        "simulated people", np.array(people, np.int64), np.array(cameras, np.int64), pictures=tuple(pictures)
    )

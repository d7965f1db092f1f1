"""The guard set: labelled people of a simulated site that no network of ours has ever seen."""

import contextlib
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from passerby.arrays import Image
from passerby.whole_files import whole_file
from simulation.kinds import KIND_VERSION
from simulation.samples import person_crops, sampled_frames
from simulation.shelf import shelf_folder
from simulation.site import SimulatedSite
from simulation.streams import stream
from training.gate.guarding import GuardSet

_SEED = 6_180_339_887
"""Far from the seeds of the embedded networks' sites, and from those that somebody types for a demo."""

_PEOPLE, _CAMERAS, _FRAMES, _SECONDS = 40, 3, 14, 1200.0
_NAME = "simulated people"


def guard_set(kept: Path | None = None) -> GuardSet:
    """40 people before 3 cameras, about 300 crops as they were cut out; the same whenever it is rendered.

    Rendered once, which takes half a minute, and kept in the file `kept`: by default in the user's cache. A disk that
    does not take it costs rendering it again. A network that was adapted to a site gets them as from a camera that it
    does not know.
    """
    file = shelf_folder().parent / f"guard-v{KIND_VERSION}.npz" if kept is None else kept
    with contextlib.suppress(OSError, KeyError, ValueError, zipfile.BadZipFile):
        return _read(file)
    made = _rendered()
    with contextlib.suppress(OSError):
        _write(made, file)
    return made


def _rendered() -> GuardSet:
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
    return GuardSet(_NAME, np.array(people, np.int64), np.array(cameras, np.int64), pictures=tuple(pictures))


def _read(file: Path) -> GuardSet:
    with np.load(file, allow_pickle=False) as kept:
        pictures = tuple(kept[f"picture {row}"] for row in range(len(kept["people"])))
        return GuardSet(_NAME, kept["people"], kept["cameras"], pictures=pictures)


def _write(made: GuardSet, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    pictures: dict[str, Any] = {f"picture {row}": picture for row, picture in enumerate(made.pictures)}
    with whole_file(file) as opened:
        np.savez(opened, people=made.people, cameras=made.cameras, **pictures)

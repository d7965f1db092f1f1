"""The truth beside a tape: boxes in MOT files, true transit times and overlaps, and who each tracklet is."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from simulation.ground_truth import (
    LEAST_VISIBILITY,
    Sighting,
    SiteTruth,
    overlaps,
    transits,
    write_truth,
)
from simulation.kinds import KIND_VERSION
from simulation.site import SimulatedSite
from simulation.tapes.detecting import MIN_HEIGHT_PX
from simulation.tapes.filming import FilmedTracklet
from simulation.tapes.sightings import Sightings

TAPE_VERSION = 2
"""Changes with anything that changes a tape of the same kind and seed. Every table of figures prints it."""

_GAP_S = 1.5
"""Who is hidden for no longer stays in the view, as in rendered sites."""

NOT_A_PERSON = 0
"""The person of a tracklet of a thing."""


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """Who a tracklet was for some time; 0 is a thing. True seconds since the tape's begin."""

    person: int
    begin_s: float
    end_s: float
    sightings: int


class TrackletTruth(msgspec.Struct, frozen=True, kw_only=True):
    """One tracklet on the tape: (boot, tracklet) is its name there; `person` is who it is for the most part."""

    boot: str
    """16 bytes in hexadecimal digits."""
    tracklet: int
    camera: str
    person: int
    begin_s: float
    end_s: float
    stretches: list[Stretch]


class TapeTruth(msgspec.Struct, frozen=True, kw_only=True):
    """Who is on a tape. `families` maps a person to the number of those who dress alike."""

    tape_version: int
    kind: str
    kind_version: int
    seed: int
    network: str
    seconds: float
    fps: dict[str, float]
    start_ns: int
    families: dict[int, int]
    tracklets: list[TrackletTruth]


def tracklet_truth(
    filmed: FilmedTracklet, *, boot: str, tracklet: int, person_ids: NDArray[np.int64], fps: float
) -> TrackletTruth:
    """Who a tracklet is, and when."""
    told = filmed.told
    ids = np.append(person_ids, NOT_A_PERSON)[filmed.people]  # A thing is -1: the last one.
    found = stretches(told.frames / fps, ids)
    people, counts = np.unique(ids, return_counts=True)
    return TrackletTruth(
        boot=boot,
        tracklet=tracklet,
        camera=str(told.camera_id),
        person=int(people[counts.argmax()]),
        begin_s=found[0].begin_s,
        end_s=found[-1].end_s,
        stretches=found,
    )


def stretches(at_s: NDArray[np.float64], people: NDArray[np.int64]) -> list[Stretch]:
    """Who somebody is taken for, `people` (n,), at times (n,) in order: at least one."""
    starts = np.flatnonzero(np.diff(people, prepend=-1))
    return [
        Stretch(
            person=int(people[rows[0]]),
            begin_s=round(float(at_s[rows[0]]), 3),
            end_s=round(float(at_s[rows[-1]]), 3),
            sightings=len(rows),
        )
        for rows in np.split(np.arange(len(people)), starts[1:])
    ]


def write_boxes(path: Path, sightings: Sightings, *, person_ids: NDArray[np.int64]) -> None:
    """A camera's MOT file: frame,id,x,y,w,h,flag,1,visibility; boxes cut to the picture, frames from 1.

    The flag is 0, which asks for nobody, for who is less high in the picture than an edge tracks. Boxes are whole
    behind furniture and people, but end with the picture, as a detector's do: what is judged is who is who.
    """
    cut = sightings.boxes_xyxy
    inside = ((cut[:, 2:] - cut[:, :2]) >= 1).all(axis=1)
    frames, people, boxes = sightings.frames[inside], sightings.people[inside], cut[inside]
    counts = (boxes[:, 3] - boxes[:, 1] >= MIN_HEIGHT_PX).astype(int)
    columns = (
        (frames + 1).tolist(), person_ids[people].tolist(), boxes[:, 0].tolist(), boxes[:, 1].tolist(),
        (boxes[:, 2] - boxes[:, 0]).tolist(), (boxes[:, 3] - boxes[:, 1]).tolist(), counts.tolist(),
        sightings.visibility[inside].tolist(),
    )  # fmt: skip
    with path.open("w", encoding="ascii") as file:
        file.writelines(
            f"{frame},{person},{x:.1f},{y:.1f},{w:.1f},{h:.1f},{flag},1,{share:.3f}\n"
            for frame, person, x, y, w, h, flag, share in zip(*columns, strict=True)
        )


def stays(sightings: Sightings, *, person_ids: NDArray[np.int64]) -> list[Sighting]:
    """Each person's stays in one camera's view."""
    order = np.lexsort((sightings.frames, sightings.people))
    order = order[sightings.visibility[order] >= LEAST_VISIBILITY]
    times, people = sightings.frames[order] / sightings.fps, sightings.people[order]
    new = (np.diff(people, prepend=-1) != 0) | (np.diff(times, prepend=-np.inf) > _GAP_S)
    starts = np.flatnonzero(new).tolist()
    return [
        Sighting(
            person=int(person_ids[people[begin]]),
            camera=str(sightings.camera_id),
            begin_s=round(float(times[begin]), 3),
            end_s=round(float(times[end - 1]), 3),
        )
        for begin, end in itertools.pairwise([*starts, len(order)])
    ]


def site_truth(site: SimulatedSite, found: Sequence[Sighting], *, seconds: float, fps: dict[str, float]) -> SiteTruth:
    """The truth of the stretch over all cameras, as rendered sites have it."""
    ordered = sorted(found, key=lambda one: (one.begin_s, one.camera, one.person))
    specs = [site.spec(camera) for camera in site.camera_ids]
    return SiteTruth(
        kind=site.kind.name,
        kind_version=KIND_VERSION,
        seed=site.seed,
        seconds=seconds,
        cameras={
            str(spec.camera_id): {
                "fps": fps[spec.camera_id], "width": spec.width, "height": spec.height, "room": spec.room
            }
            for spec in specs
        },
        people=len({one.person for one in ordered}),
        sightings=ordered,
        transits=transits(ordered),
        overlaps=overlaps(ordered),
    )  # fmt: skip


def write_tape_truth(folder: Path, tape: TapeTruth, *, site: SiteTruth) -> None:
    """truth.json and tracklets.json."""
    write_truth(folder / "truth.json", site)
    (folder / "tracklets.json").write_bytes(msgspec.json.encode(tape) + b"\n")


def read_tape_truth(folder: Path) -> TapeTruth:
    """What `write_tape_truth` wrote of the tracklets. Raises msgspec.DecodeError or OSError."""
    return msgspec.json.decode((folder / "tracklets.json").read_bytes(), type=TapeTruth)

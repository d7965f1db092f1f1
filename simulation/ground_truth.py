"""Ground truth in files: MOT rows of every frame, and JSON of true transit times and overlaps between cameras."""

import itertools
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import msgspec

from passerby.ids import CameraId
from simulation.kinds import KIND_VERSION
from simulation.site import SimulatedSite
from simulation.truth import FrameTruth

LEAST_VISIBILITY = 0.15
"""Who shows less of the body is not in a view, for transit times and overlaps."""

_GAP_S = 1.5
"""Who is hidden for no longer stays in the view."""


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """One stay of one person in one camera's view; seconds since the world's begin."""

    person: int
    camera: str
    begin_s: float
    end_s: float


class Transit(msgspec.Struct, frozen=True, kw_only=True):
    """From the end of one sighting to the begin of the person's next in another camera; negative: both at once."""

    person: int
    from_camera: str
    to_camera: str
    left_s: float
    seconds: float


class Overlap(msgspec.Struct, frozen=True, kw_only=True):
    """Two cameras that saw one person at the same time, and for how many person-seconds."""

    cameras: tuple[str, str]
    seconds: float


class SiteTruth(msgspec.Struct, frozen=True, kw_only=True):
    """The truth of a stretch of time over all cameras."""

    kind: str
    kind_version: int
    seed: int
    seconds: float
    cameras: dict[str, dict[str, float]]
    people: int
    sightings: list[Sighting]
    transits: list[Transit]
    overlaps: list[Overlap]


def mot_rows(truth: FrameTruth) -> Iterable[str]:
    """`frame,id,x,y,w,h,1,1,visibility` of each person, frames from 1, whole-body boxes, as MOTChallenge has them."""
    for number, box, share in zip(truth.person_ids, truth.full_boxes_xyxy, truth.visibility, strict=True):
        x0, y0, x1, y1 = (float(value) for value in box)
        yield f"{truth.frame_index + 1},{number},{x0:.1f},{y0:.1f},{x1 - x0:.1f},{y1 - y0:.1f},1,1,{share:.3f}"


def write_mot(file: TextIO, truth: FrameTruth) -> None:
    """Append a frame's rows."""
    file.writelines(f"{row}\n" for row in mot_rows(truth))


@dataclass(slots=True)
class TruthRecorder:
    """Collects frames of all cameras, in time order for each camera, and says what was true of them together."""

    site: SimulatedSite
    _open: dict[tuple[CameraId, int], list[float]] = field(default_factory=dict)
    _done: list[Sighting] = field(default_factory=list)
    _until: float = 0.0

    def add(self, truth: FrameTruth) -> None:
        """Take one frame."""
        now = truth.time_s
        self._until = max(self._until, now + 1 / self.site.spec(truth.camera_id).fps)
        for number, share in zip(truth.person_ids.tolist(), truth.visibility.tolist(), strict=True):
            if share < LEAST_VISIBILITY:
                continue
            key = (truth.camera_id, number)
            span = self._open.get(key)
            if span is not None and now - span[1] > _GAP_S:
                self._close(key, span)
                span = None
            if span is None:
                self._open[key] = [now, now]
            else:
                span[1] = now

    def finish(self) -> SiteTruth:
        """The truth of all frames so far."""
        for key, span in sorted(self._open.items()):
            self._close(key, span)
        self._open.clear()
        sightings = sorted(self._done, key=lambda one: (one.begin_s, one.camera, one.person))
        site = self.site
        return SiteTruth(
            kind=site.kind.name,
            kind_version=KIND_VERSION,
            seed=site.seed,
            seconds=round(self._until, 3),
            cameras={
                camera: {"fps": spec.fps, "width": spec.width, "height": spec.height, "room": spec.room}
                for camera, spec in ((camera, site.spec(camera)) for camera in site.camera_ids)
            },
            people=len({one.person for one in sightings}),
            sightings=sightings,
            transits=transits(sightings),
            overlaps=overlaps(sightings),
        )

    def _close(self, key: tuple[CameraId, int], span: list[float]) -> None:
        camera, number = key
        self._done.append(Sighting(person=number, camera=camera, begin_s=round(span[0], 3), end_s=round(span[1], 3)))


def transits(sightings: list[Sighting]) -> list[Transit]:
    """Each person's changes of camera, in order of time."""
    found = []
    for trail in _trails(sightings).values():
        for before, after in itertools.pairwise(trail):
            if before.camera != after.camera:
                found.append(
                    Transit(
                        person=before.person,
                        from_camera=before.camera,
                        to_camera=after.camera,
                        left_s=before.end_s,
                        seconds=round(after.begin_s - before.end_s, 3),
                    )
                )
    return sorted(found, key=lambda one: (one.left_s, one.person, one.to_camera))


def overlaps(sightings: list[Sighting]) -> list[Overlap]:
    """Pairs of cameras with how long they saw the same person at once, most first."""
    together: dict[tuple[str, str], float] = defaultdict(float)
    for trail in _trails(sightings).values():
        for index, one in enumerate(trail):
            for other in trail[index + 1 :]:
                shared = min(one.end_s, other.end_s) - max(one.begin_s, other.begin_s)
                if shared > 0 and one.camera != other.camera:
                    first, second = sorted((one.camera, other.camera))
                    together[first, second] += shared
    ordered = sorted(together.items(), key=lambda item: (-item[1], item[0]))
    return [Overlap(cameras=pair, seconds=round(seconds, 3)) for pair, seconds in ordered]


def write_truth(path: Path, truth: SiteTruth) -> None:
    """One JSON file."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(truth), indent=1) + b"\n")


def _trails(sightings: list[Sighting]) -> dict[int, list[Sighting]]:
    trails: dict[int, list[Sighting]] = defaultdict(list)
    for one in sorted(sightings, key=lambda one: (one.begin_s, one.end_s, one.camera)):
        trails[one.person].append(one)
    return trails

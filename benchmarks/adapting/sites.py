"""Simulated sites as folders of crops and tracklets, as a hub would have collected them.

Who is in which camera is known from geometry alone; only the frames of which a crop is kept are rendered.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.adapting.subjects import Subject, write_tracklets
from passerby.arrays import Int64Array
from simulation.kinds import KIND_VERSION, site_kind
from simulation.samples import person_crops
from simulation.site import SimulatedSite
from simulation.streams import stream
from simulation.tapes.sightings import look
from simulation.tapes.trajectories import follow
from training.evaluate import read_labelled_images

FIRST_SEED = 88001
"""From here on no seed was ever looked at in development."""

KINDS = ("default", "crowded", "overlapping", "uniforms", "sparse")

_LOOKS_PER_SECOND = 2.0
_LONGEST_GAP_S = 2.0
_MIN_VISIBILITY, _MIN_HEIGHT_PX = 0.5, 48.0
_JPEG_QUALITY = 90


@dataclass(frozen=True, slots=True)
class SiteCrops:
    """Which site, filmed for how long; all its pictures follow from these."""

    kind: str
    seed: int
    cameras: int
    minutes: float
    people: int
    crops: int = 1200
    """At most so many are kept, of stays chosen at random."""
    crops_a_visit: int = 8

    @property
    def name(self) -> str:
        """For tables and files.

        >>> SiteCrops("sparse", 88005, 4, 10.0, 24).name
        'sparse-88005-4x10-24-1200'
        """
        name = f"{self.kind}-{self.seed}-{self.cameras}x{self.minutes:g}-{self.people}-{self.crops}"
        return name if self.crops_a_visit == 8 else f"{name}-{self.crops_a_visit}"


@dataclass(frozen=True, slots=True)
class Visit:
    """A person's stay in one camera, numbered from 0, and the frames of which a crop is kept."""

    tracklet: str
    camera: int
    person_id: int
    frames: tuple[int, ...]


def choose_sites(
    count: int,
    *,
    first_seed: int,
    minutes: float,
    fewest_people: int,
    crops: int,
    kinds: Sequence[str] = KINDS,
) -> list[SiteCrops]:
    """`count` sites, of the kinds in turn, with 4 and 3 cameras in turn.

    To each come as many people as its kind has, but `fewest_people` at least: nothing can be learned from four. Raises
    ConfigError for a kind that does not exist.
    """
    chosen = []
    for number in range(count):
        kind, cameras = kinds[number % len(kinds)], 4 - number % 2
        people = max(fewest_people, round(site_kind(kind).people_per_camera * cameras))
        chosen.append(SiteCrops(kind, first_seed + number, cameras, minutes, people, crops))
    return chosen


def site_subject(site: SiteCrops, cache: Path, *, progress: Callable[[int, int], None]) -> Subject:
    """The site's crops below `cache`, rendered unless they are there: PPPP_cN_FFFFFF_00.jpg and tracklets.csv.

    A tracklet is one person's stay in one camera, without a gap of more than 2 s; up to `crops_a_visit` crops, spread
    over it, are kept. `progress` is told frames rendered, of how many.
    """
    folder = cache / f"{site.name}-v{KIND_VERSION}"
    written = folder / "tracklets.csv"
    if not written.exists():
        folder.mkdir(parents=True, exist_ok=True)
        fresh = folder / "tracklets.fresh"
        write_tracklets(fresh, _render(site, folder, progress=progress))
        os.replace(fresh, written)
    return Subject(folder, written, read_labelled_images(folder))


def visits(people: Int64Array, frames: Int64Array, *, longest_gap: int) -> list[Int64Array]:
    """Rows of each stay: of one person, in the order of frames, none more than `longest_gap` after the one before.

    `people` and `frames` (n,) say who is seen in which frame of one camera. Stays of a single sighting are left out.

    >>> [rows.tolist() for rows in visits(np.array([1, 2, 1, 1, 1]), np.array([0, 0, 5, 20, 25]), longest_gap=10)]
    [[0, 2], [3, 4]]
    """
    order = np.lexsort((frames, people))
    changes = (np.diff(people[order]) != 0) | (np.diff(frames[order]) > longest_gap)
    return [rows for rows in np.split(order, np.flatnonzero(changes) + 1) if len(rows) > 1]


def spread(rows: Int64Array, count: int) -> Int64Array:
    """Up to `count` of `rows`, the first and the last among them, at equal distances.

    >>> spread(np.arange(10), 4).tolist()
    [0, 3, 6, 9]
    """
    return rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(np.int64)]


def _render(choice: SiteCrops, folder: Path, *, progress: Callable[[int, int], None]) -> dict[str, str]:
    """Write the crops; gives image name -> tracklet."""
    site = SimulatedSite.make(choice.kind, seed=choice.seed, cameras=choice.cameras, people=choice.people)
    kept: list[Visit] = []
    left = choice.crops
    seen = seen_visits(site, seconds=60.0 * choice.minutes, crops=choice.crops_a_visit)
    for row in stream(choice.seed, "adapted visits").permutation(len(seen)).tolist():
        kept += [seen[row]] if len(seen[row].frames) <= left else []
        left -= len(seen[row].frames)
        if left <= 0:
            break
    wanted: dict[tuple[int, int], dict[int, str]] = {}
    for visit in kept:
        for frame in visit.frames:
            wanted.setdefault((visit.camera, frame), {})[visit.person_id] = visit.tracklet
    draw = stream(choice.seed, "adapted crops")
    tracklets: dict[str, str] = {}
    for done, ((camera, frame), of_people) in enumerate(sorted(wanted.items()), start=1):
        picture = site.render(site.camera_ids[camera], frame)
        crops = person_crops(picture, draw=draw, min_visibility=_MIN_VISIBILITY, min_height_px=_MIN_HEIGHT_PX)
        for crop in crops:
            if crop.person_id in of_people:
                name = f"{crop.person_id:04d}_c{camera + 1}_{frame:06d}_00.jpg"
                cv2.imwrite(str(folder / name), crop.image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
                tracklets[name] = of_people[crop.person_id]
        progress(done, len(wanted))
    return tracklets


def seen_visits(site: SimulatedSite, *, seconds: float, crops: int = 8) -> list[Visit]:
    """All stays of all people in all cameras, by camera, person and time; of each up to `crops` are kept."""
    ways = follow(site, seconds=seconds, progress=lambda _: None)
    found: list[Visit] = []
    for camera, camera_id in enumerate(site.camera_ids):
        spec = site.spec(camera_id)
        stride = max(1, round(spec.fps / _LOOKS_PER_SECOND))
        seen = look(site.plan, spec, ways, seconds=seconds, fps=spec.fps / stride)
        boxes = seen.boxes_xyxy
        well = (seen.visibility >= _MIN_VISIBILITY) & (boxes[:, 3] - boxes[:, 1] >= _MIN_HEIGHT_PX)
        people, frames = ways.person_ids[seen.people[well]], seen.frames[well] * stride
        for stay in visits(people, frames, longest_gap=round(_LONGEST_GAP_S * spec.fps)):
            kept = tuple(frames[spread(stay, crops)].tolist())
            found.append(Visit(f"t{len(found):05d}", camera, int(people[stay[0]]), kept))
    return found

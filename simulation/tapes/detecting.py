"""What a detector makes of the people in view: it misses some, its boxes tremble, and it takes things for people."""

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from passerby.arrays import Float32Array, Int64Array
from simulation.streams import stream
from simulation.tapes.sightings import Sightings

NOBODY = -1
"""The person of a box around a thing."""

MIN_HEIGHT_PX = 48.0
"""An edge's default: smaller people are not tracked."""

_EDGE_PX = 2.0
_FULL_HEIGHT_PX = 192.0
_FALSE_PER_HOUR = 10.0
"""Spells in which a camera's detector takes a thing for a person; most are too short or too still to be told of."""


@dataclass(frozen=True, slots=True)
class Detected:
    """One camera's boxes; row i of each array is one box, by person and then by frame.

    As `Sightings` where the names are the same. `people` is NOBODY and `things` the thing's number for a box around a
    thing; `boxes_xyxy` (n, 4) as the detector draws them, within the picture; `confidence` and `quality` (n,) 0-1, the
    quality as an edge measures it.
    """

    frames: Int64Array
    people: Int64Array
    things: Int64Array
    boxes_xyxy: Float32Array
    confidence: Float32Array
    quality: Float32Array
    visibility: Float32Array
    covered: Float32Array
    covered_by: Int64Array
    yaw_rad: Float32Array

    def __len__(self) -> int:
        return len(self.frames)

    def rows(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> "Detected":
        """Some of the rows."""
        return Detected(**{field.name: getattr(self, field.name)[chosen] for field in dataclasses.fields(self)})


def detect(seed: int, sightings: Sightings, *, seconds: float) -> Detected:
    """The boxes of one camera over `seconds`."""
    order = np.lexsort((sightings.frames, sightings.people))
    frames, people = sightings.frames[order], sightings.people[order]
    visibility = sightings.visibility[order]
    draw = stream(seed, "detector", sightings.camera_id)
    tremble = _wandering(draw, sightings, frames, people, channels=6)
    boxes = _trembling(sightings, sightings.full_boxes_xyxy[order], visibility, tremble[:, :4])
    tall = boxes[:, 3] - boxes[:, 1]
    # Finds 97% of who is clear and 60 pixels high, three of four who are a third visible, few heads behind a shelf.
    sure = 4.2 + np.minimum(0, 16.0 * (visibility - 0.5)) + np.minimum(0, (tall - 62) / 10) + 1.1 * tremble[:, 4]
    chance = 1 / (1 + np.exp(-sure))
    found = (draw.random(len(order)) < chance) & (tall >= MIN_HEIGHT_PX) & (boxes[:, 2] - boxes[:, 0] >= 8)
    confidence = np.clip(0.45 + 0.52 * chance + draw.normal(0, 0.03, len(order)), 0.3, 0.999)
    covered = sightings.covered[order]
    sharp = np.clip(0.68 + 0.12 * tremble[:, 5], 0.15, 1.0)
    people_found = Detected(
        frames=frames,
        people=people,
        things=np.full(len(order), NOBODY, np.int64),
        boxes_xyxy=boxes,
        confidence=confidence.astype(np.float32),
        quality=_quality(boxes, confidence, covered, sharp=sharp, size=sightings.size),
        visibility=visibility,
        covered=covered,
        covered_by=sightings.covered_by[order],
        yaw_rad=sightings.yaw_rad[order],
    ).rows(found)
    return _joined(people_found, _false_boxes(seed, sightings, seconds=seconds))


def _wandering(
    draw: np.random.Generator, sightings: Sightings, frames: Int64Array, people: Int64Array, *, channels: int
) -> Float32Array:
    """Noise (n, channels) of deviation 1 that lasts for about half a second, of each person on its own."""
    keep = np.exp(-1 / (0.5 * sightings.fps))
    noise = np.empty((len(frames), channels), np.float32)
    for person in np.unique(people):
        rows = people == person
        first, last = int(frames[rows][0]), int(frames[rows][-1])
        white = draw.standard_normal((last - first + 1, channels)) * np.sqrt(1 - keep**2)
        white[0] /= np.sqrt(1 - keep**2)
        noise[rows] = lfilter([1.0], [1.0, -keep], white, axis=0)[frames[rows] - first]
    return noise


def _trembling(
    sightings: Sightings, full: Float32Array, visibility: Float32Array, tremble: Float32Array
) -> Float32Array:
    size = np.column_stack([full[:, 2] - full[:, 0], full[:, 3] - full[:, 1]])
    wrong = 0.02 * (1 + 1.5 * (1 - visibility))[:, None] * tremble * np.hstack([size, size])
    width, height = sightings.size
    boxes = np.clip(full + wrong, 0, np.array([width, height, width, height]))
    boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2])
    return np.asarray(boxes, np.float32)


def _quality(
    boxes: Float32Array,
    confidence: NDArray[np.floating],
    covered: Float32Array,
    *,
    sharp: NDArray[np.floating],
    size: tuple[int, int],
) -> Float32Array:
    """As an edge measures it: the cube root of size x confidence x sharpness, less if covered or cut off."""
    tall = np.clip((boxes[:, 3] - boxes[:, 1]) / _FULL_HEIGHT_PX, 0, 1)
    cut = (boxes[:, :2] <= _EDGE_PX).any(axis=1) | (boxes[:, 2:] >= np.array(size) - _EDGE_PX).any(axis=1)
    return np.asarray(np.cbrt(tall * confidence * sharp) * (1 - covered) * np.where(cut, 0.5, 1.0), np.float32)


def _false_boxes(seed: int, sightings: Sightings, *, seconds: float) -> Detected:
    """Boxes around things: the same few things of a camera, now and then."""
    draw = stream(seed, "false boxes", sightings.camera_id)
    width, height = sightings.size
    things = 1 + int(draw.poisson(1.0))
    places = draw.uniform([0.1, 0.3], [0.9, 0.75], (things, 2)) * [width, height]
    talls = draw.uniform(0.18, 0.45, things) * height
    spells = int(draw.poisson(_FALSE_PER_HOUR * seconds / 3600))
    parts = []
    free = np.zeros(things, np.int64)
    for start in np.sort(draw.uniform(0, seconds, spells)).tolist():
        thing = int(draw.integers(0, things))
        first = max(int(start * sightings.fps), int(free[thing]))
        last = min(int(seconds * sightings.fps), first + 1 + int(draw.exponential(4.0) * sightings.fps))
        free[thing] = last + int(4 * sightings.fps)
        frames = np.arange(first, last)[draw.random(max(0, last - first)) < 0.7]
        if len(frames):
            parts.append(
                _false_spell(draw, frames, thing, place=places[thing], tall=talls[thing], size=(width, height))
            )
    empty = _false_spell(draw, np.zeros(0, np.int64), 0, place=places[0], tall=talls[0], size=(width, height))
    return _joined(empty, *parts)


def _false_spell(
    draw: np.random.Generator,
    frames: Int64Array,
    thing: int,
    *,
    place: NDArray[np.float64],
    tall: float,
    size: tuple[int, int],
) -> Detected:
    count = len(frames)
    centre = place + draw.normal(0, 0.05 * tall, (count, 2))
    half = np.column_stack([np.full(count, 0.19 * tall), np.full(count, 0.5 * tall)])
    boxes = np.clip(np.hstack([centre - half, centre + half]), 0, [*size, *size]).astype(np.float32)
    confidence = draw.uniform(0.45, 0.7, count).astype(np.float32)
    clear = np.zeros(count, np.float32)
    return Detected(
        frames=frames.astype(np.int64),
        people=np.full(count, NOBODY, np.int64),
        things=np.full(count, thing, np.int64),
        boxes_xyxy=boxes,
        confidence=confidence,
        quality=_quality(boxes, confidence, clear, sharp=draw.uniform(0.4, 0.9, count), size=size),
        visibility=clear + 1,
        covered=clear,
        covered_by=np.full(count, NOBODY, np.int64),
        yaw_rad=clear,
    )


def _joined(*parts: Detected) -> Detected:
    return Detected(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in dataclasses.fields(Detected)
        }
    )

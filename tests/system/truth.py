"""The truth that somebody wrote down by looking, laid beside what the hub says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from hub.export import CameraTracks
from passerby.ids import CameraId

_FRAME_TOLERANCE = 2
_MIN_OVERLAP = 0.4
"""Intersection over union; a walking man moves by a fifth of his width from frame to frame."""

FrameNumber = Callable[[str, int], int | None]
"""(camera, capture time in ns) -> the frame of the film, from 1."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Somebody in a camera at a frame, seen by eye. `box_xyxy` in pixels."""

    frame: int
    camera: str
    man: str
    box_xyxy: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Sighting:
    """What the hub says about who stands there: the identity that it gave; 0 = tracked, not identified."""

    standing: Standing
    identity: int


def fourcam_truth() -> list[Standing]:
    """Every man with a box in fourcam_truth.yaml."""
    document = yaml.safe_load(Path(__file__).with_name("fourcam_truth.yaml").read_text(encoding="utf-8"))
    return [
        Standing(instant["frame"], camera, man, tuple(box))
        for instant in document["instants"]
        for camera, men in instant.items()
        if camera != "frame"
        for man, box in men.items()
        if box != "unclear"
    ]


@dataclass(frozen=True, slots=True)
class TwoRooms:
    """Everybody with a box in tworooms_truth.yaml."""

    standings: list[Standing]
    frame_rates: Mapping[str, int]
    """Frames per second by camera; the two films are not synchronous."""

    def frame_number(self, camera: str, at_ns: int, *, start_ns: int) -> int:
        """Which frame of its film, from 1, a picture is that was taken at `at_ns`; both begin at `start_ns`."""
        return 1 + round((at_ns - start_ns) * self.frame_rates[camera] / 1_000_000_000)


def tworooms_truth() -> TwoRooms:
    """What somebody saw in the two films of tworooms."""
    document = yaml.safe_load(Path(__file__).with_name("tworooms_truth.yaml").read_text(encoding="utf-8"))
    rooms = ("room-a", "room-b")
    standings = [
        Standing(instant["frame"], room, person, tuple(box))
        for room in rooms
        for instant in document[room]["instants"]
        for person, box in instant["people"].items()
        if box != "unclear"
    ]
    rates = {room: document[room]["frame_rate"] for room in rooms}
    return TwoRooms(standings, rates)


def sightings(
    truth: list[Standing], tracks: Mapping[CameraId, CameraTracks], frame_number: FrameNumber
) -> list[Sighting]:
    """For every standing that a tracklet covers, what the hub says of it; two tracklets may say two things."""
    found = []
    for (camera, frame), standings in _by_instant(truth).items():
        rows = tracks.get(CameraId(camera))
        if rows is None:
            continue
        frames = np.array([frame_number(camera, at) or -99 for at in rows.captured_at_ns.tolist()])
        near = np.flatnonzero(np.abs(frames - frame) <= _FRAME_TOLERANCE)
        # A row stands for the man whom it covers best: where the two overlap, a box may cover both.
        overlaps = np.stack([_overlap(rows.boxes_xyxy[near], standing.box_xyxy) for standing in standings], axis=1)
        best = overlaps.argmax(axis=1)
        for index, standing in enumerate(standings):
            covering = near[(best == index) & (overlaps[:, index] >= _MIN_OVERLAP)]
            found += [Sighting(standing, identity) for identity in np.unique(rows.identities[covering]).tolist()]
    return found


def _by_instant(truth: list[Standing]) -> dict[tuple[str, int], list[Standing]]:
    groups: dict[tuple[str, int], list[Standing]] = {}
    for standing in truth:
        groups.setdefault((standing.camera, standing.frame), []).append(standing)
    return groups


def _overlap(boxes_xyxy: np.ndarray, box_xyxy: tuple[int, int, int, int]) -> np.ndarray:
    """Intersection over union (n,) of boxes (n, 4) with one box."""
    one = np.array(box_xyxy, np.float32)
    size = np.minimum(boxes_xyxy[:, 2:], one[2:]) - np.maximum(boxes_xyxy[:, :2], one[:2])
    shared = np.clip(size, 0, None).prod(axis=1)
    areas = (boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]).prod(axis=1)
    overlap: np.ndarray = shared / (areas + (one[2:] - one[:2]).prod() - shared)
    return overlap

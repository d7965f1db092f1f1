"""Labelled pictures of simulated sites, to train and measure networks on: frames with their people, people's crops."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, Image
from passerby.errors import ConfigError
from simulation.site import SimulatedSite
from simulation.streams import stream
from simulation.truth import FrameTruth, RenderedFrame

HARDLY_VISIBLE = 0.3
"""Of whom less than this share can be seen is neither asked for nor a mistake."""

HARDLY_LARGE_PX = 28.0
"""The same for who is less high in a picture of 360 lines."""


@dataclass(frozen=True, slots=True)
class PersonCrop:
    """A person cut out of a frame by a box as a detector would draw it."""

    person_id: int
    image: Image


def sampled_frames(
    site: SimulatedSite, *, frames_per_camera: int, seconds: float, seed: int
) -> Iterator[tuple[int, RenderedFrame]]:
    """For each camera, numbered from 0, so many frames at random times of the first `seconds`, in order of time.

    Frames with nobody in them are drawn as well, but only a tenth of the frames keep it; the others try again up to
    five times. Raises ConfigError when there are not so many different frames.
    """
    for number, camera_id in enumerate(site.camera_ids):
        spec = site.spec(camera_id)
        last = int(seconds * spec.fps)
        if frames_per_camera * 6 > last:
            raise ConfigError(
                f"{seconds:g} s at {spec.fps:g} fps are too short for {frames_per_camera} frames to choose"
            )
        draw = stream(seed, "samples", site.seed, camera_id)
        tries = draw.choice(last, size=(frames_per_camera, 6), replace=False)
        chosen = [_with_somebody(site, camera_id, row.tolist(), keep=draw.random() < 0.1) for row in tries]
        for index in sorted(chosen):
            yield number, site.render(camera_id, index)


def is_asked_for(truth: FrameTruth, *, frame_height: int) -> NDArray[np.bool_]:
    """(n,): whether a detector should find each person; the others are hardly visible or very small."""
    tall = truth.boxes_xyxy[:, 3] - truth.boxes_xyxy[:, 1]
    return (truth.visibility >= HARDLY_VISIBLE) & (tall >= HARDLY_LARGE_PX * frame_height / 360.0)


def person_crops(
    frame: RenderedFrame, *, draw: np.random.Generator, min_visibility: float = 0.5, min_height_px: float = 48.0
) -> list[PersonCrop]:
    """Everybody well visible, each cut out by the true box with every side off by about 3% of the box's size."""
    height, width = frame.image.shape[:2]
    crops = []
    boxes = frame.truth.boxes_xyxy
    wrong = draw.normal(0, 0.03, boxes.shape)  # drawn for all, so that the rules below change nobody else's box
    tall = boxes[:, 3] - boxes[:, 1]
    for row in np.flatnonzero((frame.truth.visibility >= min_visibility) & (tall >= min_height_px)):
        left, top, right, bottom = _jittered(boxes[row], wrong[row], width=width, height=height)
        if right - left >= 8 and bottom - top >= 8:
            crops.append(PersonCrop(int(frame.truth.person_ids[row]), frame.image[top:bottom, left:right].copy()))
    return crops


def _with_somebody(site: SimulatedSite, camera_id: str, tries: list[int], *, keep: bool) -> int:
    """The first frame index of `tries` at which a person stands before the camera; the first of all if `keep`."""
    spec = next(site.spec(known) for known in site.camera_ids if known == camera_id)
    for index in tries:
        states = site.people_at(index / spec.fps)
        if keep:
            break
        if states:
            feet = np.array([[state.x, state.y, 0.9] for state in states])
            pixels, depths = spec.project(feet)
            inside = (depths > 1) & (np.abs(pixels / (spec.width, spec.height) - 0.5) < 0.5).all(axis=1)
            if inside.any():
                return index
    return tries[0]


def _jittered(box: Float32Array, wrong: NDArray[np.float64], *, width: int, height: int) -> tuple[int, int, int, int]:
    size = np.array([box[2] - box[0], box[3] - box[1]] * 2)
    limit = np.array([width, height] * 2)
    left, top, right, bottom = np.clip(np.rint(box + wrong * size), 0, limit).astype(int).tolist()
    return left, top, right, bottom

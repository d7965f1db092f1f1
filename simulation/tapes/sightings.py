"""Who is in a camera's view, frame by frame: geometry alone, nothing is rendered but the depth of the empty rooms.

A body is a standing figure of points between feet and head. A point is seen when it is in the picture, the empty scene
is not nearer there, and no nearer person's figure covers it; the share of seen points is the visibility.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, Int64Array
from passerby.ids import CameraId
from simulation.cameras import CameraSpec
from simulation.plan import Plan
from simulation.scenery.background import render_background
from simulation.tapes.trajectories import Trajectories

_COARSER = 4
"""Depth is looked at on every fourth pixel in each direction."""

_NEAREST_M = 0.7
"""Who is nearer is not in the picture, as in rendered sites."""

_SLACK_M = 0.12
"""Things hide a person when they are nearer by more than this."""

_LEAST_SEEN = 0.02

_FIGURE = np.array(
    [
        (height, side * half)
        for height, half in ((0.04, 0.10), (0.18, 0.10), (0.32, 0.12), (0.47, 0.16), (0.62, 0.17), (0.77, 0.18))
        for side in (-1.0, 0.0, 1.0)
    ]
    + [(0.90, -0.07), (0.90, 0.07), (0.97, 0.0)]
)
"""Points of a body: (share of the height above the floor, metres to the side)."""

_HALF_WIDTH_M = (0.29, -0.035)
"""Half the width of a body's box: mean, and change from the side (legs swing) to the front. Fits rendered people."""

_LEAN = 0.2
"""Of the sideways way from feet to head, at each end, that the box needs not."""

_BEYOND_M = (0.02, 0.03)
"""How far hair and shoes reach beyond head and feet."""

_CHUNK = 200_000


@dataclass(frozen=True, slots=True)
class Sightings:
    """One camera's people; row i of each array is one person in one frame, by frame and then by person.

    `frames` (n,) from 0; `people` (n,) index of the person; `full_boxes_xyxy` (n, 4) float32, the whole body;
    `visibility` (n,) 0-1; `covered` (n,) share that a nearer person covers, and `covered_by` (n,) that person's index
    (-1: nobody); `yaw_rad` (n,) the camera's direction from the person's front; `depth_m` (n,); `floor_xy` (n, 2).
    """

    camera_id: CameraId
    fps: float
    size: tuple[int, int]
    frames: Int64Array
    people: Int64Array
    full_boxes_xyxy: Float32Array
    visibility: Float32Array
    covered: Float32Array
    covered_by: Int64Array
    yaw_rad: Float32Array
    depth_m: Float32Array
    floor_xy: Float32Array

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def boxes_xyxy(self) -> Float32Array:
        """The boxes cut to the picture, (n, 4)."""
        return np.clip(self.full_boxes_xyxy, 0, np.array([*self.size, *self.size], np.float32))


def look(plan: Plan, camera: CameraSpec, trajectories: Trajectories, *, seconds: float, fps: float) -> Sightings:
    """Everybody whom `camera` sees in the frames of `seconds`, `fps` of them each second."""
    depth = _scene_depth(plan, camera)
    count = int(seconds * fps)
    per_chunk = max(1, _CHUNK // max(1, len(trajectories.person_ids)))
    parts = [
        _look_at(camera, depth, trajectories, frames=np.arange(start, min(count, start + per_chunk)), fps=fps)
        for start in range(0, count, per_chunk)
    ] or [_look_at(camera, depth, trajectories, frames=np.zeros(0, np.int64), fps=fps)]
    joined: dict[str, Any] = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in dataclasses.fields(Sightings)
        if isinstance(getattr(parts[0], field.name), np.ndarray)
    }
    return dataclasses.replace(parts[0], **joined)


def _scene_depth(plan: Plan, camera: CameraSpec) -> Float32Array:
    """Metres along the axis to the empty scene, on a coarser grid."""
    small = dataclasses.replace(
        camera,
        width=camera.width // _COARSER,
        height=camera.height // _COARSER,
        focal_px=camera.focal_px / _COARSER,
    )
    return render_background(plan, small).depth


def _look_at(
    camera: CameraSpec, depth: Float32Array, trajectories: Trajectories, *, frames: Int64Array, fps: float
) -> Sightings:
    places, headings = trajectories.at(frames / fps)
    step, person = np.nonzero(np.isfinite(places[:, :, 0]))
    floor = places[step, person]
    tall = trajectories.heights_m[person]
    feet, feet_depth = camera.project(np.column_stack([floor, np.zeros(len(floor))]))
    head, head_depth = camera.project(np.column_stack([floor, tall]))
    with np.errstate(invalid="ignore"):
        near = np.minimum(feet_depth, head_depth) >= _NEAREST_M
        margin = 0.5 * np.hypot(*(head - feet).T)
        low, high = np.minimum(feet, head) - margin[:, None], np.maximum(feet, head) + margin[:, None]
        near &= (high > 0).all(axis=1) & (low < [camera.width, camera.height]).all(axis=1)
    step, person, floor, tall = step[near], person[near], floor[near], tall[near]
    feet, head = feet[near], head[near]
    depths = np.column_stack([feet_depth[near], head_depth[near]])
    away = np.array(camera.position[:2]) - floor
    yaw = np.arctan2(away[:, 1], away[:, 0]) - headings[step, person]
    scale = camera.focal_px / depths.mean(axis=1)
    figure = _figure_points(feet, head, px_per_m=scale)
    boxes = _boxes(feet, head, px_per_m=scale, yaw_rad=yaw)
    seen = _not_hidden(camera, depth, figure, depths=depths)
    in_view = seen.mean(axis=1)
    covered, covered_by = _cover(step, boxes, figure, seen=seen, depth_m=depths[:, 0])
    kept = np.flatnonzero(in_view * (1 - covered) >= _LEAST_SEEN)
    return Sightings(
        camera_id=camera.camera_id,
        fps=fps,
        size=(camera.width, camera.height),
        frames=frames[step[kept]].astype(np.int64),
        people=person[kept].astype(np.int64),
        full_boxes_xyxy=boxes[kept].astype(np.float32),
        visibility=(in_view * (1 - covered))[kept].astype(np.float32),
        covered=covered[kept].astype(np.float32),
        covered_by=np.where(covered_by >= 0, person[covered_by], -1)[kept].astype(np.int64),
        yaw_rad=np.angle(np.exp(1j * yaw[kept])).astype(np.float32),
        depth_m=depths[kept, 0].astype(np.float32),
        floor_xy=floor[kept].astype(np.float32),
    )


def _figure_points(
    feet: NDArray[np.float64], head: NDArray[np.float64], *, px_per_m: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Pixels (n, points, 2) of the figure: between feet and head, to the sides at right angles to that line."""
    up = head - feet
    side = np.column_stack([-up[:, 1], up[:, 0]]) * (px_per_m / np.maximum(np.hypot(*up.T), 1e-6))[:, None]
    return np.asarray(feet[:, None] + up[:, None] * _FIGURE[None, :, :1] + side[:, None] * _FIGURE[None, :, 1:])


def _boxes(
    feet: NDArray[np.float64], head: NDArray[np.float64], *, px_per_m: NDArray[np.float64], yaw_rad: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Whole-body boxes (n, 4). Shoulders are what is widest: a line that leans makes a box little wider."""
    half = (_HALF_WIDTH_M[0] + _HALF_WIDTH_M[1] * np.cos(2 * yaw_rad)) * px_per_m
    low, high = np.minimum(feet, head), np.maximum(feet, head)
    lean = _LEAN * (high[:, 0] - low[:, 0])
    top, bottom = (share * px_per_m for share in _BEYOND_M)
    return np.column_stack([low[:, 0] + lean - half, low[:, 1] - top, high[:, 0] - lean + half, high[:, 1] + bottom])


def _not_hidden(
    camera: CameraSpec, depth: Float32Array, figure: NDArray[np.float64], *, depths: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Which points (n, points) are in the picture and before the scene."""
    column, row = np.floor(figure[..., 0]), np.floor(figure[..., 1])
    inside = (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
    coarse_row = np.clip(row // _COARSER, 0, depth.shape[0] - 1).astype(int)
    coarse_column = np.clip(column // _COARSER, 0, depth.shape[1] - 1).astype(int)
    own = depths[:, :1] + (depths[:, 1:] - depths[:, :1]) * _FIGURE[None, :, 0]
    return np.asarray(inside & (depth[coarse_row, coarse_column] >= own - _SLACK_M))


def _cover(
    step: NDArray[np.intp],
    boxes: NDArray[np.float64],
    figure: NDArray[np.float64],
    *,
    seen: NDArray[np.bool_],
    depth_m: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """The share of each one's seen points that nearer people cover, and the row of who covers most (-1: nobody).

    Rows of one frame stand together. A person covers the middle four fifths of the box's width.
    """
    count = len(step)
    hidden = np.zeros(seen.shape, bool)
    most, by = np.zeros(count), np.full(count, -1, np.intp)
    inset = 0.1 * (boxes[:, 2] - boxes[:, 0])
    low = np.column_stack([boxes[:, 0] + inset, boxes[:, 1]])
    high = np.column_stack([boxes[:, 2] - inset, boxes[:, 3]])
    for distance in range(1, count):
        first = np.flatnonzero(step[:-distance] == step[distance:])
        if len(first) == 0:
            break
        second = first + distance
        for back, front in ((first, second), (second, first)):
            behind = depth_m[back] > depth_m[front]
            rows, others = back[behind], front[behind]
            touching = ((low[rows] < high[others]) & (low[others] < high[rows])).all(axis=1)
            rows, others = rows[touching], others[touching]
            points = figure[rows]
            under = ((points >= low[others][:, None]) & (points <= high[others][:, None])).all(axis=2) & seen[rows]
            hidden[rows] |= under
            share = under.sum(axis=1) / np.maximum(seen[rows].sum(axis=1), 1)
            more = share > most[rows]
            most[rows[more]], by[rows[more]] = share[more], others[more]
    covered = (hidden & seen).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    return covered, by

"""The empty rooms as a camera sees them: one ray through every sub-pixel."""

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, Image
from simulation.cameras import CameraSpec
from simulation.plan import OUTSIDE, Door, Plan, Room
from simulation.scenery.lighting import LAMP_HALF, RoomLight
from simulation.scenery.solids import Ball, Box, all_solids
from simulation.scenery.textures import ceiling_colour, floor_colour, floor_gloss, wall_colour

_FINER = 2
"""Rays per pixel in each direction."""

_BAND = 48
"""Rows of rays at a time, an even number: what they need stays in the processor's cache."""


_Region: TypeAlias = tuple[int, int, int, int]
"""Left, top, right, bottom in rays."""


@dataclass(frozen=True, slots=True)
class Background:
    """One camera's empty scene, (height, width, 3) uint8 BGR: what lamps light, and what the day adds to it.

    `depth` (height, width) float32 is metres along the camera's axis; infinite on floors, which hide nobody.
    """

    artificial: Image
    daylight: Image
    depth: Float32Array


def render_background(plan: Plan, camera: CameraSpec) -> Background:
    """Cast the rays, a band of rows at a time. About a second for 640x360."""
    lights = {room: RoomLight.of(plan, room) for room in sorted(_rooms_in_reach(plan, camera.room))}
    solids = [(solid, _region(camera, solid)) for solid in all_solids(plan, set(lights))]
    rays = camera.rays(_FINER)
    bands = [
        _Band(plan, camera, first_row=row, rays=rays[row : row + _BAND], lights=lights, solids=solids).finish()
        for row in range(0, len(rays), _BAND)
    ]
    return Background(
        np.concatenate([band.artificial for band in bands]),
        np.concatenate([band.daylight for band in bands]),
        np.concatenate([band.depth for band in bands]),
    )


class _Band:
    """Some rows of rays, the nearest depth of each so far, and its colours."""

    def __init__(
        self,
        plan: Plan,
        camera: CameraSpec,
        *,
        first_row: int,
        rays: Float32Array,
        lights: dict[int, RoomLight],
        solids: list[tuple[Box | Ball, _Region]],
    ) -> None:
        self._plan, self._camera, self._lights, self._first_row = plan, camera, lights, first_row
        self._origin = np.asarray(camera.position, np.float32)
        self._shape = rays.shape[:2]
        self._rays = rays.reshape(-1, 3)
        count = len(self._rays)
        self._depth = np.full(count, np.inf, np.float32)
        self._hides = np.ones(count, np.bool_)
        self._lamp = np.zeros((count, 3), np.float32)
        self._day = np.zeros((count, 3), np.float32)
        self._outdoors()
        for room in lights:
            self._floor_and_ceiling(plan.rooms[room])
            self._walls(plan.rooms[room])
        for solid, region in solids:
            self._solid(solid, region)

    def finish(self) -> Background:
        """Average the sub-pixels."""

        def picture(colour: Float32Array) -> Image:
            large = np.clip(colour, 0, 1.3).reshape(*self._shape, 3)[..., ::-1]
            small = cv2.resize(large, None, fx=1 / _FINER, fy=1 / _FINER, interpolation=cv2.INTER_AREA)
            return np.asarray(np.clip(small * 255, 0, 255).round(), dtype=np.uint8)

        depth = np.where(self._hides, self._depth, np.inf).reshape(self._shape)
        return Background(picture(self._lamp), picture(self._day), depth[::_FINER, ::_FINER].astype(np.float32))

    def _set(
        self, at: NDArray[np.intp], depth: Float32Array, lamp: Float32Array, day: Float32Array, *, hides: bool = True
    ) -> None:
        self._depth[at], self._hides[at] = depth, hides
        self._lamp[at], self._day[at] = lamp, day

    def _lit(self, at: NDArray[np.intp], place: Float32Array, albedo: Float32Array, normal: Float32Array) -> None:
        """Light what is nearest at the rays `at` by the room that it is in, and keep it."""
        light = self._light_of(place)
        shade = (light.corners(place) if light else np.ones(len(place), np.float32))[:, None]
        lamp = light.artificial(place, normal)[:, None] if light else np.float32(0.25)
        day = light.daylight(place, normal)[:, None] if light else np.float32(0.9)
        rays = self._rays[at]
        depth = np.einsum("ij,ij->i", place - self._origin, rays) / np.einsum("ij,ij->i", rays, rays)
        self._set(at, np.asarray(depth, np.float32), albedo * lamp * shade, albedo * day * shade)

    def _light_of(self, place: Float32Array) -> RoomLight | None:
        x, y = np.median(place[:, 0]), np.median(place[:, 1])
        for light in self._lights.values():
            if light.room.rect.grown(0.02).contains(float(x), float(y)):
                return light
        return None

    def _outdoors(self) -> None:
        """A bright day outside: sky, and pavement to the horizon."""
        up = self._rays[:, 2] / np.linalg.norm(self._rays, axis=1)
        sky = np.stack([0.72 - 0.35 * up, 0.82 - 0.2 * up, 0.95 + 0 * up], axis=1)
        self._day[:] = np.clip(sky, 0, 1)
        self._lamp[:] = 0.05
        down = np.flatnonzero(self._rays[:, 2] < -1e-3)
        t = -self._origin[2] / self._rays[down, 2]
        x, y = (self._origin[:2] + t[:, None] * self._rays[down, :2]).T
        paved = 0.62 + 0.08 * (((np.floor(x / 0.6) + np.floor(y / 0.6)) % 2) - 0.5)
        fade = np.exp(-t / 30)[:, None]
        colour = (paved[:, None] * fade + 0.72 * (1 - fade)) * np.array([1.0, 0.98, 0.95], np.float32)
        self._set(down, t.astype(np.float32), 0.2 * colour, 0.9 * colour, hides=False)

    def _floor_and_ceiling(self, room: Room) -> None:
        rect, light = room.rect, self._lights[room.number]
        for level, normal in ((0.0, 1.0), (self._plan.ceiling_m, -1.0)):
            with np.errstate(divide="ignore", invalid="ignore"):
                t = (level - self._origin[2]) / self._rays[:, 2]
            x, y = self._origin[0] + t * self._rays[:, 0], self._origin[1] + t * self._rays[:, 1]
            inside = (t > 0) & (x >= rect.x0) & (x <= rect.x1) & (y >= rect.y0) & (y <= rect.y1)
            # Outdoors lies on the floor's plane as well; a room's own floor wins.
            at = np.flatnonzero(inside & (t <= self._depth * 1.0001))
            if not len(at):
                continue
            t, x, y = t[at], x[at], y[at]
            place = np.stack([x, y, np.full_like(x, level)], axis=1)
            facing = np.array([0.0, 0.0, normal], np.float32)
            shade = light.corners(place)[:, None]
            albedo = floor_colour(room, x, y) if normal > 0 else ceiling_colour(x, y)
            lamp = albedo * light.artificial(place, facing)[:, None] * shade
            day = albedo * light.daylight(place, facing)[:, None] * shade
            if normal > 0:
                lamp += self._mirrored(room, at, x, y)[:, None]
            else:
                lamp = np.where(_on_lamp(light, x, y, soft=0.02)[:, None] > 0.5, np.float32(1.15), lamp * 1.15)
            self._set(at, t, lamp, day, hides=normal < 0)

    def _mirrored(self, room: Room, at: NDArray[np.intp], x: Float32Array, y: Float32Array) -> Float32Array:
        """Lamps of the ceiling as a glossy floor shows them, blurred."""
        gloss = floor_gloss(room)
        if gloss == 0.0:
            return np.zeros(len(at), np.float32)
        rise = self._plan.ceiling_m / np.maximum(-self._rays[at, 2], 1e-3)
        there_x, there_y = x + rise * self._rays[at, 0], y + rise * self._rays[at, 1]
        return gloss * _on_lamp(self._lights[room.number], there_x, there_y, soft=0.35)

    def _walls(self, room: Room) -> None:
        rect, height = room.rect, self._plan.ceiling_m
        sides = ((1, rect.y0, -1), (1, rect.y1, 1), (0, rect.x0, -1), (0, rect.x1, 1))
        for side, (axis, at_wall, outward) in enumerate(sides):
            ray = self._rays[:, axis]
            with np.errstate(divide="ignore", invalid="ignore"):
                t = (at_wall - self._origin[axis]) / ray
            along = self._origin[1 - axis] + t * self._rays[:, 1 - axis]
            z = self._origin[2] + t * self._rays[:, 2]
            low, high = (rect.x0, rect.x1) if axis == 1 else (rect.y0, rect.y1)
            hit = (ray * outward > 0) & (t > 0) & (t < self._depth) & (along >= low) & (along <= high)
            hit &= (z >= 0) & (z <= height)
            for door in self._plan.doors_of(room.number):
                if _in_side(door, axis, at_wall):
                    middle = door.x if axis == 1 else door.y
                    hit &= ~((np.abs(along - middle) < door.width / 2) & (z < door.height))
            at = np.flatnonzero(hit)
            if not len(at):
                continue
            along, z = along[at], z[at]
            place = self._origin + t[at][:, None] * self._rays[at]
            normal = np.zeros(3, np.float32)
            normal[axis] = -outward
            self._lit(at, place, wall_colour(room, along, z, side=side), normal)
            self._windows(room, at, along, z, on_x=axis == 1, at_wall=at_wall)

    def _windows(
        self, room: Room, at: NDArray[np.intp], along: Float32Array, z: Float32Array, *, on_x: bool, at_wall: float
    ) -> None:
        for window in self._lights[room.number].windows:
            if window.along_x != on_x or abs(window.at - at_wall) > 1e-6:
                continue
            inside = (along > window.start) & (along < window.end) & (z > window.low) & (z < window.high)
            across = (along - window.start) / (window.end - window.start)
            up = (z - window.low) / (window.high - window.low)
            bar = inside & (
                (np.minimum(across, 1 - across) < 0.035)
                | (np.minimum(up, 1 - up) < 0.04)
                | (np.abs(across - 0.5) < 0.02)
            )
            glass = inside & ~bar
            tint = np.stack([0.75 + 0.1 * up, 0.85 + 0.07 * up, 0.93 + 0.05 * up], axis=1)
            self._lamp[at[glass]] = 0.10
            self._day[at[glass]] = tint[glass]
            self._lamp[at[bar]] = 0.62

    def _solid(self, solid: Box | Ball, region: _Region) -> None:
        near = self._rays_in(region)
        if not len(near):
            return
        hit = (
            _box_hits(solid, self._origin, self._rays[near])
            if isinstance(solid, Box)
            else _ball_hits(solid, self._origin, self._rays[near])
        )
        t, normal = hit
        nearer = (t > 0) & (t < self._depth[near])
        at = near[nearer]
        if not len(at):
            return
        place = self._origin + t[nearer][:, None] * self._rays[at]
        facing = normal[nearer]
        albedo = np.broadcast_to(np.asarray(solid.colour, np.float32), place.shape).copy()
        if isinstance(solid, Box) and solid.lines:
            across = np.where(np.abs(facing[:, 0]) > 0.5, place[:, 1], place[:, 0])
            albedo *= np.where((across * solid.lines) % 1.0 < 0.06, 0.7, 1.0)[:, None]
        self._lit(at, place.astype(np.float32), albedo, facing)

    def _rays_in(self, region: _Region) -> NDArray[np.intp]:
        height, width = self._shape
        x0, y0, x1, y1 = region
        top, bottom = max(0, y0 - self._first_row), min(height, y1 - self._first_row)
        if top >= bottom or x0 >= x1:
            return np.zeros(0, np.intp)
        return np.asarray((np.arange(top, bottom)[:, None] * width + np.arange(x0, x1)).ravel(), dtype=np.intp)


def _region(camera: CameraSpec, solid: Box | Ball) -> _Region:
    """The rays that may meet a solid: those around its picture; all when it is too near to tell."""
    if isinstance(solid, Box):
        low, high = np.asarray(solid.low), np.asarray(solid.high)
    else:
        low = np.asarray(solid.centre) - solid.radii
        high = np.asarray(solid.centre) + solid.radii
    corners = np.stack(np.meshgrid(*zip(low, high, strict=True)), axis=-1).reshape(-1, 3)
    pixels, depth = camera.project(corners)
    width, height = camera.width * _FINER, camera.height * _FINER
    if (depth <= 0.05).all():
        return (0, 0, 0, 0)
    if (depth <= 0.05).any():
        return (0, 0, width, height)
    x0, y0 = np.clip(np.floor(pixels.min(axis=0) * _FINER).astype(int) - 6, 0, [width, height]).tolist()
    x1, y1 = np.clip(np.ceil(pixels.max(axis=0) * _FINER).astype(int) + 6, 0, [width, height]).tolist()
    return (x0, y0, x1, y1)


def _rooms_in_reach(plan: Plan, room: int) -> set[int]:
    """The camera's room and those up to two doors away."""
    reached = {room}
    for _ in range(2):
        reached |= {other for door in plan.doors if reached & set(door.rooms) for other in door.rooms}
    return reached - {OUTSIDE}


def _in_side(door: Door, axis: int, at_wall: float) -> bool:
    return door.along_x == (axis == 1) and abs((door.y if axis == 1 else door.x) - at_wall) < 1e-6


def _on_lamp(light: RoomLight, x: Float32Array, y: Float32Array, *, soft: float) -> Float32Array:
    """1 on a lamp's panel, 0 off it, in between over `soft` metres."""
    total = np.zeros(len(x), np.float32)
    for lamp_x, lamp_y in light.lamps:
        inside = np.minimum(LAMP_HALF[0] - np.abs(x - lamp_x), LAMP_HALF[1] - np.abs(y - lamp_y))
        total = np.maximum(total, np.clip(0.5 + inside / (2 * soft), 0, 1))
    return np.asarray(total, np.float32)


def _box_hits(box: Box, origin: Float32Array, rays: Float32Array) -> tuple[Float32Array, Float32Array]:
    """Depth (n,), infinite for a miss, and normal (n, 3) of the first face each ray meets: the slab method."""
    with np.errstate(divide="ignore", invalid="ignore"):
        one = (np.asarray(box.low, np.float32) - origin) / rays
        other = (np.asarray(box.high, np.float32) - origin) / rays
    entry, leave = np.fmin(one, other), np.fmax(one, other)
    axis = entry.argmax(axis=1)
    rows = np.arange(len(rays))
    first, last = entry[rows, axis], np.minimum(np.minimum(leave[:, 0], leave[:, 1]), leave[:, 2])
    normal = np.zeros_like(rays)
    normal[rows, axis] = -np.sign(rays[rows, axis])
    return np.where((first < last) & (first > 0.05), first, np.inf).astype(np.float32), normal


def _ball_hits(ball: Ball, origin: Float32Array, rays: Float32Array) -> tuple[Float32Array, Float32Array]:
    """As `_box_hits`, of an ellipsoid."""
    radii = np.asarray(ball.radii, np.float32)
    start, ray = (origin - np.asarray(ball.centre, np.float32)) / radii, rays / radii
    a, b, c = (ray**2).sum(axis=1), ray @ start, float(start @ start) - 1
    root = b * b - a * c
    t = np.where(root > 0, (-b - np.sqrt(np.maximum(root, 0))) / a, np.inf)
    with np.errstate(invalid="ignore"):
        normal = np.where(np.isfinite(t)[:, None], (start + t[:, None] * ray) / radii, 0.0)
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    return t.astype(np.float32), np.asarray(normal / np.maximum(length, 1e-6), dtype=np.float32)

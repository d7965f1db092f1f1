"""Cameras: where they hang, what their lens does, and where a point of the world is in their picture."""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from passerby.errors import ConfigError
from passerby.ids import CameraId
from simulation.building import watch_order
from simulation.kinds import SiteKind
from simulation.plan import Plan, Rect
from simulation.responses import CameraResponse, random_response
from simulation.streams import stream


@dataclass(frozen=True, slots=True)
class CameraSpec:
    """One camera: a pinhole with one coefficient of radial distortion.

    `position` is (x, y, z) metres; `azimuth_rad` counts from x towards y, `tilt_rad` downwards, `roll_rad` clockwise.
    """

    camera_id: CameraId
    room: int
    position: tuple[float, float, float]
    azimuth_rad: float
    tilt_rad: float
    roll_rad: float
    focal_px: float
    distortion: float
    """k1 of x' = x (1 + k1 r^2), r in focal lengths; negative is a barrel."""
    width: int
    height: int
    fps: float
    response: CameraResponse = field(default_factory=CameraResponse)

    def axes(self) -> NDArray[np.float64]:
        """Rows [right, down, ahead] of the camera in the world."""
        return _axes(self.azimuth_rad, self.tilt_rad, self.roll_rad)

    def project(self, points: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Pixels (n, 2) and depths (n,) in metres along the axis, of world points (n, 3).

        Points at a depth of 5 cm or less have pixels of NaN.
        """
        seen = (np.asarray(points, float).reshape(-1, 3) - self.position) @ self.axes().T
        depth = seen[:, 2]
        with np.errstate(divide="ignore", invalid="ignore"):
            flat = np.where(depth[:, None] > 0.05, seen[:, :2] / depth[:, None], np.nan)
        square = np.minimum((flat**2).sum(axis=1, keepdims=True), 1.6)
        return flat * (1 + self.distortion * square) * self.focal_px + [self.width / 2, self.height / 2], depth

    def rays(self, scale: int = 1) -> NDArray[np.float32]:
        """World directions (height * scale, width * scale, 3) float32 with depth 1, through sub-pixel centres."""
        x = ((np.arange(self.width * scale) + 0.5) / scale - self.width / 2) / self.focal_px
        y = ((np.arange(self.height * scale) + 0.5) / scale - self.height / 2) / self.focal_px
        bent = np.stack(np.meshgrid(x, y), axis=-1)
        flat = bent.copy()
        for _ in range(6):  # The lens's inverse; it contracts for the mild lenses here.
            square = np.minimum((flat**2).sum(axis=-1, keepdims=True), 1.6)
            flat = bent / (1 + self.distortion * square)
        axes = self.axes()
        return np.asarray(flat @ axes[:2] + axes[2], dtype=np.float32)


@lru_cache(maxsize=256)
def _axes(azimuth: float, tilt: float, roll: float) -> NDArray[np.float64]:
    sin_t, cos_t, sin_r, cos_r = np.sin(tilt), np.cos(tilt), np.sin(roll), np.cos(roll)
    ahead = np.array([np.cos(azimuth) * cos_t, np.sin(azimuth) * cos_t, -sin_t])
    level = np.array([np.sin(azimuth), -np.cos(azimuth), 0.0])
    below = np.cross(ahead, level)
    axes = np.stack([cos_r * level + sin_r * below, cos_r * below - sin_r * level, ahead])
    axes.flags.writeable = False
    return axes


def place_cameras(seed: int, plan: Plan, *, kind: SiteKind, count: int) -> list[CameraSpec]:
    """`count` cameras; some share a room, as the kind says. Raises ConfigError when the plan has too few rooms."""
    order = watch_order(plan)
    watched, sharing = rooms_watched(count, kind)
    if watched > len(order):
        raise ConfigError(f"{count} cameras need {watched} rooms, the plan has {len(order)}")
    specs = []
    for index in range(count):
        room, second = (order[index], False) if index < watched else (order[sharing[index - watched]], True)
        name = plan.rooms[room].name.replace(" ", "-")
        specs.append(_camera(seed, plan, kind, camera_id=CameraId(f"{index + 1:02d}-{name}"), room=room, second=second))
    return specs


def rooms_watched(count: int, kind: SiteKind) -> tuple[int, list[int]]:
    """How many rooms `count` cameras watch, and which of these (by order) get a second camera."""
    second = (
        min(round(count * kind.overlap_share), count // 2)
        if count > 2
        else (count // 2 if kind.overlap_share >= 0.5 else 0)
    )
    return count - second, list(range(second))


def _camera(seed: int, plan: Plan, kind: SiteKind, *, camera_id: CameraId, room: int, second: bool) -> CameraSpec:
    draw = stream(seed, "camera", camera_id[:2])
    rect = plan.rooms[room].rect
    corner = int(stream(seed, "corner", room).integers(0, 4))
    if plan.rooms[room].corridor:
        x, y, target = _at_the_end(rect, far=(corner % 2 == 1) != second, draw=draw)
    else:
        x, y, target = _in_the_corner(rect, corner=corner ^ 3 if second else corner, draw=draw)
    height = float(draw.uniform(2.45, 2.9))
    away = float(np.hypot(target[0] - x, target[1] - y))
    width, tall = kind.size
    # Far enough a view to hold the room, near enough that people are large.
    field_of_view = float(np.radians(draw.uniform(66, 84)))
    return CameraSpec(
        camera_id=camera_id,
        room=room,
        position=(x, y, height),
        azimuth_rad=float(np.arctan2(target[1] - y, target[0] - x)),
        tilt_rad=float(np.arctan2(height - 0.9, away)),
        roll_rad=float(np.radians(draw.normal(0, 0.8))),
        focal_px=width / 2 / float(np.tan(field_of_view / 2)),
        distortion=float(draw.uniform(-0.09, 0.0)),
        width=width,
        height=tall,
        fps=float(kind.fps[int(draw.integers(0, len(kind.fps)))]),
        response=random_response(draw, spread=kind.colour_spread),
    )


def _in_the_corner(rect: Rect, *, corner: int, draw: np.random.Generator) -> tuple[float, float, tuple[float, float]]:
    x = rect.x0 + 0.22 if corner % 2 == 0 else rect.x1 - 0.22
    y = rect.y0 + 0.22 if corner < 2 else rect.y1 - 0.22
    reach = float(draw.uniform(0.52, 0.62))
    far_x, far_y = rect.x0 + rect.x1 - x, rect.y0 + rect.y1 - y
    return x, y, (x + reach * (far_x - x) + float(draw.normal(0, 0.3)), y + reach * (far_y - y))


def _at_the_end(rect: Rect, *, far: bool, draw: np.random.Generator) -> tuple[float, float, tuple[float, float]]:
    upright = rect.y1 - rect.y0 > rect.x1 - rect.x0
    reach = float(draw.uniform(6.0, 7.5))
    if upright:
        y = rect.y1 - 0.3 if far else rect.y0 + 0.3
        x = rect.centre[0] + float(draw.uniform(-0.9, 0.9))
        return x, y, (rect.centre[0], y - reach if far else y + reach)
    x = rect.x1 - 0.3 if far else rect.x0 + 0.3
    y = rect.centre[1] + float(draw.choice([-1.0, 1.0])) * (rect.y1 - rect.y0) * 0.36
    return x, y, (x - reach if far else x + reach, rect.centre[1])

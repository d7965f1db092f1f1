"""Lofted tubes: the rings of a limb, a trunk, a garment or a bag, with their normals.

A tube is `local` (rings, around, 2): offsets from the ring's centre along its axes [front, left] in metres. Column j
stands at the angle -pi + 2 pi j / around from the front, so that the middle column is the front and columns run from
left to right for whoever looks at it from outside.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array

SAMPLES_PER_M = 150
"""Rings per metre of tube: one and a quarter for each pixel of the finest picture, so that no hole is left."""

FULL, WIDE, NARROW = 264, 160, 72
"""Samples around skirts, around trunks and heads, and around limbs."""

Bone = Literal[
    "trunk", "head", "skirt", "left_arm", "right_arm", "left_leg", "right_leg", "left_foot", "right_foot", "case"
]


@dataclass(frozen=True, slots=True)
class Outline:
    """A tube's radii at places from 0 (its start) to 1 (its end), metres; between them they are smooth.

    `half_width` is to both sides, `front` and `back` from the middle; `squareness` 2 is an ellipse, more is a box.
    """

    at: Sequence[float]
    half_width: Sequence[float]
    front: Sequence[float]
    back: Sequence[float]
    squareness: float = 2.0

    def scaled(self, wide: float, *, deep: float | None = None, plus: float = 0.0) -> "Outline":
        """Wider and deeper by factors, and thicker by `plus` metres."""
        deep = wide if deep is None else deep
        return Outline(
            self.at,
            [value * wide + plus for value in self.half_width],
            [value * deep + plus for value in self.front],
            [value * deep + plus for value in self.back],
            self.squareness,
        )


def round_outline(at: Sequence[float], radii: Sequence[float], *, squareness: float = 2.0) -> Outline:
    """One radius in all directions."""
    return Outline(at, radii, radii, radii, squareness)


@dataclass(slots=True)
class Tube:
    """One part of a body. The painter changes `albedo` (rings, around, 3) RGB 0-1 and drops samples by `keep`."""

    bone: Bone
    along: Float32Array
    """(rings,) place on the bone, in the unit that the bone has."""
    length_m: float
    local: Float32Array
    albedo: Float32Array
    keep: NDArray[np.bool_]
    relief: Float32Array
    """(rings, around) metres by which the surface is raised, for its shading only: folds, seams."""

    @property
    def angle(self) -> Float32Array:
        """(around,) radians from the front, left positive."""
        return angles(self.local.shape[1])

    def normals(self) -> Float32Array:
        """(rings, around, 3) unit normals along the ring's axes [front, left, along]; zero where nothing is kept."""
        local = np.concatenate([self.local[:, -1:], self.local, self.local[:, :1]], axis=1)
        around = (local[:, 2:] - local[:, :-2]) / 2
        step = self.length_m / max(1, len(self.along) - 1)
        rise = np.gradient(self.local, step, axis=0) if len(self.along) > 1 else np.zeros_like(self.local)
        normal = np.stack(
            [around[..., 1], -around[..., 0], around[..., 0] * rise[..., 1] - around[..., 1] * rise[..., 0]], axis=-1
        )
        spacing = np.linalg.norm(around, axis=-1, keepdims=True)
        normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)
        padded = np.concatenate([self.relief[:, -1:], self.relief, self.relief[:, :1]], axis=1)
        slope_around = (padded[:, 2:] - padded[:, :-2])[..., None] / np.maximum(2 * spacing, 1e-3)
        slope_along = np.gradient(self.relief, step, axis=0)[..., None] if len(self.along) > 1 else 0.0
        flat = np.concatenate([around / np.maximum(spacing, 1e-6), np.zeros_like(spacing)], axis=-1)
        normal = normal - slope_around * flat - slope_along * np.array([0.0, 0.0, 1.0], np.float32)
        normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)
        return np.asarray(normal * self.keep[..., None], dtype=np.float32)


def angles(around: int) -> Float32Array:
    """Angles from the front of each column."""
    return np.asarray(-np.pi + 2 * np.pi * np.arange(around) / around, dtype=np.float32)


def loft(
    bone: Bone,
    outline: Outline,
    *,
    span: tuple[float, float],
    length_m: float,
    around: int = NARROW,
    shift: tuple[float, float] = (0.0, 0.0),
    capped: bool = False,
) -> Tube:
    """The tube of `outline` over `span` of the bone; `shift` moves it to the front and left of the bone.

    `capped` closes both ends with rings that shrink to a point.
    """
    rings = max(4, round(length_m * SAMPLES_PER_M))
    places = np.linspace(0.0, 1.0, rings)
    shrink = np.ones(rings)
    if capped:
        cap = np.linspace(0.0, 1.0, max(3, round(max(*outline.half_width, *outline.front) * SAMPLES_PER_M)))
        places = np.concatenate([np.zeros(len(cap)), places, np.ones(len(cap))])
        shrink = np.concatenate([cap, shrink, cap[::-1]])
    width, front, back = (
        _smooth(outline.at, values, places)[:, None] for values in (outline.half_width, outline.front, outline.back)
    )
    theta = angles(around)[None, :]
    power = 2.0 / outline.squareness
    ahead, aside = np.cos(theta), np.sin(theta)
    depth = np.where(ahead > 0, front, back)
    ring = np.stack(
        [depth * np.sign(ahead) * np.abs(ahead) ** power, width * np.sign(aside) * np.abs(aside) ** power], axis=-1
    )
    if outline.squareness > 3:
        ring = _evenly(ring, middle=len(ring) // 2)
    local = (ring * shrink[:, None, None] + shift).astype(np.float32)
    shape = local.shape[:2]
    return Tube(
        bone=bone,
        along=np.asarray(span[0] + (span[1] - span[0]) * places, dtype=np.float32),
        length_m=length_m,
        local=local,
        albedo=np.zeros((*shape, 3), np.float32),
        keep=np.ones(shape, np.bool_),
        relief=np.zeros(shape, np.float32),
    )


def _evenly(rings: NDArray[np.float64], *, middle: int) -> NDArray[np.float64]:
    """Samples of box-like rings at equal distances around: by angle they would crowd at the corners."""
    closed = np.concatenate([rings[middle], rings[middle, :1]])
    travelled = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    around = rings.shape[1]
    source = np.interp(np.arange(around) / around * travelled[-1], travelled, np.arange(around + 1))
    low = np.floor(source).astype(int)
    share = (source - low)[None, :, None]
    return np.asarray(rings[:, low % around] * (1 - share) + rings[:, (low + 1) % around] * share)


def _smooth(at: Sequence[float], values: Sequence[float], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Monotone cubic interpolation: no bulges between the points."""
    from scipy.interpolate import PchipInterpolator

    return np.asarray(PchipInterpolator(np.asarray(at, float), np.asarray(values, float))(places))

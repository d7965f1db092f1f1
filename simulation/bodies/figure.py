"""A person ready to be drawn: its painted tubes joined into arrays, posed and projected."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array
from simulation.bodies.dressing import case_tube, dress
from simulation.bodies.rings import ring_frames
from simulation.bodies.skeleton import Measures, Stance, walking_pose
from simulation.bodies.surfaces import FULL, NARROW, WIDE, Bone, Tube
from simulation.looks import Person

FINE_PX_PER_M = 120.0
"""The resolution that one level of detail serves; every further one serves half."""


_KEPT_POSES = 40


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rings of equally many samples, joined."""

    local: Float32Array
    """(rings, around, 2)"""
    normals: Float32Array
    """(rings, around, 3)"""
    albedo: Float32Array
    """(rings, around, 3) RGB 0-255"""


@dataclass(frozen=True, slots=True)
class Section:
    """Where one tube's rings are in the joined arrays."""

    bone: Bone
    along: Float32Array


@dataclass(frozen=True, slots=True)
class Samples:
    """Visible surface samples of a posed figure in the view's frame: x right, y down, z to the camera, metres."""

    xyz: Float32Array
    """(n, 3), from the ground point below the pelvis."""
    light: Float32Array
    """(n,) how bright each is lit, about 0.3-1.2."""
    albedo: Float32Array
    """(n, 3) RGB 0-255."""


@dataclass(frozen=True, slots=True)
class _Rings:
    """Posed rings: centres (rings, 3) and axes (rings, 3, 3) in the body's frame."""

    centres: Float32Array
    axes: Float32Array


class Figure:
    """One person's surface at one level of detail: 0 is the finest, each further has a quarter of the samples."""

    def __init__(self, person: Person, *, detail: int = 0) -> None:
        self._person = person
        self._measures = Measures.of(person.look.body)
        thin = 2**detail
        self._body = _join(dress(person.look, self._measures), thin)
        self._case = _join([case_tube(person.look)], thin) if person.look.bag.kind == "case" else ()
        self._posed: dict[tuple[float, Stance, bool], list[_Rings]] = {}

    def sample(self, *, phase: float, stance: Stance, yaw: float, pitch: float, carrying: bool) -> Samples:
        """What a far camera sees: `yaw` is its direction from the person's front, left positive; `pitch` its height.

        Both radians. The view is orthographic.
        """
        carrying = carrying and bool(self._case)
        view = view_axes(yaw, pitch)
        parts = self._body + (self._case if carrying else ())
        rings = self._rings(phase, stance, carrying)
        found = [
            _visible(sheet, posed, view=view, lamp=_lamp(view)) for (sheet, _), posed in zip(parts, rings, strict=True)
        ]
        return Samples(*(np.concatenate(arrays) for arrays in zip(*found, strict=True)))

    def _rings(self, phase: float, stance: Stance, carrying: bool) -> "list[_Rings]":
        """Where the rings are in a pose; kept, because a pose is seen from many sides."""
        key = (phase, stance, carrying)
        posed = self._posed.get(key)
        if posed is None:
            pose = walking_pose(self._measures, self._person.gait, phase=phase, stance=stance, carrying=carrying)
            posed = []
            for _, sections in self._body + (self._case if carrying else ()):
                frames = [ring_frames(s.bone, s.along, pose=pose, measures=self._measures) for s in sections]
                posed.append(
                    _Rings(
                        np.concatenate([centre for centre, _ in frames]).astype(np.float32),
                        np.concatenate([axis for _, axis in frames]).astype(np.float32),
                    )
                )
            if len(self._posed) >= _KEPT_POSES:
                self._posed.clear()
            self._posed[key] = posed
        return posed

    def sample_case(self, *, yaw: float, pitch: float) -> Samples:
        """The case, standing on the floor by itself."""
        view = view_axes(yaw, pitch)
        found = []
        for sheet, sections in self._case:
            along = np.concatenate([section.along for section in sections])
            centres = np.stack([np.zeros_like(along), np.zeros_like(along), along], axis=1)
            rings = _Rings(centres, np.tile(np.eye(3, dtype=np.float32), (len(along), 1, 1)))
            found.append(_visible(sheet, rings, view=view, lamp=_lamp(view)))
        return Samples(*(np.concatenate(arrays) for arrays in zip(*found, strict=True)))


def view_axes(yaw: float, pitch: float) -> NDArray[np.float64]:
    """Rows [right, down, to the camera] in the body's frame."""
    sin_y, cos_y, sin_p, cos_p = np.sin(yaw), np.cos(yaw), np.sin(pitch), np.cos(pitch)
    return np.array(
        [[-sin_y, cos_y, 0.0], [sin_p * cos_y, sin_p * sin_y, -cos_p], [cos_p * cos_y, cos_p * sin_y, sin_p]]
    )


def _lamp(view: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows [to the camera, to the lamp, up] in the body's frame: ceiling light, a little from the camera's left."""
    up = np.array([0.0, 0.0, 1.0])
    lamp = 0.72 * up + 0.55 * view[2] - 0.35 * view[0]
    return np.stack([view[2], lamp / np.linalg.norm(lamp), up])


def _visible(
    sheet: Sheet, rings: _Rings, *, view: NDArray[np.float64], lamp: NDArray[np.float64]
) -> tuple[Float32Array, Float32Array, Float32Array]:
    """Positions, light and albedo of the samples that face the camera."""
    turn, lamps = view.T.astype(np.float32), lamp.T.astype(np.float32)
    lit = np.matmul(sheet.normals, rings.axes @ lamps)
    facing = lit[..., 0] > 0.02
    placed = np.matmul(sheet.local, rings.axes[:, :2] @ turn) + (rings.centres @ turn)[:, None, :]
    lit, xyz = lit[facing], placed[facing]
    # Sky light from above, a lamp, and a rim that darkens: cloth turns away softly.
    light = 0.40 + 0.16 * lit[:, 2] + 0.46 * np.maximum(lit[:, 1], 0) + 0.10 * lit[:, 0]
    return xyz, light, sheet.albedo[facing]


def _join(tubes: list[Tube], thin: int) -> tuple[tuple[Sheet, tuple[Section, ...]], ...]:
    """Tubes of equal sampling joined, each thinned."""
    joined = []
    for around in (FULL, WIDE, NARROW):
        chosen = [tube for tube in tubes if tube.local.shape[1] == around]
        if not chosen:
            continue
        sheet = Sheet(
            local=np.concatenate([tube.local[::thin, ::thin] for tube in chosen]),
            normals=np.concatenate([tube.normals()[::thin, ::thin] for tube in chosen]),
            albedo=np.concatenate([tube.albedo[::thin, ::thin] for tube in chosen]) * 255,
        )
        joined.append((sheet, tuple(Section(tube.bone, tube.along[::thin]) for tube in chosen)))
    return tuple(joined)

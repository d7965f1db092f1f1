"""A walking skeleton: joints from the phase of the step.

The body's frame: x forward, y to its left, z up, metres, the origin on the ground below the pelvis. Side 0 is left.
The curves follow the usual gait tables (Winter, Biomechanics and Motor Control of Human Movement, ch. 5): the hip
swings from 30 degrees of flexion at heel strike to 20 of extension, the knee bends a little in stance and 60 degrees
in swing, and the arms swing against the legs.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simulation.looks import Body, Gait

Stance = Literal["walk", "stand", "rest", "phone"]
"""What a body does: walks, stands upright, stands on one leg more than the other, or looks at a telephone."""


@dataclass(frozen=True, slots=True)
class Measures:
    """Lengths in metres, from height by the usual fractions (Drillis and Contini, 1966)."""

    height: float
    thigh: float
    shank: float
    ankle: float
    foot: float
    hip_half: float
    crotch: float
    neck: float
    shoulder: float
    shoulder_half: float
    upper_arm: float
    forearm: float

    @classmethod
    def of(cls, body: Body) -> "Measures":
        """Those of one body."""
        h = body.height_m
        wide = 0.5 + 0.5 * body.build
        return cls(
            height=h,
            thigh=0.245 * h,
            shank=0.246 * h,
            ankle=0.043 * h,
            foot=0.150 * h,
            hip_half=0.050 * h * wide,
            crotch=0.470 * h,
            neck=0.842 * h,
            shoulder=0.806 * h,
            shoulder_half=(0.094 if body.female else 0.104) * h * wide,
            upper_arm=0.172 * h,
            forearm=0.150 * h,
        )


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the joints are: (2, 3) arrays are [left, right] in the body's frame, metres."""

    hips: NDArray[np.float64]
    knees: NDArray[np.float64]
    ankles: NDArray[np.float64]
    foot_pitch: NDArray[np.float64]
    """(2,) radians, toes up positive."""
    shoulders: NDArray[np.float64]
    elbows: NDArray[np.float64]
    wrists: NDArray[np.float64]
    crotch: NDArray[np.float64]
    """(3,), the lower end of the trunk."""
    neck: NDArray[np.float64]
    """(3,), the upper end of the trunk."""
    pelvis_yaw: float
    chest_yaw: float
    head_pitch: float
    """Radians, looking down positive."""


def walking_pose(measures: Measures, gait: Gait, *, phase: float, stance: Stance, carrying: bool = False) -> Pose:
    """The pose at `phase`, a fraction of the cycle from one left heel strike to the next; `stand` ignores it."""
    walks = stance == "walk"
    stride = gait.stride if walks else 0.0
    phases = np.array([phase, phase + 0.5]) % 1.0
    swing = np.cos(2 * np.pi * phases)
    hip_angle = (np.radians(5) + np.radians(24) * swing) * stride
    knee_flex = np.radians(4) + stride * (
        np.radians(13) * _bump(phases, 0.15, 0.08) + np.radians(56) * _bump(phases, 0.72, 0.115)
    )
    foot = stride * (
        np.radians(16) * _bump(phases, 0.97, 0.08)
        - np.radians(48) * _bump(phases, 0.60, 0.075)
        - np.radians(14) * _bump(phases, 0.74, 0.06)
    )
    sway = 0.0
    if stance == "rest":  # weight on the right leg, the left knee loose
        hip_angle, knee_flex, sway = np.radians([14.0, -1.0]), np.radians([26.0, 1.0]), -0.035
    pelvis_yaw = float(-np.radians(5) * swing[0] * stride)
    side = np.array([1.0, -1.0])
    hips = np.zeros((2, 3))
    hips[:, 0] = -np.sin(pelvis_yaw) * side * measures.hip_half
    hips[:, 1] = np.cos(pelvis_yaw) * side * measures.hip_half
    inward = -0.25 * measures.hip_half * side * (1.0 if walks else -0.4)
    knees = hips + measures.thigh * np.stack([np.sin(hip_angle), inward, -np.cos(hip_angle)], axis=1)
    shank_angle = hip_angle - knee_flex
    ankles = knees + measures.shank * np.stack([np.sin(shank_angle), inward, -np.cos(shank_angle)], axis=1)
    lowest = (
        ankles[:, 2]
        - measures.ankle
        - np.maximum(
            0.30 * measures.foot * np.sin(np.maximum(foot, 0)), 0.62 * measures.foot * np.sin(np.maximum(-foot, 0))
        )
    )
    lift = -float(lowest.min())
    shift = np.array([0.0, sway, lift])
    hips, knees, ankles = hips + shift * [0, 1, 1], knees + shift * [0, 0.5, 1], ankles + shift * [0, 0, 1]
    hip_height = float(hips[:, 2].mean())
    drop = hip_height - (measures.thigh + measures.shank + measures.ankle)
    lean = gait.lean_rad if walks else 0.0
    chest_yaw = float(np.radians(7) * swing[0] * stride)
    crotch = np.array([0.0, sway, measures.crotch + drop])
    trunk = measures.neck - measures.crotch
    neck = crotch + np.array([np.sin(lean) * trunk, -0.6 * sway, np.cos(lean) * trunk])
    shoulders, elbows, wrists = _arms(
        measures, gait, neck=neck, chest_yaw=chest_yaw, swing=swing * stride, stance=stance, carrying=carrying
    )
    head_pitch = 0.42 if stance == "phone" else 0.06
    return Pose(hips, knees, ankles, foot, shoulders, elbows, wrists, crotch, neck, pelvis_yaw, chest_yaw, head_pitch)


def _bump(phases: NDArray[np.float64], centre: float, width: float) -> NDArray[np.float64]:
    """A bell around `centre` on the circle of phases."""
    away = (phases - centre + 0.5) % 1.0 - 0.5
    return np.asarray(np.exp(-((away / width) ** 2) / 2))


def _arms(
    measures: Measures,
    gait: Gait,
    *,
    neck: NDArray[np.float64],
    chest_yaw: float,
    swing: NDArray[np.float64],
    stance: Stance,
    carrying: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Shoulders, elbows and wrists: each arm swings with the other side's leg."""
    side = np.array([1.0, -1.0])
    base = neck - [0.0, 0.0, measures.neck - measures.shoulder]
    shoulders = base + measures.shoulder_half * np.stack(
        [-np.sin(chest_yaw) * side, np.cos(chest_yaw) * side, np.zeros(2)], axis=1
    )
    angle = -np.radians(20) * swing * gait.arm_swing + np.radians(2)
    flex = np.radians(14) + np.radians(11) * np.maximum(-swing, 0) * gait.arm_swing
    out = np.array([0.13, 0.13])
    inward = np.zeros(2)
    if stance == "phone":
        angle[1], flex[1], inward[1] = np.radians(6), np.radians(122), 0.55
    if carrying:  # A weight in the right hand: that arm hangs.
        angle[1], flex[1] = 0.15 * angle[1], np.radians(4)
    reach = np.stack([np.sin(angle), out * side, -np.cos(angle)], axis=1)
    elbows = shoulders + measures.upper_arm * reach / np.linalg.norm(reach, axis=1, keepdims=True)
    low = np.stack([np.sin(angle + flex), (0.02 - inward) * side, -np.cos(angle + flex)], axis=1)
    wrists = elbows + measures.forearm * low / np.linalg.norm(low, axis=1, keepdims=True)
    return shoulders, elbows, wrists

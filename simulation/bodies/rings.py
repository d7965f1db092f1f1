"""Where the rings of each bone are in a pose: centres and axes in the body's frame."""

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array
from simulation.bodies.skeleton import Measures, Pose
from simulation.bodies.surfaces import Bone

_UP = np.array([0.0, 0.0, 1.0])
_LEFT = np.array([0.0, 1.0, 0.0])


def ring_frames(
    bone: Bone, along: Float32Array, *, pose: Pose, measures: Measures
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centres (rings, 3) and axes (rings, 3, 3), rows [front, left, along], of the places `along` a bone.

    Trunk: 0 is the crotch, 1 the base of the neck. Head: metres above the base of the neck. Skirt: 0 is the crotch,
    1 the knees. Limbs: 0 is the first joint, 1 the end of the hand or the ankle. Foot: metres from the heel.
    Case: metres above its bottom.
    """
    side = 1 if bone.startswith("right") else 0
    match bone:
        case "trunk":
            frames = _trunk(along, pose)
        case "head":
            frames = _head(along, pose)
        case "skirt":
            frames = _skirt(along, pose, measures)
        case "left_arm" | "right_arm":
            hand = pose.wrists[side] + 0.62 * (pose.wrists[side] - pose.elbows[side])
            frames = _limb(along, np.stack([pose.shoulders[side], pose.elbows[side], hand]), yaw=pose.chest_yaw)
        case "left_leg" | "right_leg":
            frames = _limb(along, np.stack([pose.hips[side], pose.knees[side], pose.ankles[side]]), yaw=pose.pelvis_yaw)
        case "left_foot" | "right_foot":
            frames = _foot(along, pose, measures, side=side)
        case "case":
            frames = _case(along, pose)
    return frames


def _trunk(along: Float32Array, pose: Pose) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    share = np.asarray(along, float)[:, None]
    centres = pose.crotch + share * (pose.neck - pose.crotch)
    yaw = pose.pelvis_yaw + np.clip(np.asarray(along, float), 0, 1) * (pose.chest_yaw - pose.pelvis_yaw)
    up = (pose.neck - pose.crotch) / np.linalg.norm(pose.neck - pose.crotch)
    return centres, _upright(yaw, up)


def _head(along: Float32Array, pose: Pose) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    height = np.asarray(along, float)
    bend = np.clip((height - 0.03) / 0.08, 0, 1) * pose.head_pitch
    front = np.stack([np.cos(bend), np.zeros_like(bend), -np.sin(bend)], axis=1)
    up = np.stack([np.sin(bend), np.zeros_like(bend), np.cos(bend)], axis=1)
    turned = 0.3 * pose.chest_yaw
    left = np.broadcast_to([-np.sin(turned), np.cos(turned), 0.0], front.shape)
    # The face sits a little before the neck.
    ahead = 0.022 * np.clip((height - 0.02) / 0.08, 0, 1)
    centres = pose.neck + height[:, None] * up + ahead[:, None] * front
    return centres, np.stack([front, left, up], axis=1)


def _skirt(along: Float32Array, pose: Pose, measures: Measures) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    share = np.asarray(along, float)[:, None]
    knees = pose.knees.mean(axis=0)
    centres = pose.crotch + share * (knees - pose.crotch) * [0.8, 1.0, 1.0]
    axes = _upright(np.full(len(along), pose.pelvis_yaw * 0.5), _UP)
    axes[:, 2] = -_UP
    # A hem gives way to the legs inside it: half their distance, and a leg's radius, is the least depth.
    spread = abs(float(pose.knees[0, 0] - pose.knees[1, 0])) / 2
    axes[:, 0] *= 1.0 + np.clip(share, 0, None) * spread / (0.075 * measures.height)
    return centres, axes


def _upright(yaw: NDArray[np.float64], up: NDArray[np.float64]) -> NDArray[np.float64]:
    left = np.stack([-np.sin(yaw), np.cos(yaw), np.zeros_like(yaw)], axis=1)
    front = np.cross(left, up)
    front /= np.linalg.norm(front, axis=1, keepdims=True)
    return np.stack([front, np.cross(up, front), np.broadcast_to(up, front.shape)], axis=1)


def _limb(
    along: Float32Array, joints: NDArray[np.float64], *, yaw: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A bent tube through three joints, its bend rounded."""
    first, second = (np.linalg.norm(joints[k + 1] - joints[k]) for k in range(2))
    bend = first / (first + second)
    share = np.asarray(along, float)
    upper, lower = (joints[1] - joints[0]) / bend, (joints[2] - joints[1]) / (1 - bend)
    # The integral of a direction that turns over a stretch around the joint.
    soft = 0.07
    ramp = np.where(np.abs(share - bend) < soft, (share - bend + soft) ** 2 / (4 * soft), np.maximum(share - bend, 0.0))
    centres = joints[0] + share[:, None] * upper + ramp[:, None] * (lower - upper)
    mix = np.clip((share - bend + soft) / (2 * soft), 0, 1)[:, None]
    tangent = upper + mix * (lower - upper)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    sideways = np.array([-np.sin(yaw), np.cos(yaw), 0.0])
    left = sideways - (tangent @ sideways)[:, None] * tangent
    left /= np.linalg.norm(left, axis=1, keepdims=True)
    return centres, np.stack([np.cross(tangent, left), left, tangent], axis=1)


def _foot(
    along: Float32Array, pose: Pose, measures: Measures, *, side: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    pitch = float(pose.foot_pitch[side])
    yaw = 0.12 if side == 0 else -0.12  # Toes point a little outwards.
    forward = np.array([np.cos(pitch) * np.cos(yaw), np.cos(pitch) * np.sin(yaw), np.sin(pitch)])
    left = np.array([-np.sin(yaw), np.cos(yaw), 0.0])
    up = np.cross(forward, left)
    heel = pose.ankles[side] - 0.30 * measures.foot * forward - measures.ankle * up
    centres = heel + np.asarray(along, float)[:, None] * forward
    # Rings stand across the foot: their "front" is up.
    return centres, np.broadcast_to(np.stack([up, left, forward]), (len(along), 3, 3)).copy()


def _case(along: Float32Array, pose: Pose) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    hand = pose.wrists[1] + 0.35 * (pose.wrists[1] - pose.elbows[1])
    top = float(along[-1])
    centres = hand + [0.0, -0.03, -0.06] + (np.asarray(along, float) - top)[:, None] * _UP
    return centres, np.broadcast_to(np.stack([np.array([1.0, 0.0, 0.0]), _LEFT, _UP]), (len(along), 3, 3)).copy()

"""What is printed on fabric: patterns, prints and letters, painted on the unrolled surface of a tube."""

import cv2
import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array
from simulation.bodies.surfaces import SAMPLES_PER_M, Tube
from simulation.looks import Colour, Pattern
from simulation.streams import smooth_noise, stream


def paint(tube: Tube, colour: Colour, *, rows: slice = slice(None), where: NDArray[np.bool_] | None = None) -> None:
    """One colour on some rings, or on the samples of a mask (rings, around)."""
    if where is None:
        tube.albedo[rows] = colour
    else:
        tube.albedo[where] = colour


def paint_pattern(tube: Tube, colour: Colour, pattern: Pattern, *, rows: slice = slice(None)) -> None:
    """A garment's colour and pattern on some rings; periods are metres on the surface."""
    rings, around = tube.local.shape[:2]
    height = np.linspace(0, tube.length_m, rings, dtype=np.float32)[:, None]
    girth = _girth(tube)
    across = (tube.angle / (2 * np.pi))[None, :] * girth
    period = pattern.period_m
    kind = pattern.kind
    if kind == "hoops":
        share = np.broadcast_to((height / period) % 1.0 < 0.5, (rings, around)).astype(np.float32)
    elif kind == "stripes":
        turns = max(4, round(girth / period))
        share = np.broadcast_to((across / girth * turns + 0.25) % 1.0 < 0.4, (rings, around)).astype(np.float32)
    elif kind == "checks":
        turns = max(4, round(girth / period))
        lines = ((across / girth * turns) % 1.0 < 0.45).astype(np.float32)
        share = 0.5 * lines + 0.5 * ((height / period) % 1.0 < 0.45)
    elif kind == "dots":
        turns = max(4, round(girth / period))
        row = np.floor(height / period)
        x = ((across / girth * turns + 0.5 * (row % 2)) % 1.0) - 0.5
        share = (np.hypot(x, (height / period) % 1.0 - 0.5) < 0.3).astype(np.float32)
    elif kind == "print":
        grain = max(2.0, period * SAMPLES_PER_M)
        share = np.clip(
            0.5 + 1.4 * smooth_noise(stream(pattern.seed, "print"), (rings, around), grain=(grain, grain)), 0, 1
        )
    elif kind == "halves":
        share = np.broadcast_to(height > 0.52 * tube.length_m, (rings, around)).astype(np.float32)
    elif kind == "band":
        middle = 0.60 * tube.length_m
        share = np.broadcast_to(np.abs(height - middle) < period, (rings, around)).astype(np.float32)
    else:
        share = np.zeros((rings, around), np.float32)
    mixed = np.asarray(colour, np.float32) + share[..., None] * (
        np.asarray(pattern.colour, np.float32) - np.asarray(colour, np.float32)
    )
    tube.albedo[rows] = mixed[rows]


def paint_logo(tube: Tube, colour: Colour, *, width_m: float, centre: tuple[float, float], seed: int) -> None:
    """Letters or a badge; `centre` is (radians from the front, share of the tube's length)."""
    rings, around = tube.local.shape[:2]
    girth = _girth(tube)
    columns = max(5, round(width_m / girth * around))
    draw = stream(seed, "logo")
    kind = int(draw.integers(0, 4))
    tall = max(5, round(width_m * (1.0, 0.45, 0.9, 0.3)[kind] * rings / tube.length_m))
    stamp = _stamp(draw, kind=kind)
    alpha = cv2.resize(stamp, (columns, tall), interpolation=cv2.INTER_AREA).astype(np.float32)[::-1, :, None] / 255.0
    left = round((centre[0] / (2 * np.pi) + 0.5) * around - columns / 2)
    bottom = round(centre[1] * (rings - 1) - tall / 2)
    inside = (np.arange(tall) + bottom >= 0) & (np.arange(tall) + bottom < rings)
    at = np.ix_((np.arange(tall) + bottom)[inside], (np.arange(columns) + left) % around)
    alpha = alpha[inside]
    tube.albedo[at] = tube.albedo[at] * (1 - alpha) + alpha * np.asarray(colour, np.float32)


def fold(tube: Tube, *, seed: int, depth_m: float, grain_m: tuple[float, float]) -> None:
    """Folds of cloth: relief of `depth_m`, `grain_m` (along, around) in size."""
    rings, around = tube.local.shape[:2]
    grain = (grain_m[0] * rings / tube.length_m, max(2.0, grain_m[1] * around / _girth(tube)))
    tube.relief += depth_m * smooth_noise(stream(seed, "folds"), (rings, around), grain=grain)


def shade(tube: Tube, darkness: Float32Array) -> None:
    """Darken samples by factors that broadcast to (rings, around): corners that light seldom reaches."""
    tube.albedo *= np.broadcast_to(darkness, tube.local.shape[:2])[..., None]


def _girth(tube: Tube) -> float:
    """Mean length around the tube, metres."""
    closed = np.concatenate([tube.local, tube.local[:, :1]], axis=1)
    return float(np.linalg.norm(np.diff(closed, axis=1), axis=-1).sum(axis=1).mean())


def _stamp(draw: np.random.Generator, *, kind: int) -> NDArray[np.uint8]:
    """A picture (96 rows, 96 columns) uint8 of a made-up badge or word."""
    stamp = np.zeros((96, 96), np.uint8)
    letters = "".join(draw.choice(list("ABCDEHKLMNOPRSTVXZ"), size=2))
    if kind == 0:  # a ring
        cv2.circle(stamp, (48, 48), 44, 255, -1)
        cv2.circle(stamp, (48, 48), int(draw.integers(18, 34)), 0, -1)
    elif kind == 1:  # two letters
        cv2.putText(stamp, letters, (2, 84), cv2.FONT_HERSHEY_SIMPLEX, 2.3, 255, 14)
    elif kind == 2:  # a star or another polygon
        points = int(draw.integers(3, 7))
        turn = np.pi * np.arange(2 * points) / points
        radius = np.where(np.arange(2 * points) % 2 == 0, 46, 46 * draw.uniform(0.35, 0.85))
        corners = 48 + np.stack([radius * np.sin(turn), -radius * np.cos(turn)], axis=1)
        cv2.fillPoly(stamp, [corners.astype(np.int32)], 255)
    else:  # a bar with a gap
        cv2.rectangle(stamp, (2, 8), (94, 88), 255, -1)
        gap = int(draw.integers(20, 76))
        cv2.line(stamp, (gap - 12, 96), (gap + 12, 0), 0, 9)
    return stamp

"""Procedural floors, walls and ceilings: colours (n, 3) RGB 0-1 at places in metres."""

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array
from simulation.plan import Room
from simulation.streams import smooth_noise, stream

_TILE = 256


def _noise_tile(name: str, grain: float) -> Float32Array:
    noise = smooth_noise(stream(0, "texture", name), (_TILE, _TILE), grain=(grain, grain))
    return np.asarray(np.clip(noise, -2.5, 2.5), dtype=np.float32)


_FINE, _MIDDLE, _COARSE = _noise_tile("fine", 1.0), _noise_tile("middle", 6.0), _noise_tile("coarse", 32.0)


def mottled(u: Float32Array, v: Float32Array, *, per_m: float, tile: Float32Array = _COARSE) -> Float32Array:
    """Noise of mean 0 and deviation 1 at places (n,), repeating far apart."""
    return np.asarray(
        tile[(v * per_m).astype(np.int64) % _TILE, (u * per_m).astype(np.int64) % _TILE], dtype=np.float32
    )


def cell_noise(i: NDArray[np.floating], j: NDArray[np.floating]) -> Float32Array:
    """One number in 0-1 for every integer cell (i, j), without any order that an eye finds."""
    value = np.sin(i * 12.9898 + j * 78.233) * 43758.5453
    return np.asarray(value - np.floor(value), dtype=np.float32)


def floor_colour(room: Room, x: Float32Array, y: Float32Array) -> Float32Array:
    """The floor of a room at (n,) places."""
    base = np.asarray(room.floor_colour, np.float32)
    if room.floor == "tiles":
        size = 0.45 + 0.15 * (room.number % 2)
        i, j = np.floor(x / size), np.floor(y / size)
        bright = 0.94 + 0.12 * cell_noise(i, j) + 0.012 * mottled(x, y, per_m=60, tile=_MIDDLE)
        grout = (np.minimum((x / size) % 1.0, (y / size) % 1.0) * size) < 0.012
        bright = np.where(grout, 0.72, bright)
    elif room.floor == "wood":
        along, across = (x, y) if room.number % 2 else (y, x)
        plank = np.floor(across / 0.15)
        start = along / 1.3 + cell_noise(plank, plank * 0 + 3.0)
        bright = 0.80 + 0.34 * cell_noise(plank, np.floor(start))
        bright += 0.045 * _FINE[(across * 130).astype(np.int64) % _TILE, (along * 12).astype(np.int64) % _TILE]
        seam = ((across / 0.15) % 1.0 < 0.05) | ((start % 1.0) < 0.006)
        bright = np.where(seam, 0.62, bright)
    elif room.floor == "carpet":
        bright = 0.95 + 0.05 * mottled(x, y, per_m=70, tile=_FINE) + 0.05 * mottled(x, y, per_m=24)
        square = (np.floor(x / 1.0) + np.floor(y / 1.0)) % 2
        bright = bright * (1 + 0.05 * square * (room.number % 3 == 0))
    else:
        i = np.floor(x / 0.9)
        j = np.floor(y / 0.6 + 0.5 * (i % 2))
        bright = 0.92 + 0.14 * cell_noise(i, j) + 0.03 * mottled(x, y, per_m=90, tile=_MIDDLE)
        bright += 0.02 * mottled(x, y, per_m=80, tile=_FINE)
        joint = np.minimum((x / 0.9) % 1.0 * 0.9, (y / 0.6 + 0.5 * (i % 2)) % 1.0 * 0.6) < 0.01
        bright = np.where(joint, 0.74, bright)
    return np.asarray(bright, np.float32)[:, None] * base


def floor_gloss(room: Room) -> float:
    """How much of the ceiling's lamps the floor mirrors, 0-1."""
    return {"tiles": 0.20, "stone": 0.10, "wood": 0.12, "carpet": 0.0}[room.floor]


def wall_colour(room: Room, along: Float32Array, height: Float32Array, *, side: int) -> Float32Array:
    """A wall at (n,) places along it and heights; `side` makes the four walls of a room differ."""
    upper, lower = np.asarray(room.wall_colour, np.float32), np.asarray(room.dado_colour, np.float32)
    colour = np.where((height > 1.0)[:, None], upper, lower)
    colour = np.where((np.abs(height - 1.0) < 0.022)[:, None], lower * 0.72, colour)
    colour = np.where((height < 0.09)[:, None], lower * 0.55, colour)
    colour = colour * (1 + 0.012 * mottled(along + 9.0 * side, height, per_m=30))[:, None]
    for picture in _pictures(room, side):
        start, low, wide, tall, hue, other = picture
        inside = (np.abs(along - start) < wide / 2) & (np.abs(height - low) < tall / 2)
        frame = inside & ((np.abs(along - start) > wide / 2 - 0.04) | (np.abs(height - low) > tall / 2 - 0.04))
        share = np.clip(0.5 + 0.35 * mottled(along * 2, height * 2, per_m=40), 0, 1)[:, None]
        colour = np.where(inside[:, None], share * hue + (1 - share) * other, colour)
        colour = np.where(frame[:, None], np.float32(0.16), colour)
    return np.asarray(colour, np.float32)


def ceiling_colour(x: Float32Array, y: Float32Array) -> Float32Array:
    """Panels of 60 cm; lamps are drawn by the light."""
    joint = np.minimum((x / 0.6) % 1.0, (y / 0.6) % 1.0) < 0.035
    bright = np.where(joint, 0.66, 0.82 + 0.03 * cell_noise(np.floor(x / 0.6), np.floor(y / 0.6)))
    return np.asarray(np.repeat(bright[:, None], 3, axis=1), np.float32)


def _pictures(room: Room, side: int) -> list[tuple[float, float, float, float, Float32Array, Float32Array]]:
    """Frames on a wall: (place, height, width, tallness, two colours)."""
    draw = stream(room.number, "pictures", side, room.name)
    rect = room.rect
    low, high = (rect.x0, rect.x1) if side < 2 else (rect.y0, rect.y1)
    return [
        (
            float(draw.uniform(low + 0.8, high - 0.8)),
            float(draw.uniform(1.55, 1.8)),
            float(draw.uniform(0.45, 1.1)),
            float(draw.uniform(0.4, 0.75)),
            draw.uniform(0.15, 0.85, 3).astype(np.float32),
            draw.uniform(0.15, 0.85, 3).astype(np.float32),
        )
        for _ in range(int(draw.integers(0, 3)))
    ]

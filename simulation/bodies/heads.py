"""Heads: a face, hair in several styles, hats and scarves."""

import numpy as np
from numpy.typing import NDArray

from simulation.bodies import outlines
from simulation.bodies.painting import fold, paint, shade
from simulation.bodies.surfaces import WIDE, Outline, Tube, loft, round_outline
from simulation.looks import Colour, Look

_LENGTH = 0.158 * outlines.HEIGHT_M
"""From the base of the neck to the top of the head, metres at 1.75 m."""


def head_tubes(look: Look, size: float) -> list[Tube]:
    """The head and everything on it."""
    tubes = [_face(look, size)]
    head = look.head
    covered = head.headwear in {"cap", "beanie", "hat"}
    if head.headwear == "scarf":
        tubes.append(_scarf(look, size))
    else:
        if head.hair != "bald":
            tubes.append(_hair(look, size, flat=covered))
        if head.hair in {"bun", "ponytail"}:
            tubes.append(_tied(look, size))
        if covered:
            tubes += _hat(look, size)
    if look.top.kind in {"shirt", "jacket", "coat", "suit", "hoodie", "vest"}:
        tubes.append(_collar(look, size))
    return tubes


def _face(look: Look, size: float) -> Tube:
    length = _LENGTH * size
    tube = loft("head", outlines.HEAD.scaled(size), span=(0.0, length), length_m=length, around=WIDE)
    paint(tube, look.body.skin)
    height, theta = (tube.along / length)[:, None], tube.angle[None, :]
    side = np.abs(theta)

    def spot(at: float, up: float, wide: float, tall: float) -> NDArray[np.float32]:
        return np.exp(-(((side - at) / wide) ** 2) - (((height - up) / tall) ** 2)).astype(np.float32)

    nose = spot(0.0, 0.47, 0.15, 0.055)
    tube.local[..., 0] += 0.022 * size * nose
    ears = spot(1.62, 0.50, 0.10, 0.075)
    tube.local[..., 1] *= 1 + 0.16 * ears
    shade(tube, 1 - 0.45 * np.maximum(spot(0.38, 0.56, 0.20, 0.045), 0.7 * spot(0.0, 0.41, 0.2, 0.02)))
    shade(tube, 1 - 0.6 * spot(0.37, 0.55, 0.09, 0.018))
    brows = spot(0.38, 0.625, 0.2, 0.016)[..., None] * 0.75
    mouth = spot(0.0, 0.345, 0.24, 0.016)[..., None] * 0.7
    tube.albedo += brows * (np.asarray(look.head.hair_colour, np.float32) * 0.7 - tube.albedo)
    lips = np.asarray(look.body.skin, np.float32) * np.array([0.78, 0.45, 0.45], np.float32)
    tube.albedo += mouth * (lips - tube.albedo)
    if look.head.beard:
        beard = (
            (side < 1.25)
            & (height > 0.18)
            & (height < 0.40 + 0.10 * np.clip(side - 0.45, 0, 1))
            & (mouth[..., 0] < 0.3)
        )
        paint(tube, look.head.hair_colour, where=beard)
    if look.head.glasses:
        rims = (np.abs(np.hypot((side - 0.37) / 0.26, (height - 0.56) / 0.060) - 1) < 0.22) & (side < 0.8)
        bow = (np.abs(height - 0.575) < 0.016) & (side > 0.6) & (side < 1.6)
        paint(tube, (0.05, 0.05, 0.06), where=rims | bow)
    if look.head.headwear != "none" or look.head.hair != "bald":  # Under hair and hats there is nothing to see.
        tube.keep[tube.along > 0.84 * length] = False
        tube.keep &= ~((height > 0.55) & (side > 2.0))
    neck = 0.62 + 0.38 * np.clip((height - 0.10) / 0.14, 0, 1)
    shade(tube, neck)
    return tube


def _hair(look: Look, size: float, *, flat: bool) -> Tube:
    """A shell over the skull that leaves the face free, and for long hair falls behind and beside it."""
    style = look.head.hair
    length = _LENGTH * size
    thick = {"short": 0.010, "crop": 0.004, "medium": 0.017, "long": 0.017, "curly": 0.030}.get(style, 0.010)
    thick = min(thick, 0.008) if flat else thick
    low = {"medium": 0.22, "long": -0.55, "curly": 0.20}.get(style, 0.34)
    skull = outlines.HEAD.scaled(size, plus=thick)
    top = 1.0 + thick / length * 0.8
    at = np.linspace(0, 1, 16)
    inner = np.clip(low + at * (top - low), 0.30, top) / top * 0.98
    rows = [list(np.interp(inner, skull.at, row)) for row in (skull.half_width, skull.front, skull.back)]
    if low < 0:  # beside the neck and on the back
        rows[1] = [value if place > 0.5 else 0.05 * size for value, place in zip(rows[1], at, strict=True)]
        rows[2] = [value * (1.0 if place > 0.45 else 1.12) for value, place in zip(rows[2], at, strict=True)]
    tube = loft(
        "head",
        Outline(list(at), rows[0], rows[1], rows[2]),
        span=(low * length, top * length),
        length_m=(top - low) * length,
        around=WIDE,
        capped=True,
    )
    paint(tube, look.head.hair_colour)
    height, side = (tube.along / length)[:, None], np.abs(tube.angle)[None, :]
    line = {"bald": 9.0}.get(style, 0.74)  # above it hair grows over the forehead
    parted = 0.05 * np.sin(2 * tube.angle[None, :] + look.seed % 7)
    face = (height < line + parted - 0.10 * np.clip(side - 0.5, 0, 1)) & (side < (1.05 if low < 0.3 else 1.35))
    ear = (height < 0.60) & (side < 1.85) if style in {"short", "crop", "bun", "ponytail"} else np.zeros_like(face)
    nape = (height < 0.34) & (side < 9) if style in {"short", "crop"} else np.zeros_like(face)
    tube.keep &= ~(face | ear | nape)
    fold(
        tube,
        seed=look.seed + 5,
        depth_m=0.006 if style == "curly" else 0.0025,
        grain_m=(0.03, 0.03) if style == "curly" else (0.2, 0.018),
    )
    shade(tube, (0.8 + 0.2 * np.clip(height / 0.8, 0, 1)).astype(np.float32))
    return tube


def _tied(look: Look, size: float) -> Tube:
    length = _LENGTH * size
    if look.head.hair == "bun":
        shape = round_outline([0, 0.2, 0.5, 0.8, 1], [0.004, 0.036, 0.046, 0.036, 0.004])
        tube = loft(
            "head",
            shape.scaled(size),
            span=(0.66 * length, 1.0 * length),
            length_m=0.09 * size,
            shift=(-0.12 * size, 0),
        )
    else:
        shape = round_outline([0, 0.2, 0.7, 0.95, 1], [0.008, 0.026, 0.034, 0.026, 0.004])
        tube = loft(
            "head",
            shape.scaled(size),
            span=(-0.25 * length, 0.82 * length),
            length_m=0.28 * size,
            shift=(-0.125 * size, 0),
        )
    paint(tube, look.head.hair_colour)
    fold(tube, seed=look.seed + 6, depth_m=0.003, grain_m=(0.1, 0.02))
    return tube


def _hat(look: Look, size: float) -> list[Tube]:
    length = _LENGTH * size
    kind, colour = look.head.headwear, look.head.headwear_colour
    skull = outlines.HEAD.scaled(size, plus=0.016)
    at = np.linspace(0, 1, 12)
    low = 0.60 if kind == "beanie" else 0.68
    top = 1.12 if kind == "hat" else 1.08
    inner = np.clip(low + at * (0.975 - low), 0, 1)
    rows = [list(np.interp(inner, skull.at, row)) for row in (skull.half_width, skull.front, skull.back)]
    if kind == "hat":  # straight sides
        rows = [[max(value, row[0] * 0.86) for value in row] for row in rows]
    crown = loft(
        "head",
        Outline(list(at), rows[0], rows[1], rows[2]),
        span=(low * length, top * length),
        length_m=(top - low) * length,
        around=WIDE,
        capped=True,
    )
    paint(crown, colour)
    if kind == "beanie":
        crown.relief += 0.002 * np.cos(40 * crown.angle)[None, :]
        shade(crown, np.where(crown.along < (low + 0.14) * length, 0.8, 1.0)[:, None].astype(np.float32))
        return [crown]
    width, front = rows[0][0], rows[1][0]
    if kind == "hat":
        edges = [[row[0] * 0.9, row[0] + 0.06, row[0] * 0.9] for row in rows]
        rim = Outline([0, 0.5, 1], edges[0], edges[1], edges[2])
    else:  # a cap's peak reaches forward only
        rim = Outline(
            [0, 0.5, 1], [width * 0.8, width * 0.9, width * 0.8], [front, front + 0.075, front], [0.0, 0.0, 0.0]
        )
    brim = loft("head", rim, span=((low - 0.02) * length, (low + 0.05) * length), length_m=0.05, around=WIDE)
    dark: Colour = (colour[0] * 0.8, colour[1] * 0.8, colour[2] * 0.8)
    paint(brim, dark)
    return [crown, brim]


def _scarf(look: Look, size: float) -> Tube:
    """A headscarf that leaves the face free and lies on the shoulders."""
    length = _LENGTH * size
    skull = outlines.HEAD.scaled(size, plus=0.016)
    at = np.linspace(0, 1, 16)
    low, top = -0.22, 1.06
    inner = np.clip(low + at * (0.975 - low), 0, 1)
    rows = [list(np.interp(inner, skull.at, row)) for row in (skull.half_width, skull.front, skull.back)]
    for row in rows:
        row[0], row[1] = 0.13 * size, 0.10 * size
    tube = loft(
        "head",
        Outline(list(at), rows[0], rows[1], rows[2]),
        span=(low * length, top * length),
        length_m=(top - low) * length,
        around=WIDE,
        capped=True,
    )
    paint(tube, look.head.headwear_colour)
    height, side = (tube.along / length)[:, None], np.abs(tube.angle)[None, :]
    tube.keep &= ~(np.hypot(side / 0.95, (height - 0.50) / 0.30) < 1.0)
    fold(tube, seed=look.seed + 7, depth_m=0.005, grain_m=(0.06, 0.10))
    return tube


def _collar(look: Look, size: float) -> Tube:
    """Around the neck, open in front; a hoodie's hood hangs behind."""
    length = _LENGTH * size
    hood = look.top.kind == "hoodie"
    wide, deep = (0.105, 0.13) if hood else (0.072, 0.078)
    shape = Outline(
        [0, 0.5, 1], [wide * 1.1, wide, wide * 0.94], [0.078, 0.070, 0.062], [deep * 1.1, deep, deep * 0.8]
    ).scaled(size)
    high = 0.24 if hood else 0.16
    tube = loft("head", shape, span=(-0.14 * length, high * length), length_m=(high + 0.14) * length, around=WIDE)
    colour = look.top.inner if look.top.kind in {"suit", "vest"} else look.top.colour
    paint(tube, colour)
    height, side = (tube.along / length)[:, None], np.abs(tube.angle)[None, :]
    tube.keep &= ~(side < 0.5 * np.clip((height + 0.14) / 0.2, 0, 1.6))
    shade(tube, (0.85 + 0 * height).astype(np.float32))
    return tube

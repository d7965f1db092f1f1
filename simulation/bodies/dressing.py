"""From a look to painted tubes: the body, its clothes, hair and bags."""

import numpy as np

from simulation.bodies import outlines
from simulation.bodies.heads import head_tubes
from simulation.bodies.painting import fold, paint, paint_pattern, shade
from simulation.bodies.skeleton import Measures
from simulation.bodies.surfaces import FULL, NARROW, WIDE, Bone, Outline, Tube, loft, round_outline
from simulation.bodies.trunk import LOOSE, trunk_tube
from simulation.looks import Colour, Look, Pattern

_SLEEVE = {"tshirt": 0.27, "dress": 0.16, "vest": 0.0}
"""Where short sleeves end on the arm; all others end at the wrist."""


def dress(look: Look, measures: Measures) -> list[Tube]:
    """All parts of a person but a carried case, outer over inner, painted."""
    size = look.body.height_m / outlines.HEIGHT_M
    tubes = [trunk_tube(look, measures, size)]
    for side, name in enumerate(("left", "right")):
        tubes += [_arm(look, measures, size, side=side), _leg(look, measures, size, side=side)]
        tubes.append(_foot(look, size, bone="left_foot" if name == "left" else "right_foot"))
    tubes += head_tubes(look, size)
    if look.top.kind in {"dress", "coat"} or look.bottom.kind == "skirt":
        tubes += _skirts(look, measures, size)
    if look.bag.kind == "backpack":
        tubes.append(_backpack(look, size))
    if look.bag.kind == "shoulder":
        tubes.append(_shoulder_bag(look, size))
    return tubes


def case_tube(look: Look) -> Tube:
    """The case, carried in the right hand or put down."""
    tube = loft(
        "case",
        Outline(
            [0, 0.05, 0.95, 1],
            [0.05, 0.065, 0.065, 0.05],
            [0.17, 0.2, 0.2, 0.17],
            [0.17, 0.2, 0.2, 0.17],
            squareness=7.0,
        ),
        span=(0.0, 0.34),
        length_m=0.34,
        around=WIDE,
        capped=True,
    )
    paint(tube, look.bag.colour)
    dark: Colour = (look.bag.colour[0] * 0.4, look.bag.colour[1] * 0.4, look.bag.colour[2] * 0.4)
    rings = len(tube.along)
    paint(tube, dark, rows=slice(round(0.60 * rings), round(0.63 * rings)))
    return tube


def _arm(look: Look, measures: Measures, size: float, *, side: int) -> Tube:
    top = look.top
    length = measures.upper_arm + 1.62 * measures.forearm
    sleeve = _SLEEVE.get(top.kind, 0.79)
    thick = size * (0.86 if look.body.female else 1.0) * (0.4 + 0.6 * look.body.build)
    at = np.asarray(outlines.ARM.at)
    covered = at < sleeve - 0.01
    loose = LOOSE[top.kind] if top.kind != "vest" else 0.006
    radii = np.asarray(outlines.ARM.half_width) * thick + np.where(covered, loose * 0.8, 0.0)
    places, values = [*at], [*radii]
    if sleeve > 0:  # the step at the sleeve's end
        bare = float(np.interp(sleeve, at, np.asarray(outlines.ARM.half_width) * thick))
        near = [k for k, place in enumerate(places) if abs(place - sleeve) < 0.02]
        for k in reversed(near):
            del places[k], values[k]
        where = int(np.searchsorted(places, sleeve))
        places[where:where] = [sleeve - 0.008, sleeve + 0.008]
        values[where:where] = [bare + loose * 0.8 + 0.002, bare]
    bone: Bone = "left_arm" if side == 0 else "right_arm"
    tube = loft(bone, round_outline(places, values), span=(0.0, 1.0), length_m=length)
    # A hand is flat: narrow seen from the front.
    hand = tube.along > 0.80
    tube.local[hand, :, 1] *= 0.55
    paint(tube, look.body.skin)
    cloth = tube.along < (sleeve if top.kind != "vest" else 0.79)
    garment = loft(bone, round_outline([0, 1], [0.06, 0.06]), span=(0, 1), length_m=length)
    pattern = top.pattern if top.pattern.kind in {"hoops", "checks", "dots", "print", "stripes"} else Pattern()
    colour = top.inner if top.kind == "vest" else top.colour
    paint_pattern(garment, colour, pattern if top.kind != "vest" else Pattern())
    tube.albedo[cloth] = garment.albedo[cloth]
    fold(tube, seed=look.seed + 1 + side, depth_m=0.003, grain_m=(0.06, 0.09))
    inward = -1.0 if side == 0 else 1.0
    near_trunk = np.exp(-(((tube.angle - inward * np.pi / 2) / 0.8) ** 2))[None, :]
    shade(tube, (1 - 0.30 * near_trunk * (tube.along[:, None] < 0.7)).astype(np.float32))
    return tube


def _leg(look: Look, measures: Measures, size: float, *, side: int) -> Tube:
    kind, build = look.bottom.kind, 0.45 + 0.55 * look.body.build
    bare = kind == "skirt" or look.top.kind == "dress"
    legs = np.asarray(outlines.LEG.half_width) * size * build
    at = np.asarray(outlines.LEG.at)
    length = measures.thigh + measures.shank
    end = {"trousers": 1.0, "jeans": 1.0, "shorts": 0.50, "skirt": 0.0}[kind] if not bare else 0.0
    loose = {"trousers": 0.012, "jeans": 0.006, "shorts": 0.018, "skirt": 0.0}[kind]
    if end == 1.0:  # trousers fall straight below the knee
        least = 0.062 if kind == "trousers" else 0.050
        radii = np.maximum(legs + loose, np.where(at > 0.4, least * size, 0.0))
        outline = round_outline(list(at), list(radii))
    elif end > 0:
        outline = round_outline(
            [0.0, 0.12, 0.30, end - 0.01, end + 0.01, 0.56, 0.66, 0.85, 1.0],
            [legs[0] + loose, legs[1] + loose, legs[2] + loose, legs[3] + 1.3 * loose, legs[3], legs[4], *legs[5:]],
        )
    else:
        outline = round_outline(list(at), list(legs))
    tube = loft("left_leg" if side == 0 else "right_leg", outline, span=(0.0, 1.0), length_m=length)
    cloth = round(end * len(tube.along))
    tights = look.bottom.colour if bare and look.seed % 3 == 0 and look.top.kind == "dress" else look.body.skin
    paint(tube, tights)
    if cloth:
        paint_pattern(tube, look.bottom.colour, look.bottom.pattern, rows=slice(0, cloth))
        fold(tube, seed=look.seed + 3 + side, depth_m=0.0035, grain_m=(0.07, 0.10))
        if kind == "jeans":  # worn paler on the thigh
            pale = 1 + 0.22 * np.exp(-(((tube.along[:, None] - 0.3) / 0.18) ** 2)) * np.exp(-((tube.angle / 0.8) ** 2))
            shade(tube, pale.astype(np.float32))
    if bare or look.top.kind == "coat":  # What a skirt hides is not there: no thigh pokes through.
        hidden = 0.40 if look.top.kind == "coat" and not bare else _skirt_end(look) * measures.thigh / length
        tube.keep[tube.along < hidden - (0.02 if hidden == 0.40 else 0.12)] = False
    inward = -1.0 if side == 0 else 1.0
    inner = np.exp(-(((tube.angle - inward * np.pi / 2) / 0.9) ** 2))[None, :]
    dark = 1 - 0.38 * inner * np.clip(1.2 - tube.along[:, None], 0, 1)
    shade(tube, dark.astype(np.float32))
    return tube


def _foot(look: Look, size: float, *, bone: Bone) -> Tube:
    length = 0.150 * look.body.height_m
    tube = loft(bone, outlines.FOOT.scaled(size), span=(0.0, length), length_m=length, around=NARROW)
    paint(tube, look.shoes)
    sole = np.abs(tube.angle) > 1.75
    tube.albedo[:, sole] = np.asarray(look.shoes, np.float32) * 0.35 + (0.45 if look.seed % 2 else 0.02)
    return tube


def _skirt_end(look: Look) -> float:
    """Where a skirt ends: 0 is the crotch, 1 the knees."""
    return (0.75, 1.0, 1.3)[look.seed % 3]


def _skirts(look: Look, measures: Measures, size: float) -> list[Tube]:
    """Coat tails, a dress's lower half or a skirt."""
    coat, gown = look.top.kind == "coat", look.top.kind == "dress"
    reach = measures.thigh * 1.0  # the bone's unit: crotch to knees
    tubes = []
    if gown or look.bottom.kind == "skirt":
        start, end = -0.62, _skirt_end(look)
        flare = (1.0, 1.25, 1.5)[(look.seed // 3) % 3]
        tubes.append(_cone(look, size, start=start, end=end, reach=reach, flare=flare, plus=0.012))
        colour, pattern = (look.top.colour, look.top.pattern) if gown else (look.bottom.colour, look.bottom.pattern)
        paint_pattern(tubes[0], colour, pattern)
    if coat:
        tail = _cone(look, size, start=-0.5, end=0.75, reach=reach, flare=1.1, plus=0.030)
        paint_pattern(tail, look.top.colour, look.top.pattern)
        tail.albedo[:, np.abs(tail.angle) < 0.05] *= 0.45
        tubes.append(tail)
    for tube in tubes:
        fold(tube, seed=look.seed + 9, depth_m=0.006, grain_m=(0.5, 0.10))
    return tubes


def _cone(look: Look, size: float, *, start: float, end: float, reach: float, flare: float, plus: float) -> Tube:
    base = (outlines.WOMAN if look.body.female else outlines.MAN).scaled(size * look.body.build, plus=plus)
    hip = (base.half_width[2], base.front[2], base.back[2])
    waist = tuple(float(np.interp(0.30, base.at, row)) for row in (base.half_width, base.front, base.back))
    at = [0.0, -start / (end - start) * 0.75, 1.0]
    rows = [[waist[k], hip[k] * 1.02, hip[k] * flare * 1.04] for k in range(3)]
    return loft(
        "skirt",
        Outline(at, rows[0], rows[1], rows[2], 2.2),
        span=(start, end),
        length_m=reach * (end - start),
        around=FULL,
    )


def _backpack(look: Look, size: float) -> Tube:
    shape = Outline(
        [0, 0.05, 0.4, 0.85, 0.97, 1],
        [0.12, 0.135, 0.145, 0.13, 0.10, 0.05],
        [0.05, 0.05, 0.05, 0.05, 0.05, 0.03],
        [0.12, 0.15, 0.16, 0.12, 0.08, 0.03],
        3.6,
    ).scaled(size)
    shift = -(0.10 * size * look.body.build + LOOSE[look.top.kind])
    tube = loft("trunk", shape, span=(0.34, 0.94), length_m=0.43 * size, around=WIDE, shift=(shift, 0.0), capped=True)
    paint(tube, look.bag.colour)
    height = tube.along[:, None]
    back = np.abs(tube.angle)[None, :] > 2.0
    tube.albedo[(np.abs(height - 0.56) < 0.012) & back] *= 0.45
    tube.albedo[(height > 0.40) & (height < 0.55) & back] *= 0.82
    fold(tube, seed=look.seed + 12, depth_m=0.003, grain_m=(0.1, 0.1))
    return tube


def _shoulder_bag(look: Look, size: float) -> Tube:
    shape = Outline(
        [0, 0.06, 0.9, 1], [0.045, 0.06, 0.05, 0.03], [0.10, 0.14, 0.13, 0.11], [0.10, 0.14, 0.13, 0.11], 4.5
    ).scaled(size)
    beside = 0.19 * size * look.body.build + 0.045 + LOOSE[look.top.kind]
    tube = loft(
        "trunk", shape, span=(-0.12, 0.28), length_m=0.26 * size, around=WIDE, shift=(0.02, -beside), capped=True
    )
    paint(tube, look.bag.colour)
    tube.albedo[(tube.along > 0.1) & (tube.along < 0.12)] *= 0.5
    return tube

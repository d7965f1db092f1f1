"""The trunk: tops with their openings, collars, logos and straps."""

import numpy as np

from simulation.bodies import outlines
from simulation.bodies.painting import fold, paint, paint_logo, paint_pattern, shade
from simulation.bodies.skeleton import Measures
from simulation.bodies.surfaces import WIDE, Outline, Tube, loft
from simulation.looks import Look

LOOSE = {
    "tshirt": 0.008, "shirt": 0.009, "sweater": 0.016, "hoodie": 0.022, "jacket": 0.026, "coat": 0.026, "suit": 0.020,
    "dress": 0.004, "vest": 0.026,
}  # fmt: skip
"""How far each kind of top stands off the body, metres."""

_HEM = {
    "tshirt": 0.05, "shirt": 0.03, "sweater": 0.08, "hoodie": 0.04, "jacket": 0.06, "coat": 0.0, "suit": 0.0,
    "dress": 0.0, "vest": 0.12,
}  # fmt: skip
"""Where each kind of top ends on the trunk: 0 is the crotch, 1 the neck."""


def trunk_tube(look: Look, measures: Measures, size: float) -> Tube:
    """The trunk from the crotch to the neck, dressed."""
    body, top = look.body, look.top
    base = outlines.WOMAN if body.female else outlines.MAN
    belly = max(0.0, body.build - 1.0)
    deep = body.build + 0.6 * belly
    outline = base.scaled(size * body.build, deep=size * deep, plus=LOOSE[top.kind])
    # The neck's end stays a neck, whatever is worn.
    outline = Outline(
        outline.at,
        [*outline.half_width[:-1], base.half_width[-1] * size + 0.004],
        [*outline.front[:-1], base.front[-1] * size + 0.004],
        [*outline.back[:-1], base.back[-1] * size + 0.004],
        outline.squareness,
    )
    tube = loft("trunk", outline, span=(0.0, 1.0), length_m=measures.neck - measures.crotch, around=WIDE)
    rings = len(tube.along)
    hem = round(_HEM[top.kind] * rings)
    paint_pattern(tube, top.colour, top.pattern)
    _openings(tube, look)
    _logos(tube, look)
    if top.kind != "dress" and look.bottom.kind != "skirt":
        paint(tube, look.bottom.colour, rows=slice(0, hem))
        if top.kind == "shirt":
            paint(tube, (0.12, 0.10, 0.09), rows=slice(max(0, hem - 3), hem + 2))
    tube.relief[hem : hem + 3] += 0.004
    fold(tube, seed=look.seed, depth_m=0.0045, grain_m=(0.11, 0.16))
    _straps(tube, look)
    theta, height = np.abs(tube.angle)[None, :], tube.along[:, None]
    # The arms shadow the flanks, the head the shoulders, the trunk its own lower end.
    flank = 1 - 0.32 * np.exp(-(((theta - np.pi / 2) / 0.45) ** 2)) * (height < 0.82) * np.clip(
        (0.9 - height) * 4, 0, 1
    )
    under = 0.78 + 0.22 * np.clip(height / 0.15, 0, 1)
    chin = 1 - 0.3 * np.clip((height - 0.93) / 0.07, 0, 1)
    shade(tube, (flank * under * chin).astype(np.float32))
    return tube


def _openings(tube: Tube, look: Look) -> None:
    """Fronts, lapels, collars and necklines."""
    top, rings = look.top, len(tube.along)
    theta, height = np.abs(tube.angle)[None, :], tube.along[:, None]
    if top.opened:
        gap = theta < 0.20 + 0.16 * np.abs(height - 0.5)
        paint(tube, top.inner, where=gap)
        tube.relief[~gap] += 0.006
    elif top.kind in {"shirt", "jacket", "coat", "suit", "hoodie", "vest"}:
        seam = np.broadcast_to(theta < 0.025, gap_shape := (rings, WIDE))
        tube.albedo[seam] *= 0.55
        tube.relief[np.broadcast_to(theta < 0.07, gap_shape)] += 0.003
    if top.kind == "suit":
        lapels = (theta < 0.45 * np.clip((height - 0.55) / 0.40, 0, 1)) & (height > 0.55)
        paint(tube, top.inner, where=lapels)
        tie = (theta < 0.06) & (height > 0.55)
        paint(tube, top.pattern.colour, where=tie)
    collar = height > (0.97 if top.kind in {"tshirt", "dress"} else 0.985)
    paint(tube, look.body.skin, where=np.broadcast_to(collar, (rings, WIDE)))
    if top.kind in {"tshirt", "dress", "sweater"}:
        neckline = (height > 0.90) & (theta < 0.9 * (height - 0.90) / 0.10)
        paint(tube, top.inner if top.kind == "sweater" else look.body.skin, where=neckline)


def _logos(tube: Tube, look: Look) -> None:
    top = look.top
    if top.logo_front_m > 0 and not top.opened:
        small = top.logo_front_m < 0.12
        place = (0.55, 0.74) if small else (0.0, 0.66)
        paint_logo(tube, top.logo_colour, width_m=top.logo_front_m, centre=place, seed=top.pattern.seed)
    if top.logo_back_m > 0:
        paint_logo(tube, top.logo_colour, width_m=top.logo_back_m, centre=(np.pi, 0.68), seed=top.pattern.seed + 1)


def _straps(tube: Tube, look: Look) -> None:
    """Of a backpack or a shoulder bag."""
    theta, height = np.abs(tube.angle)[None, :], tube.along[:, None]
    if look.bag.kind == "backpack":
        straps = (np.abs(theta - 0.75) < 0.13) & (height > 0.52) & (height < 0.99)
        paint(tube, look.bag.colour, where=straps)
    if look.bag.kind == "shoulder":
        strap = np.abs(tube.angle[None, :] - (height - 0.62) * 3.2) < 0.10
        behind = np.abs(tube.angle[None, :] - np.pi + (height - 0.2) * 2.6) < 0.10
        paint(tube, look.bag.colour, where=(strap | behind) & (height > 0.25) & (height < 0.96))

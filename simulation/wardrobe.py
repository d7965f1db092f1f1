"""Who a site's people are: bodies, faces and clothes drawn from a seed, near-doubles and uniforms included."""

import dataclasses
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from simulation.looks import (
    Bag,
    BagKind,
    Body,
    Bottom,
    BottomKind,
    Colour,
    Gait,
    HairStyle,
    Head,
    HeadwearKind,
    Look,
    Pattern,
    PatternKind,
    Person,
    Top,
    TopKind,
)
from simulation.streams import stream

_T = TypeVar("_T")

_CLOTH: tuple[tuple[Colour, float], ...] = (
    ((0.09, 0.09, 0.10), 16), ((0.17, 0.18, 0.21), 9), ((0.12, 0.15, 0.26), 11), ((0.20, 0.27, 0.42), 7),
    ((0.42, 0.43, 0.45), 8), ((0.66, 0.66, 0.67), 6), ((0.90, 0.90, 0.89), 11), ((0.72, 0.62, 0.47), 6),
    ((0.42, 0.30, 0.20), 5), ((0.55, 0.13, 0.14), 6), ((0.78, 0.22, 0.20), 4), ((0.20, 0.36, 0.25), 5),
    ((0.36, 0.39, 0.24), 4), ((0.30, 0.50, 0.68), 5), ((0.85, 0.70, 0.25), 3), ((0.80, 0.50, 0.22), 3),
    ((0.48, 0.26, 0.44), 3), ((0.84, 0.62, 0.66), 3), ((0.24, 0.52, 0.52), 3),
)  # fmt: skip
"""Colours of tops with how common they are: a winter street is mostly dark."""

_LEGWEAR: tuple[tuple[Colour, float], ...] = (
    ((0.10, 0.10, 0.11), 26), ((0.19, 0.20, 0.23), 13), ((0.14, 0.17, 0.28), 18), ((0.25, 0.32, 0.46), 16),
    ((0.42, 0.47, 0.56), 7), ((0.44, 0.42, 0.40), 6), ((0.65, 0.57, 0.44), 8), ((0.35, 0.27, 0.20), 4),
    ((0.33, 0.36, 0.27), 4), ((0.82, 0.81, 0.78), 3),
)  # fmt: skip

_SHOES: tuple[tuple[Colour, float], ...] = (
    ((0.07, 0.07, 0.07), 10), ((0.25, 0.16, 0.10), 5), ((0.88, 0.88, 0.88), 6), ((0.40, 0.40, 0.42), 3),
    ((0.55, 0.38, 0.22), 2), ((0.70, 0.18, 0.15), 1), ((0.20, 0.28, 0.45), 2),
)  # fmt: skip

_SKIN: tuple[tuple[Colour, float], ...] = (
    ((0.88, 0.70, 0.60), 6), ((0.82, 0.62, 0.50), 6), ((0.76, 0.55, 0.42), 5), ((0.62, 0.43, 0.31), 4),
    ((0.46, 0.31, 0.22), 3), ((0.33, 0.22, 0.16), 3),
)  # fmt: skip

_HAIR: tuple[tuple[Colour, float], ...] = (
    ((0.07, 0.06, 0.06), 8), ((0.17, 0.11, 0.08), 7), ((0.30, 0.19, 0.11), 5), ((0.52, 0.38, 0.20), 3),
    ((0.70, 0.56, 0.33), 2), ((0.46, 0.20, 0.10), 1), ((0.55, 0.55, 0.55), 2), ((0.80, 0.80, 0.78), 1),
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Dresses:
    """How a population dresses.

    `double_share` of the people belong to families of near-doubles, `uniform_share` wear one of `uniforms` uniforms.
    """

    double_share: float = 0.3
    uniform_share: float = 0.0
    uniforms: int = 0
    bag_share: float = 0.5


def random_people(seed: int, count: int, *, dresses: Dresses | None = None) -> list[Person]:
    """`count` people with ids from 1. Person k is the same for every count above k."""
    dresses = dresses or Dresses()
    return [_person(seed, person_id, dresses) for person_id in range(1, count + 1)]


def _person(seed: int, person_id: int, dresses: Dresses) -> Person:
    draw = stream(seed, "person", person_id)
    look = _look(draw, dresses)
    gait = Gait(
        speed_m_s=float(np.clip(draw.normal(1.22, 0.16), 0.8, 1.7)),
        stride=float(draw.uniform(0.85, 1.1)),
        arm_swing=float(draw.uniform(0.5, 1.3)),
        lean_rad=float(draw.uniform(0.0, 0.07)),
    )
    share, family = draw.random(), -1
    if share < dresses.uniform_share and dresses.uniforms:
        family = int(draw.integers(0, dresses.uniforms))
        look = _in_uniform(look, _look(stream(seed, "uniform", family), dresses))
    elif share < dresses.uniform_share + dresses.double_share:
        # Families of about three: enough people share few models that each is worn two to four times.
        group = (person_id - 1) // 15 * 8 + int(draw.integers(0, max(1, round(15 * dresses.double_share / 2.5))))
        family = 1000 + group
        look = _near_double(look, _look(stream(seed, "family", group), dresses), draw)
    return Person(person_id, look, gait, family)


def _look(draw: np.random.Generator, dresses: Dresses) -> Look:
    female = bool(draw.random() < 0.5)
    body = Body(
        height_m=float(np.clip(draw.normal(1.66 if female else 1.78, 0.065), 1.48, 2.02)),
        build=float(np.clip(draw.normal(1.0, 0.09), 0.84, 1.28)),
        female=female,
        skin=_pick(draw, _SKIN, jitter=0.03),
    )
    top, bottom = _top(draw, female), _bottom(draw, female)
    if top.kind == "suit":
        bottom = Bottom("trousers", top.colour, Pattern())
    return Look(
        body=body,
        head=_head(draw, female),
        top=top,
        bottom=bottom,
        shoes=_pick(draw, _SHOES, jitter=0.02),
        bag=_bag(draw, dresses.bag_share),
        seed=int(draw.integers(0, 1 << 30)),
    )


def _top(draw: np.random.Generator, female: bool) -> Top:
    kinds: list[tuple[TopKind, float]] = [
        ("tshirt", 5), ("shirt", 4), ("sweater", 4), ("hoodie", 3), ("jacket", 5), ("coat", 3), ("vest", 1),
        ("suit", 0.5 if female else 2), ("dress", 2.5 if female else 0),
    ]  # fmt: skip
    kind = _weighted(draw, kinds)
    colour = _pick(draw, _CLOTH, jitter=0.035)
    if kind == "suit":
        colour = _pick(draw, _LEGWEAR[:3], jitter=0.02)
    logo = kind in {"tshirt", "hoodie", "sweater", "jacket"} and draw.random() < 0.45
    return Top(
        kind=kind,
        colour=colour,
        pattern=_pattern(draw, kind, colour),
        inner=_pick(draw, _CLOTH, jitter=0.03) if kind != "suit" else (0.90, 0.90, 0.93),
        opened=kind in {"jacket", "coat", "hoodie", "vest"} and bool(draw.random() < 0.4),
        logo_front_m=float(draw.choice([0.08, 0.16, 0.24])) if logo else 0.0,
        logo_back_m=float(draw.choice([0.0, 0.22, 0.30])) if logo else 0.0,
        logo_colour=_contrast(draw, colour),
    )


def _pattern(draw: np.random.Generator, kind: TopKind, colour: Colour) -> Pattern:
    common: dict[TopKind, Sequence[tuple[PatternKind, float]]] = {
        "tshirt": [("plain", 6), ("hoops", 2), ("print", 1), ("band", 1), ("halves", 1)],
        "shirt": [("plain", 4), ("stripes", 3), ("checks", 4), ("print", 1)],
        "sweater": [("plain", 5), ("hoops", 3), ("band", 2), ("checks", 1)],
        "dress": [("plain", 3), ("dots", 3), ("print", 3), ("hoops", 1)],
        "jacket": [("plain", 7), ("halves", 2), ("band", 1)],
    }
    return Pattern(
        kind=_weighted(draw, common.get(kind, [("plain", 1)])),
        colour=_contrast(draw, colour) if kind != "suit" else _pick(draw, _CLOTH, jitter=0.05),
        period_m=float(draw.uniform(0.05, 0.13)),
        seed=int(draw.integers(0, 1 << 30)),
    )


def _bottom(draw: np.random.Generator, female: bool) -> Bottom:
    kinds: list[tuple[BottomKind, float]] = [
        ("trousers", 5), ("jeans", 6), ("shorts", 1.2), ("skirt", 2.5 if female else 0),
    ]  # fmt: skip
    kind = _weighted(draw, kinds)
    colour = _pick(draw, _LEGWEAR if kind != "skirt" else _CLOTH, jitter=0.03)
    if kind == "jeans":
        colour = _pick(draw, _LEGWEAR[2:5], jitter=0.03)
    patterned = kind in {"skirt", "trousers"} and draw.random() < 0.12
    pattern = Pattern("checks", _contrast(draw, colour), float(draw.uniform(0.05, 0.1))) if patterned else Pattern()
    return Bottom(kind, colour, pattern)


def _head(draw: np.random.Generator, female: bool) -> Head:
    styles: list[tuple[HairStyle, float]] = (
        [("long", 5), ("medium", 3), ("bun", 2), ("ponytail", 3), ("short", 1), ("curly", 1)]
        if female
        else [("short", 6), ("crop", 4), ("bald", 2), ("medium", 1), ("curly", 1), ("bun", 0.3)]
    )
    hats: list[tuple[HeadwearKind, float]] = [
        ("none", 20), ("cap", 2), ("beanie", 2), ("hat", 0.8), ("scarf", 1.2 if female else 0),
    ]  # fmt: skip
    return Head(
        hair=_weighted(draw, styles),
        hair_colour=_pick(draw, _HAIR, jitter=0.015),
        beard=not female and bool(draw.random() < 0.3),
        glasses=bool(draw.random() < 0.25),
        headwear=_weighted(draw, hats),
        headwear_colour=_pick(draw, _CLOTH, jitter=0.03),
    )


def _bag(draw: np.random.Generator, share: float) -> Bag:
    kinds: list[tuple[BagKind, float]] = [("backpack", 4.0), ("shoulder", 3.0), ("case", 2.0)]
    kind = _weighted(draw, kinds)
    colour = _pick(draw, _CLOTH, jitter=0.03)
    return Bag(kind, colour) if draw.random() < share else Bag()


def _in_uniform(look: Look, uniform: Look) -> Look:
    """The same clothes to the thread; body, head, bag and folds stay the wearer's."""
    top = uniform.top if uniform.top.kind != "dress" else dataclasses.replace(uniform.top, kind="shirt")
    bottom = uniform.bottom if uniform.bottom.kind != "skirt" else dataclasses.replace(uniform.bottom, kind="trousers")
    head = dataclasses.replace(
        look.head, headwear=uniform.head.headwear if uniform.head.headwear != "scarf" else "none",
        headwear_colour=uniform.head.headwear_colour,
    )  # fmt: skip
    return dataclasses.replace(look, top=top, bottom=bottom, head=head, shoes=uniform.shoes)


def _near_double(look: Look, model: Look, draw: np.random.Generator) -> Look:
    """Clothes of the same kinds in almost the same colours."""
    top = dataclasses.replace(model.top, colour=_jittered(draw, model.top.colour, 0.03))
    if top.kind == "dress" and not look.body.female:
        top = dataclasses.replace(top, kind="sweater")
    bottom = dataclasses.replace(model.bottom, colour=_jittered(draw, model.bottom.colour, 0.025))
    if bottom.kind == "skirt" and not look.body.female:
        bottom = dataclasses.replace(bottom, kind="trousers")
    return dataclasses.replace(look, top=top, bottom=bottom)


def _weighted(draw: np.random.Generator, weighted: Sequence[tuple[_T, float]]) -> _T:
    weights = np.asarray([weight for _, weight in weighted], float)
    return weighted[int(draw.choice(len(weighted), p=weights / weights.sum()))][0]


def _pick(draw: np.random.Generator, palette: Sequence[tuple[Colour, float]], *, jitter: float) -> Colour:
    return _jittered(draw, _weighted(draw, palette), jitter)


def _jittered(draw: np.random.Generator, colour: Colour, jitter: float) -> Colour:
    # Lightness varies more than hue, and dark cloth less than pale.
    middle = sum(colour) / 3
    change = draw.normal(0, jitter) + draw.normal(0, 0.35 * jitter * (0.4 + middle), 3)
    red, green, blue = np.clip(np.asarray(colour) + change * (0.5 + middle), 0.03, 0.96).round(4)
    return float(red), float(green), float(blue)


def _contrast(draw: np.random.Generator, colour: Colour) -> Colour:
    """Another colour of the palette that can be told from `colour`."""
    for _ in range(8):
        other = _pick(draw, _CLOTH, jitter=0.03)
        if float(np.abs(np.asarray(other) - np.asarray(colour)).sum()) > 0.7:
            return other
    return (0.92, 0.92, 0.90) if sum(colour) < 1.5 else (0.08, 0.08, 0.09)

"""What a person looks like: body, head, clothes and bag, as plain values. Colours are RGB in 0-1."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Colour: TypeAlias = tuple[float, float, float]
"""Red, green, blue in 0-1, as a screen has them."""

TopKind = Literal["tshirt", "shirt", "sweater", "hoodie", "jacket", "coat", "suit", "dress", "vest"]
BottomKind = Literal["trousers", "jeans", "shorts", "skirt"]
PatternKind = Literal["plain", "hoops", "stripes", "checks", "dots", "print", "halves", "band"]
HairStyle = Literal["bald", "short", "crop", "medium", "long", "bun", "ponytail", "curly"]
HeadwearKind = Literal["none", "cap", "beanie", "hat", "scarf"]
BagKind = Literal["none", "backpack", "shoulder", "case"]


@dataclass(frozen=True, slots=True)
class Pattern:
    """What is printed on a garment: `colour` on the garment's own, `period_m` apart."""

    kind: PatternKind = "plain"
    colour: Colour = (1.0, 1.0, 1.0)
    period_m: float = 0.08
    seed: int = 0
    """Of prints and of the letters of logos."""


@dataclass(frozen=True, slots=True)
class Top:
    """What is worn on the upper body; `inner` shows at the collar and where a jacket is open."""

    kind: TopKind
    colour: Colour
    pattern: Pattern
    inner: Colour = (0.9, 0.9, 0.9)
    opened: bool = False
    logo_front_m: float = 0.0
    """Width of the print on the chest; 0: none."""
    logo_back_m: float = 0.0
    logo_colour: Colour = (1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Bottom:
    """What is worn on the legs; of no effect under a dress."""

    kind: BottomKind
    colour: Colour
    pattern: Pattern


@dataclass(frozen=True, slots=True)
class Head:
    """Face, hair and hat."""

    hair: HairStyle
    hair_colour: Colour
    beard: bool = False
    glasses: bool = False
    headwear: HeadwearKind = "none"
    headwear_colour: Colour = (0.2, 0.2, 0.2)


@dataclass(frozen=True, slots=True)
class Bag:
    """What is carried. A case is held in the right hand, and can be put down."""

    kind: BagKind = "none"
    colour: Colour = (0.1, 0.1, 0.1)


@dataclass(frozen=True, slots=True)
class Body:
    """Proportions: `build` scales widths (1 = average), `female` chooses the outline."""

    height_m: float
    build: float
    female: bool
    skin: Colour


@dataclass(frozen=True, slots=True)
class Look:
    """Everything that a camera can see of a person."""

    body: Body
    head: Head
    top: Top
    bottom: Bottom
    shoes: Colour
    bag: Bag = Bag()
    seed: int = 0
    """Of folds and other details too small to name."""


@dataclass(frozen=True, slots=True)
class Gait:
    """How somebody walks: `speed_m_s` at ease; the other values scale the average cycle."""

    speed_m_s: float
    stride: float = 1.0
    arm_swing: float = 1.0
    lean_rad: float = 0.03


@dataclass(frozen=True, slots=True)
class Person:
    """One person of a site. `family` groups near-doubles and uniforms; -1: dresses like nobody else."""

    person_id: int
    look: Look
    gait: Gait
    family: int = -1

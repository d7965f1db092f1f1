"""The kinds of site: frozen settings, so that a figure measured on one of them can be measured again."""

from dataclasses import dataclass, field
from typing import Literal, get_args

from passerby.errors import ConfigError
from simulation.wardrobe import Dresses

KIND_VERSION = 1
"""Changes with anything that changes who, where or how of a site. Every table of figures prints it."""

KindName = Literal["default", "overlapping", "uniforms", "crowded", "sparse"]


@dataclass(frozen=True, slots=True)
class SiteKind:
    """What sites of one kind have in common."""

    name: KindName
    dresses: Dresses = field(default_factory=Dresses)
    overlap_share: float = 0.25
    """Share of the cameras that look at a room another camera looks at too."""
    people_per_camera: float = 3.0
    away_s: float = 35.0
    """Mean time that somebody who left stays away."""
    stops: tuple[int, int] = (1, 3)
    """Fewest and most stops of a visit."""
    dwell_s: tuple[float, float] = (4.0, 16.0)
    meeting_share: float = 0.5
    """Meetings per person and minute."""
    colour_spread: float = 1.0
    """How far the cameras' colours are apart."""
    home_share: float = 0.7
    """How much of a person's stops are in a few rooms of their own: populations differ between cameras."""
    fps: tuple[float, ...] = (10.0,)
    size: tuple[int, int] = (640, 360)


KINDS: dict[KindName, SiteKind] = {
    "default": SiteKind("default"),
    "overlapping": SiteKind("overlapping", overlap_share=0.5),
    "uniforms": SiteKind("uniforms", dresses=Dresses(double_share=0.2, uniform_share=0.6, uniforms=2)),
    "crowded": SiteKind("crowded", people_per_camera=7.0, away_s=20.0, stops=(1, 4), meeting_share=1.0),
    "sparse": SiteKind("sparse", people_per_camera=1.0, away_s=90.0, stops=(0, 2), fps=(5.0, 8.0, 10.0)),
}


def site_kind(name: str) -> SiteKind:
    """The kind of that name. Raises ConfigError for any other."""
    for known in get_args(KindName):
        if name == known:
            kind: SiteKind = KINDS[known]
            return kind
    raise ConfigError(f"no kind of site is called {name!r}; there are {', '.join(KINDS)}")

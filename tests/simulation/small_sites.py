"""Sites that are drawn quickly: a quarter of the pixels."""

import dataclasses

from simulation.kinds import KINDS, KindName, SiteKind
from simulation.site import SimulatedSite


def small_kind(name: KindName = "default") -> SiteKind:
    return dataclasses.replace(KINDS[name], size=(320, 180))


def small_site(*, seed: int = 3, cameras: int = 2, people: int | None = 8, kind: KindName = "default") -> SimulatedSite:
    return SimulatedSite.make(small_kind(kind), seed=seed, cameras=cameras, people=people)

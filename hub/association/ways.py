"""The ways between cameras in figures, for people and programs: what was learned, and what operators say."""

import itertools
from dataclasses import dataclass

import numpy as np

from hub.association.place import Floor
from hub.association.topology import STEPS_S, Link, Topology
from passerby.config import TransitSettings
from passerby.ids import CameraId

QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """From one camera to another, or back into the same one."""

    before: CameraId
    after: CameraId
    appearances: float
    """How many who were last seen in `before` were next seen in `after`; each counts as much as its link was sure."""
    share: float
    """Of all who were last seen in `before` and seen again, 0 to 1."""
    at_once: float
    """Of the `appearances`, the share of those who were still seen in `before`."""
    transit_s: tuple[float, float, float] | None
    """By when 10%, 50% and 90% of the others had come; None where there are none."""
    steps: tuple[float, ...]
    """The `appearances` by steps of time: at once, then from each of STEPS_S on."""
    word: TransitSettings | None
    """What an operator says of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewPair:
    """Two views, first the one that is first by name."""

    first: CameraId
    second: CameraId
    overlap: bool
    """A map of the floor from one to the other was found."""
    fitting_share: float | None
    """Of the points of the last attempt to find one, those that it fits; None where there was no attempt yet."""
    points: int
    """Points that are kept, of people who may have been seen in both at once."""
    said: bool | None
    """Whether an operator says that they overlap."""


def ways(topology: Topology) -> list[Way]:
    """All ways that were gone or spoken of, by name."""
    spoken = {(word.before, word.after) for word in (*topology.overrides.told, *topology.overrides.written)}
    gone = {(CameraId(b), CameraId(a)) for b, link in topology.links.items() for a in link.appearances}
    return [_way(topology, before, after) for before, after in sorted(gone | spoken)]


def view_pairs(floor: Floor, topology: Topology) -> list[ViewPair]:
    """Every two cameras of which something is known, by name."""
    mapped = {CameraId(name) for pair in floor.maps for name in pair.split("|")}
    cameras = sorted({*map(CameraId, topology.cameras), *mapped})
    return [_view_pair(floor, topology, first, second) for first, second in itertools.combinations(cameras, 2)]


def strangers_an_hour(topology: Topology) -> dict[CameraId, float]:
    """How many people who were never seen before are expected to appear in each camera now."""
    return {CameraId(name): 3600.0 * topology.stranger_rate(CameraId(name)) for name in sorted(topology.cameras)}


def transit_quantile(steps: tuple[float, ...], quantile: float) -> float:
    """By how many seconds this share (0 to 1) of the appearances has come, those at once left out.

    `steps` are as those of a Way, with something in them. Within a step they are taken as spread evenly; the last one
    as ending at twice its beginning.
    """
    taken = [step for step in range(1, len(steps)) if steps[step] > 0.0]
    reached = np.cumsum([steps[step] for step in taken])
    wanted = quantile * reached[-1]
    index = min(int(np.searchsorted(reached, wanted)), len(taken) - 1)
    step = taken[index]
    begin = STEPS_S[step - 1]
    end = STEPS_S[step] if step < len(STEPS_S) else 2.0 * begin
    return float(end - (end - begin) * (reached[index] - wanted) / steps[step])


def _way(topology: Topology, before: CameraId, after: CameraId) -> Way:
    link = topology.links.get(before, Link())
    steps = tuple(link.appearances.get(after, [0.0] * (len(STEPS_S) + 1)))
    total, of_all = sum(steps), sum(map(sum, link.appearances.values()))
    walked = sum(steps[1:]) > 0.0
    low, middle, high = (transit_quantile(steps, q) for q in QUANTILES) if walked else (0.0, 0.0, 0.0)
    return Way(
        before=before,
        after=after,
        appearances=total,
        share=total / of_all if of_all else 0.0,
        at_once=steps[0] / total if total else 0.0,
        transit_s=(low, middle, high) if walked else None,
        steps=steps,
        word=topology.overrides.word(before, after),
    )


def _view_pair(floor: Floor, topology: Topology, first: CameraId, second: CameraId) -> ViewPair:
    known = floor.maps.get(f"{first}|{second}")
    return ViewPair(
        first=first,
        second=second,
        overlap=known is not None and known.there is not None,
        fitting_share=known.fitting_share if known is not None and known.fitted else None,
        points=0 if known is None else len(known.points),
        said=topology.overrides.overlap(first, second),
    )

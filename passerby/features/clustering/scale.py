"""How many neighbours to look at: a few proposals for a set, of which the likeliest grouping decides.

What is best goes with how many rows there are of a person, which nobody knows beforehand: with about as many neighbours
the cut is at .7, with three times as many at .5 and people begin to merge, with half as many at .9 and they fall apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from passerby.features.clustering.settings import ClusterSettings

_OF_TRACKLETS, _OF_IMAGES = (10, 20), (20, 30)
_BY_CAMERA_OF_TRACKLETS, _BY_CAMERA_OF_IMAGES = ((2, 3), (3, 6), (5, 10), (6, 20)), ((5, 10), (6, 20))
"""Of the own camera, oneself included, and of others. A person has 2 to 10 tracklets, and more images than that; 30 of
all, 6 and 20 by cameras are what was found for some 17 images of a person."""

_ROWS_A_NEIGHBOUR = 20
"""In small sets everybody would be among the nearest."""


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Numbers of nearest rows, oneself included: `k1` form a set, over the sets of `k2` it is averaged."""

    k1: int
    k2: int


@dataclass(frozen=True, slots=True)
class CameraNeighbourhood:
    """The same of the own camera, oneself included (`intra`), and of other cameras (`inter`)."""

    k1_intra: int
    k1_inter: int
    k2_intra: int
    k2_inter: int


def neighbourhoods(settings: ClusterSettings, *, rows: int, tracklets: bool) -> Sequence[Neighbourhood]:
    """Proposals over all cameras for so many rows, tracklets or images; what is set is kept.

    >>> neighbourhoods(ClusterSettings(), rows=400, tracklets=True)
    [Neighbourhood(k1=10, k2=2), Neighbourhood(k1=20, k2=4)]
    >>> neighbourhoods(ClusterSettings(k1=30, k2=6), rows=400, tracklets=True)
    [Neighbourhood(k1=30, k2=6)]
    """
    sizes = _OF_TRACKLETS if tracklets else _OF_IMAGES
    found = []
    for size in sizes:
        k1 = settings.k1 or size
        if settings.k1 or size == sizes[0] or size * _ROWS_A_NEIGHBOUR <= rows:
            found.append(Neighbourhood(k1, settings.k2 or max(1, k1 // 5)))
    return list(dict.fromkeys(found))


def camera_neighbourhoods(settings: ClusterSettings, *, rows: int, tracklets: bool) -> Sequence[CameraNeighbourhood]:
    """Proposals by cameras for so many rows, tracklets or images; what is set is kept.

    >>> camera_neighbourhoods(ClusterSettings(k1_intra=2, k1_inter=3), rows=1000, tracklets=True)
    [CameraNeighbourhood(k1_intra=2, k1_inter=3, k2_intra=1, k2_inter=1)]
    """
    sizes = _BY_CAMERA_OF_TRACKLETS if tracklets else _BY_CAMERA_OF_IMAGES
    found = []
    for intra, inter in sizes:
        own, other = settings.k1_intra or intra, settings.k1_inter or inter
        if settings.k1_inter or inter == sizes[0][1] or inter * _ROWS_A_NEIGHBOUR <= rows:
            k2_inter = max(1, other // 5) if settings.k2_inter is None else settings.k2_inter
            found.append(CameraNeighbourhood(own, other, settings.k2_intra or max(1, own // 3), k2_inter))
    return list(dict.fromkeys(found))

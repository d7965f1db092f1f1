"""People who once passed through a simulated site: many more than its tape shows, of the same network and cameras."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, Int64Array
from passerby.ids import CameraId
from simulation.site import SimulatedSite
from simulation.streams import stream
from simulation.tapes.appearance import Appearance
from simulation.tapes.networks import DIMENSION, NetworkProfile

PICTURES = 6
"""Exemplars of each tracklet, of which its embedding is the mean."""

_CHUNK = 5000
"""People who are made at once: 20 MB of each part at four tracklets."""

_UNCLEAR = 1.5
"""Noise of a usual picture, by the energy that the network's profile has for a clear one."""

_LIGHT_S = 60.0
"""Everybody passed in the light of the tape's first minute, so that the cameras have no other regime."""


@dataclass(frozen=True, slots=True)
class Passers:
    """n people of t tracklets. `embeddings` (n, t, 256) float32 raw means; `cameras` (n, t) index of the site's."""

    embeddings: Float32Array
    cameras: Int64Array

    def __len__(self) -> int:
        return len(self.embeddings)


def cameras_of(people: int, each: int, *, cameras: int, first: int = 0) -> Int64Array:
    """Where tracklets (people, each) of people were seen: one camera fewer than tracklets, and the first one twice.

    >>> cameras_of(2, 4, cameras=12, first=5).tolist()
    [[5, 6, 7, 5], [6, 7, 8, 6]]
    """
    different = min(cameras, max(1, each - 1))
    return (first + np.arange(people)[:, None] + np.arange(each) % different) % cameras


class Crowd:
    """Strangers of a site, the same for the same seed: parts of appearance are Gaussian, as in `simulation.tapes`.

    Made many at a time, on the axes and with the shares of the network's profile; the cameras are those of the tape.
    """

    def __init__(self, site: SimulatedSite, network: NetworkProfile) -> None:
        self._network = network
        self._camera_ids: tuple[CameraId, ...] = site.camera_ids
        self._appearance = Appearance(site.seed, (), network=network, spread=site.kind.colour_spread)
        self._draw = stream(site.seed, "crowd")
        self._person, self._picture = _axes(network.person_decay), _axes(network.picture_decay)

    def people(self, count: int, *, each: int) -> Iterator[Passers]:
        """`count` people of `each` tracklets, in chunks."""
        for start in range(0, count, _CHUNK):
            some = min(_CHUNK, count - start)
            yield self._chunk(some, cameras_of(some, each, cameras=len(self._camera_ids), first=start))

    def _chunk(self, count: int, cameras: Int64Array) -> Passers:
        network = self._network
        each = cameras.shape[1]
        striking = np.exp(0.5 * network.person_spread * self._draw.standard_normal((count, 1, 1)), dtype=np.float32)
        own = striking * self._gaussian((count, 1), network.person, self._person)
        there = self._gaussian((count, each), network.person_camera, self._person)
        # Who was in one camera twice is there as before, and from another direction.
        again = cameras == cameras[:, :1]
        there[again] = np.repeat(there[:, :1], each, axis=1)[again]
        passing = network.view + network.view_camera + _UNCLEAR * network.picture / PICTURES
        pictures = own + there + self._gaussian((count, each), passing, self._picture)
        # A network's last normalization keeps lengths close together.
        pictures /= np.sqrt(np.linalg.norm(pictures, axis=2, keepdims=True))
        embeddings = np.empty((count, each, DIMENSION), np.float32)
        for number, camera_id in enumerate(self._camera_ids):
            rows = cameras == number
            times_s = np.full(int(rows.sum()), _LIGHT_S)
            embeddings[rows] = self._appearance.as_seen(camera_id, pictures[rows], times_s=times_s)
        return Passers(embeddings, cameras)

    def _gaussian(self, shape: tuple[int, int], energy: float, axes: NDArray[np.float32]) -> Float32Array:
        values = self._draw.standard_normal((*shape, DIMENSION), dtype=np.float32)
        return values * (axes * np.float32(np.sqrt(energy)))


def _axes(decay: float) -> Float32Array:
    """Standard deviation (256,) on each axis, of sum of squares 1."""
    energy = (np.arange(DIMENSION) + 4.0) ** -decay
    return np.asarray(np.sqrt(energy / energy.sum()), np.float32)

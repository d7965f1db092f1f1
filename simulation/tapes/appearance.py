"""Embeddings of people who are not there: raw vectors that lie to each other as a real network's do.

x = site + camera + drift(time) + scale_camera * (person + view(direction) + person in camera + picture), where each
part is Gaussian with its share of the energy (see `networks`) on the same axes, of falling energy. Directions are
smooth: what two share falls with their difference as exp(2 (cos - 1)), which fits PKU-Reid's eight directions.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, Int64Array
from passerby.ids import CameraId
from simulation.day import STEP_S, Day
from simulation.looks import Person
from simulation.streams import stream
from simulation.tapes.networks import DIMENSION, NetworkProfile

_HARMONICS = np.sqrt([0.3085, 0.4305, 0.1865, 0.0576])
"""exp(2 (cos - 1)) as a sum of cosines: 2 exp(-2) I_m(2), half of it for m = 0; what is left is 2%."""

_WAVES = 2 * len(_HARMONICS) - 1

FAMILY_SHARE = {"double": 0.55, "uniform": 0.75}
"""How much of a person's energy is that of the clothes that a family shares."""

_UNIFORMS_BELOW = 1000
"""Families of a lower number wear uniforms."""

_DRIFT = 0.35
"""Share of a camera's shift that comes and goes with the light of the day."""

_OF_THE_VISIT = 0.25
"""Share of what is the person's in one camera that is new with each tracklet: light, place, how the coat is worn."""


@dataclass(frozen=True, slots=True)
class Views:
    """What embeddings are asked for; row i of each array is one picture.

    `yaw_rad` (n,) the camera's direction from the person's front; `visibility` (n,) 0-1; `height_px` (n,);
    `other` (n,) index of the nearer person in front (-1: nobody) and `other_share` (n,) how much of the box is theirs.
    """

    yaw_rad: Float32Array
    visibility: Float32Array
    height_px: Float32Array
    other: Int64Array
    other_share: Float32Array

    def __len__(self) -> int:
        return len(self.yaw_rad)


class Appearance:
    """The embeddings of one site's people in its cameras, the same for the same seed. Vectors are (256,) float32."""

    def __init__(self, seed: int, people: tuple[Person, ...], *, network: NetworkProfile, spread: float = 1.0) -> None:
        """`spread` scales how far cameras are apart; 1 is as measured."""
        self._seed, self._people, self._network, self._spread = seed, people, network, spread
        self._day = Day(seed)
        self._person_axes = _axes(network.person_decay)
        self._picture_axes = _axes(network.picture_decay)
        mixed = stream(0, "network", network.name).standard_normal((DIMENSION, DIMENSION))
        # The network is the same at every site, and so are its axes.
        self._basis = np.linalg.qr(mixed)[0].astype(np.float32)
        self._site = (
            self._gaussian(stream(seed, "site appearance"), network.site, self._picture_axes)[0] @ self._basis.T
        )
        self._common = self._waves(stream(0, "fronts and backs", network.name), network.common_view)
        self._bodies = [self._body(person) for person in people]
        self._in_camera: dict[tuple[int, CameraId], tuple[Float32Array, Float32Array]] = {}
        self._cameras: dict[CameraId, tuple[Float32Array, Float32Array, Float32Array]] = {}

    def visit(self, draw: np.random.Generator) -> Float32Array:
        """What is the same in all pictures (1, 256) of one visit of a person to a camera."""
        return self._gaussian(draw, self._network.person_camera * _OF_THE_VISIT, self._person_axes)

    def of_person(
        self, camera_id: CameraId, person: int, *, views: Views, visit: Float32Array, draw: np.random.Generator
    ) -> Float32Array:
        """Pictures (n, 256) of one visit on the network's own axes, for `as_seen`.

        `person` is an index of the site's people; `draw` gives what is of each picture.
        """
        network = self._network
        constant, waves = self._person_in(person, camera_id)
        own = constant + visit + _directions(views.yaw_rad) @ waves
        for other in np.unique(views.other[views.other >= 0]).tolist():
            rows = views.other == other
            share = views.other_share[rows, None]
            theirs, _ = self._person_in(int(other), camera_id)
            own[rows] += share * (theirs - own[rows])
        unclear = 1.0 + 1.5 * (1 - views.visibility) + 0.8 * np.clip(1 - views.height_px / 128.0, 0, 1)
        unclear = unclear * _uneven(draw, network.picture_spread, rows=len(views))
        noise = self._gaussian(draw, network.picture, self._picture_axes, rows=len(views))
        return _of_even_length(own + noise * np.sqrt(unclear)[:, None])

    def of_thing(self, camera_id: CameraId, thing: int, *, count: int, draw: np.random.Generator) -> Float32Array:
        """Pictures (count, 256) of one of a camera's things that a detector takes for people, for `as_seen`."""
        energy = self._network.person + self._network.person_camera + self._network.view
        mean = self._gaussian(stream(self._seed, "thing", camera_id, thing), energy, self._person_axes)
        noise = self._gaussian(draw, 1.5 * self._network.picture, self._picture_axes, rows=count)
        return _of_even_length(mean + noise)

    def as_seen(self, camera_id: CameraId, pictures: Float32Array, *, times_s: NDArray[np.float64]) -> Float32Array:
        """Raw embeddings (n, 256) of what a camera makes of pictures (n, 256) at times (n,)."""
        shift, drift, scale = self._camera(camera_id)
        steps, where = np.unique(np.floor(times_s / STEP_S).astype(int), return_inverse=True)
        light = np.array([self._light(step, camera_id) for step in steps.tolist()], np.float32)[where]
        seen = (pictures @ self._basis.T) * scale + self._site + shift + light[:, None] * drift
        return np.asarray(seen * np.float32(self._network.length), np.float32)

    def _light(self, step: int, camera_id: CameraId) -> float:
        """-1 at night to 1 at noon."""
        return (self._day.light(step, camera_id).day - 0.425) / 0.375

    def _camera(self, camera_id: CameraId) -> tuple[Float32Array, Float32Array, Float32Array]:
        known = self._cameras.get(camera_id)
        if known is None:
            draw = stream(self._seed, "camera appearance", camera_id)
            energy = self._network.camera * self._spread
            shift = self._gaussian(draw, energy * (1 - _DRIFT), self._picture_axes)[0] @ self._basis.T
            # A sine's mean square is one half.
            drift = self._gaussian(draw, 2 * energy * _DRIFT, self._picture_axes)[0] @ self._basis.T
            scale = np.exp(self._spread * self._network.scale * draw.standard_normal(DIMENSION)).astype(np.float32)
            known = self._cameras[camera_id] = (shift, drift, scale)
        return known

    def _body(self, person: Person) -> tuple[Float32Array, Float32Array]:
        """What is the person's in every camera: the constant part (256,), and the waves (7, 256) of directions."""
        draw = stream(self._seed, "appearance", person.person_id)
        striking = np.float32(np.sqrt(_uneven(draw, self._network.person_spread)[0]))
        own = self._gaussian(draw, self._network.person, self._person_axes)[0]
        waves = self._waves(draw, self._network.view)
        if person.family < 0:
            return striking * own, striking * waves
        share = FAMILY_SHARE["uniform" if person.family < _UNIFORMS_BELOW else "double"]
        family = stream(self._seed, "family appearance", person.family)
        theirs = self._gaussian(family, self._network.person, self._person_axes)[0]
        their_waves = self._waves(family, self._network.view)
        kept, taken = np.float32(np.sqrt(1 - share)), np.float32(np.sqrt(share))
        return striking * (kept * own + taken * theirs), striking * (kept * waves + taken * their_waves)

    def _person_in(self, person: int, camera_id: CameraId) -> tuple[Float32Array, Float32Array]:
        key = (person, camera_id)
        known = self._in_camera.get(key)
        if known is None:
            draw = stream(self._seed, "appearance in camera", self._people[person].person_id, camera_id)
            constant, waves = self._bodies[person]
            changed = float(_uneven(draw, self._network.in_camera_spread)[0])
            lasting = changed * self._network.person_camera * (1 - _OF_THE_VISIT)
            constant = constant + self._gaussian(draw, lasting, self._person_axes)[0]
            waves = waves + self._common + self._waves(draw, changed * self._network.view_camera)
            known = self._in_camera[key] = (constant, waves)
        return known

    def _gaussian(self, draw: np.random.Generator, energy: float, axes: Float32Array, *, rows: int = 1) -> Float32Array:
        """(rows, 256) of mean squared length `energy`, on the network's axes."""
        values = draw.standard_normal((rows, DIMENSION), dtype=np.float32)
        return values * (axes * np.float32(np.sqrt(energy)))

    def _waves(self, draw: np.random.Generator, energy: float) -> Float32Array:
        return self._gaussian(draw, energy, self._picture_axes, rows=_WAVES)


def _of_even_length(pictures: NDArray[np.floating]) -> Float32Array:
    """Rows whose lengths are half as far apart: a network's last normalization keeps them close together."""
    lengths = np.linalg.norm(pictures, axis=1, keepdims=True)
    return np.asarray(pictures / np.sqrt(np.maximum(lengths, 1e-6)), np.float32)


def _uneven(draw: np.random.Generator, spread: float, *, rows: int = 1) -> Float32Array:
    """Energies (rows,) of mean 1 and a logarithm of standard deviation `spread`."""
    return np.exp(spread * draw.standard_normal(rows) - spread**2 / 2).astype(np.float32)


def _axes(decay: float) -> Float32Array:
    """Standard deviation (256,) on each axis, of sum of squares 1."""
    energy = (np.arange(DIMENSION) + 4.0) ** -decay
    return np.asarray(np.sqrt(energy / energy.sum()), np.float32)


def _directions(yaw_rad: Float32Array) -> Float32Array:
    """(n, 7): weights of the waves, of mean square sum 1."""
    order = np.arange(1, len(_HARMONICS))
    angles = yaw_rad[:, None] * order
    constant = np.full((len(yaw_rad), 1), _HARMONICS[0])
    return np.hstack([constant, np.cos(angles) * _HARMONICS[1:], np.sin(angles) * _HARMONICS[1:]]).astype(np.float32)

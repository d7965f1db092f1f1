"""Camera normalization: what a camera does to everybody is taken away, so that people can be compared across cameras.

`zscore_by_camera` is the batch form of Learn by Guessing (Pereira and de Campos 2022). `CameraNormalizer` is the hub's
running form, which shrinks towards doing nothing while people are few.
"""

from collections.abc import Hashable, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from passerby.arrays import Float32Array, require_shape
from passerby.errors import DataError
from passerby.features.people import People, PeopleSeen
from passerby.features.shrinkage import Moments, Standardization, moments_of, standardize_cameras
from passerby.ids import CameraId
from passerby.models import ReferenceStatistics

_EPSILON = 1e-6
"""Added to the standard deviation, as the paper's code does."""

_SAME_PERSON_COSINE = 0.6
"""Tracklets of one camera are one person from this cosine similarity of raw embeddings on.

On PKU-Reid 89% and 94% of the pairs of one person are above it (retail-0288, -0277) and 99.5% and 99.8% of the pairs of
two are below; on labelled crops of two other sites the people counted are those there, give or take two."""

_SAME_PERSON_COSINE_RECTIFIED = 0.8
"""The same where a rectified linear unit ends the network, which makes all cosines positive (OSNet: 91% and 98%). Too
many merged only slows learning down; one person counted as several is what does harm."""

_MOVED = 0.05
"""Statistics are published anew when a camera's shift has moved by this share of a person's length, or its scale by
this share of itself (root mean square): below it mAP on PKU-Reid changes by less than .01."""


class CameraState(Struct, frozen=True, kw_only=True):
    """One camera of a normalizer. Arrays are little-endian bytes: float32 `means` (p, d), float64 for the others."""

    camera_id: CameraId
    means: bytes
    weights: bytes
    energies: bytes
    shift: bytes
    scale: bytes


class NormalizerState(Struct, frozen=True, kw_only=True):
    """Everything a CameraNormalizer knows: at most about 128 x d x 4 bytes per camera."""

    dimension: int
    version: int
    signed: bool
    common_share: float
    site_shift: bytes
    cameras: list[CameraState]


def zscore_by_camera(features: Float32Array, camera_ids: Sequence[Hashable]) -> Float32Array:
    """The z-score of raw `features` (n, d) over all images of the same camera: (n, d) float32, not yet of unit length.

    (f - mean) / (std + 1e-6) with the population standard deviation, on each axis (Learn by Guessing, camera-guided
    normalization). `camera_ids` (n,). A camera with one image gives zeros. Raises DataError for a wrong shape, NaN or
    infinity.

    >>> zscore_by_camera(np.array([[1, 0], [3, 0], [5, 9]], np.float32), ["a", "a", "b"]).round(3).tolist()
    [[-1.0, 0.0], [1.0, 0.0], [0.0, 0.0]]
    """
    require_shape("features", features, (len(camera_ids), None))
    _require_finite("features", features)
    normalized = np.empty(features.shape, np.float32)
    cameras = np.array(_numbered(camera_ids), np.int64)
    for camera in range(int(cameras.max(initial=-1)) + 1):
        rows = cameras == camera
        own = features[rows].astype(np.float64)
        normalized[rows] = (own - own.mean(axis=0)) / (own.std(axis=0) + _EPSILON)
    return normalized


class CameraNormalizer:
    """Running per-camera normalization that is never worse than none, from the first person on.

    It counts people: tracklets of one camera that look alike are one person, however many they are, and the last 128
    people count (see `People`). With n people a camera's own mean is believed by (n - 1) / (n - 1 + 5), the rest comes
    from the site's cameras together, and their mean is drawn likewise towards the model's reference mean or, without
    one, towards zero (see `shrinkage`): without people the result is the plain unit vector, exactly.

    The reference's standard deviation is not used: a scale common to all cameras was worse than none for every network
    tried, and a camera's own scale is therefore shrunk towards one. The constants are rounded; they were measured on
    PKU-Reid over three networks, and hold on hand-labelled crops of two other sites.

    Statistics change in steps: `normalize` uses the published ones, and `version` counts their publications. What is
    normalized under one version stays comparable; when it changes, prototypes should be normalized again from their
    raw embeddings. Deterministic, not thread-safe, bounded in memory.
    """

    def __init__(self, dimension: int, *, reference: ReferenceStatistics | None = None) -> None:
        if dimension < 1:
            raise DataError(f"dimension is {dimension}, expected at least 1")
        if reference is not None:
            require_shape("reference mean", np.array(reference.mean), (dimension,))
            require_shape("reference std", np.array(reference.std), (dimension,))
        self._dimension = dimension
        self._prior = np.zeros(dimension) if reference is None else np.array(reference.mean, np.float64)
        self._signed = False
        self._people: dict[CameraId, People] = {}
        self._moments: dict[CameraId, Moments] = {}
        self._published: dict[CameraId, Standardization] = {}
        self._unknown = Standardization(self._prior, np.ones(dimension))
        self._common_share = 0.0
        self._version = 0

    @property
    def common_share(self) -> float:
        """Share (0-1) of the energy of people's raw embeddings that normalization takes away, mean over the cameras.

        Cosines fall as it rises; `(1 - common_share) * cosine + common_share` of two normalized rows stays about where
        the plain cosine was, in the same order for every pair of cameras, so that one threshold serves a site from its
        first hour on. It is of the published statistics and changes with `version` only.
        """
        return self._common_share

    @property
    def version(self) -> int:
        """How often statistics have been published; 0 before the first time."""
        return self._version

    def people_seen(self, camera_id: CameraId) -> int:
        """How many people of a camera count at present (at most 128)."""
        return len(self._people[camera_id]) if camera_id in self._people else 0

    def observe(
        self, camera_id: CameraId, tracklet_key: Hashable, embedding: NDArray[np.floating], *, quality: float = 1.0
    ) -> None:
        """Learn from a tracklet: its raw mean embedding (d,).

        The same `tracklet_key` again replaces what the tracklet said before (among the last 128 of the camera).
        `quality` in (0, 1]: a person of whom only 0.3 was seen counts as 0.3 people. Raises DataError for another
        shape, for NaN, infinity or a zero vector, and for a quality out of range.
        """
        require_shape("embedding", embedding, (self._dimension,))
        vector = np.array(embedding, np.float32)
        _require_direction("embedding", vector[np.newaxis])
        if not 0.0 < quality <= 1.0:
            raise DataError(f"quality of a tracklet is {quality}, expected more than 0 and at most 1")
        self._signed = self._signed or bool((vector < 0).any())
        people = self._people.get(camera_id)
        if people is None:
            people = self._people[camera_id] = self._new_people()
        people.observe(tracklet_key, vector, quality=quality)
        self._moments[camera_id] = moments_of(people.seen())
        self._publish_if_moved()

    def forget(self, camera_id: CameraId, embeddings: Float32Array) -> int:
        """Let nothing be left of those whom these raw embeddings (n, d) show; gives how many people of the camera.

        What was published is published anew, as of few people it tells their looks.
        """
        people = self._people.get(camera_id)
        gone = 0 if people is None else people.forget(embeddings)
        if people is None or not gone:
            return 0
        if len(people):
            self._moments[camera_id] = moments_of(people.seen())
        else:
            del self._people[camera_id], self._moments[camera_id]
        if self._moments:
            self._publish(*standardize_cameras(self._moments, prior=self._prior))
        else:
            self._publish({}, Standardization(self._prior, np.ones(self._dimension)))
        return gone

    def normalize(self, camera_id: CameraId, embeddings: NDArray[np.floating]) -> Float32Array:
        """Unit rows (n, d) float32 for raw `embeddings` (n, d) of a camera, known or not.

        Raises DataError for another shape, NaN, infinity or a zero row.
        """
        require_shape("embeddings", embeddings, (None, self._dimension))
        _require_direction("embeddings", embeddings)
        apply = self._published.get(camera_id, self._unknown)
        standardized = (embeddings.astype(np.float64) - apply.shift) / apply.scale
        lengths = np.linalg.norm(standardized, axis=1, keepdims=True)  # In float64, where no float32 overflows.
        return (standardized / np.where(lengths > 0.0, lengths, 1.0)).astype(np.float32)

    def state(self) -> NormalizerState:
        """All of it, to be stored. Open tracklets are stored as settled: a restart ends their replacement."""
        cameras = []
        for camera_id, people in self._people.items():
            seen = people.seen()
            published = self._published.get(camera_id, self._unknown)
            cameras.append(
                CameraState(
                    camera_id=camera_id,
                    means=_to_bytes(seen.means, "<f4"),
                    weights=_to_bytes(seen.weights, "<f8"),
                    energies=_to_bytes(seen.energies, "<f8"),
                    shift=_to_bytes(published.shift, "<f8"),
                    scale=_to_bytes(published.scale, "<f8"),
                )
            )
        return NormalizerState(
            dimension=self._dimension,
            version=self._version,
            signed=self._signed,
            common_share=self._common_share,
            site_shift=_to_bytes(self._unknown.shift, "<f8"),
            cameras=cameras,
        )

    @classmethod
    def from_state(cls, state: NormalizerState, *, reference: ReferenceStatistics | None = None) -> "CameraNormalizer":
        """A normalizer as it was; `reference` is the model's, as for a new one. Raises DataError if sizes disagree."""
        normalizer = cls(state.dimension, reference=reference)
        normalizer._restore(state)
        return normalizer

    def _restore(self, state: NormalizerState) -> None:
        d = self._dimension
        self._version = state.version
        self._signed = state.signed
        self._common_share = state.common_share
        self._unknown = Standardization(_from_bytes("site_shift", state.site_shift, "<f8", (d,)), np.ones(d))
        for camera in state.cameras:
            weights = _from_bytes("weights", camera.weights, "<f8", (-1,))
            means = _from_bytes("means", camera.means, "<f4", (len(weights), d))
            energies = _from_bytes("energies", camera.energies, "<f8", (len(weights),))
            seen = PeopleSeen(means.astype(np.float32), weights, energies)
            self._people[camera.camera_id] = self._new_people(seen)
            self._moments[camera.camera_id] = moments_of(seen)
            self._published[camera.camera_id] = Standardization(
                _from_bytes("shift", camera.shift, "<f8", (d,)), _from_bytes("scale", camera.scale, "<f8", (d,))
            )

    def _new_people(self, known: PeopleSeen | None = None) -> People:
        return People(self._dimension, same_person_distance=self._same_person_distance, known=known)

    def _same_person_distance(self, embedding: Float32Array) -> float:
        """Squared, between vectors of the length of `embedding`."""
        cosine = _SAME_PERSON_COSINE if self._signed else _SAME_PERSON_COSINE_RECTIFIED
        return 2.0 * (1.0 - cosine) * float((embedding.astype(np.float64) ** 2).sum())

    def _publish_if_moved(self) -> None:
        current, unknown = standardize_cameras(self._moments, prior=self._prior)
        moved = any(
            self._has_moved(self._published.get(camera_id, self._unknown), now, self._moments[camera_id])
            for camera_id, now in current.items()
        )
        if moved:
            self._publish(current, unknown)

    def _publish(self, current: dict[CameraId, Standardization], unknown: Standardization) -> None:
        self._published, self._unknown = current, unknown
        shares = [_share_of(current[camera_id], moments) for camera_id, moments in self._moments.items()]
        self._common_share = float(np.mean(shares)) if shares else 0.0
        self._version += 1

    @staticmethod
    def _has_moved(before: Standardization, now: Standardization, moments: Moments) -> bool:
        person_length = np.sqrt(_energy(moments))
        shift = float(np.linalg.norm(now.shift - before.shift))
        scale = float(np.sqrt(np.mean((now.scale / before.scale - 1.0) ** 2)))
        return shift > _MOVED * person_length or scale > _MOVED


def _energy(moments: Moments) -> float:
    """Mean squared length of the people's raw embeddings."""
    return float((moments.mean**2).sum() + moments.variance.sum())


def _share_of(applied: Standardization, moments: Moments) -> float:
    return min(1.0, float((applied.shift**2).sum()) / _energy(moments))


def _numbered(camera_ids: Sequence[Hashable]) -> list[int]:
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(camera_id, len(numbers)) for camera_id in camera_ids]


def _require_finite(name: str, array: NDArray[np.floating]) -> None:
    if not np.isfinite(array).all():
        raise DataError(f"{name} holds NaN or infinity, expected finite numbers")


def _require_direction(name: str, rows: NDArray[np.floating]) -> None:
    _require_finite(name, rows)
    if not rows.any(axis=1).all():
        raise DataError(f"{name} holds a zero vector, which has no direction; expected what a network gives")


def _to_bytes(array: NDArray[np.floating], kind: str) -> bytes:
    return array.astype(kind).tobytes()


def _from_bytes(name: str, data: bytes, kind: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    try:
        return np.frombuffer(data, kind).reshape(shape).astype(np.float64)
    except ValueError as error:
        raise DataError(f"stored {name} has {len(data)} bytes, expected {kind} of shape {shape}") from error

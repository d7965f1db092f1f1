"""What camera normalization applies: statistics as they were published at one moment, unchangeable."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from passerby.arrays import Float32Array, require_shape
from passerby.errors import DataError
from passerby.features.shrinkage import Float64Array, RegimeKey, Standardization
from passerby.features.timeline import Timeline
from passerby.ids import CameraId


class RegimeState(Struct, frozen=True, kw_only=True):
    """One regime of a camera as it was published; little-endian float64 (d,) each."""

    camera_id: CameraId
    regime: int
    shift: bytes
    scale: bytes


class PublishedState(Struct, frozen=True, kw_only=True):
    """Published statistics as they are stored; `timelines` holds (since_ns, regimes) of cameras that ever switched."""

    version: int
    common_share: float
    site: bytes
    regimes: list[RegimeState]
    timelines: dict[CameraId, tuple[tuple[int, ...], tuple[int, ...]]]


@dataclass(frozen=True, slots=True)
class PublishedStatistics:
    """Normalizes raw embeddings, always in the same way.

    `site` (d,) float64 is taken away where nothing else is known; `version` counts publications; `timelines` holds
    those cameras that ever switched their regime.
    """

    site: Float64Array
    version: int = 0
    common_share: float = 0.0
    """Share (0-1) of the energy of people's raw embeddings that normalization takes away, mean over the cameras.

    Cosines fall as it rises; `(1 - common_share) * cosine + common_share` of two normalized rows stays about where the
    plain cosine was, in the same order for every pair of cameras, so that one threshold serves a site from its first
    hour on.
    """
    standardizations: Mapping[RegimeKey, Standardization] = field(default_factory=dict)
    timelines: Mapping[CameraId, Timeline] = field(default_factory=dict)

    def standardization(self, key: RegimeKey) -> Standardization:
        """What a camera's regime needs; the site's offset, and scale one, where nobody was seen in it yet."""
        known = self.standardizations.get(key)
        return Standardization(self.site, np.ones_like(self.site)) if known is None else known

    def regime_at(self, camera_id: CameraId, at_ns: int) -> int:
        """Which regime a camera was in at a capture time; 0 for one that never switched."""
        timeline = self.timelines.get(camera_id)
        return 0 if timeline is None else timeline.regime_at(at_ns)

    def normalize(self, camera_id: CameraId, embeddings: NDArray[np.floating], *, at_ns: int) -> Float32Array:
        """Unit rows (n, d) float32 for raw `embeddings` (n, d) that a camera, known or not, gave at `at_ns`.

        Exactly the camera's mean gives zeros. Raises DataError for another shape, NaN, infinity or a zero row.
        """
        require_shape("embeddings", embeddings, (None, len(self.site)))
        require_direction("embeddings", embeddings)
        apply = self.standardization((camera_id, self.regime_at(camera_id, at_ns)))
        standardized = (embeddings.astype(np.float64) - apply.shift) / apply.scale
        lengths = np.linalg.norm(standardized, axis=1, keepdims=True)  # In float64, where no float32 overflows.
        return (standardized / np.where(lengths > 0.0, lengths, 1.0)).astype(np.float32)

    def state(self) -> PublishedState:
        """To be stored."""
        return PublishedState(
            version=self.version,
            common_share=self.common_share,
            site=to_bytes(self.site, "<f8"),
            regimes=[
                RegimeState(
                    camera_id=camera_id,
                    regime=regime,
                    shift=to_bytes(apply.shift, "<f8"),
                    scale=to_bytes(apply.scale, "<f8"),
                )
                for (camera_id, regime), apply in self.standardizations.items()
            ],
            timelines={camera_id: (each.since_ns, each.regimes) for camera_id, each in self.timelines.items()},
        )

    @classmethod
    def from_state(cls, state: PublishedState, *, dimension: int) -> "PublishedStatistics":
        """As it was. Raises DataError if sizes disagree."""
        return cls(
            site=from_bytes("site offset", state.site, "<f8", dimension).astype(np.float64),
            version=state.version,
            common_share=state.common_share,
            standardizations={
                (stored.camera_id, stored.regime): Standardization(
                    from_bytes("shift", stored.shift, "<f8", dimension).astype(np.float64),
                    from_bytes("scale", stored.scale, "<f8", dimension).astype(np.float64),
                )
                for stored in state.regimes
            },
            timelines={camera_id: Timeline(since, regimes) for camera_id, (since, regimes) in state.timelines.items()},
        )


def require_direction(name: str, rows: NDArray[np.floating]) -> None:
    """Raise DataError where a row (n, d) is zero, or no number."""
    if not np.isfinite(rows).all():
        raise DataError(f"{name} holds NaN or infinity, expected finite numbers")
    if not rows.any(axis=1).all():
        raise DataError(f"{name} holds a zero vector, which has no direction; expected what a network gives")


def to_bytes(array: NDArray[np.floating], kind: str) -> bytes:
    """`array` (d,) as bytes of this kind."""
    return array.astype(kind).tobytes()


def from_bytes(name: str, data: bytes, kind: str, dimension: int) -> NDArray[np.floating]:
    """(dimension,) of what `to_bytes` gave. Raises DataError for another length."""
    expected = dimension * np.dtype(kind).itemsize
    if len(data) != expected:
        raise DataError(f"stored {name} has {len(data)} bytes, expected {expected} ({dimension} x {kind})")
    return np.frombuffer(data, kind)

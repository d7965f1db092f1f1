"""When statistics are published: in steps, so that what is normalized stays comparable from one step to the next."""

from collections.abc import Iterable, Mapping

import numpy as np

from passerby.features.published import PublishedStatistics
from passerby.features.shrinkage import Estimates, Float64Array, Moments, RegimeKey, Standardization
from passerby.features.timeline import Timeline
from passerby.ids import CameraId

_MOVED = 0.05
"""Statistics are published anew when a camera's shift has moved by this share of a person's length, or its scale by
this share of itself (root mean square): below it mAP on PKU-Reid changes by less than .01."""

_RETIRED_REGIMES = 2
"""Regimes of a camera whose people are forgotten, but for whose tracklets the last statistics are kept."""


class Publisher:
    """Estimates that follow every observation, and what was last published of them."""

    def __init__(self, prior: Float64Array) -> None:
        self._estimates = Estimates(prior)
        self._former_shifts: Float64Array | None = None
        self._published = PublishedStatistics(prior)

    @property
    def published(self) -> PublishedStatistics:
        """What is applied. It does not change, but is replaced."""
        return self._published

    def restore(self, published: PublishedStatistics) -> None:
        """Let this be what was published last."""
        self._published = published
        self._former_shifts = None

    def moments(self, key: RegimeKey) -> Moments | None:
        """What the people of a camera's regime amount to; None if there are none."""
        return self._estimates.moments(key) if key in self._estimates else None

    def put(self, key: RegimeKey, moments: Moments | None) -> None:
        """Let a camera's regime be as its people say now; None: it has no people."""
        if moments is None or key not in self._estimates:
            self._former_shifts = None  # Other rows than before.
        if moments is not None:
            self._estimates.put(key, moments)
        elif key in self._estimates:
            self._estimates.remove(key)

    def has_moved(self, touched: Iterable[RegimeKey]) -> bool:
        """Whether statistics are off what was published; of the scales only those of `touched` regimes can be."""
        estimates, former = self._estimates, self._published
        if self._former_shifts is None:
            shifts = [former.standardization(key).shift for key in estimates.keys]
            self._former_shifts = np.array(shifts).reshape(-1, len(former.site))
        way = estimates.shifts(estimates.site()) - self._former_shifts
        if (np.einsum("cd,cd->c", way, way) > _MOVED**2 * estimates.energies).any():
            return True
        return any(
            float(np.mean((estimates.scale(key) / former.standardization(key).scale - 1.0) ** 2)) > _MOVED**2
            for key in touched
            if key in estimates
        )

    def publish(self, timelines: Mapping[CameraId, Timeline], *, retire: bool = True) -> None:
        """Publish what is known now; without `retire` nothing is kept of regimes whose people are forgotten."""
        estimates = self._estimates
        site = estimates.site()
        shifts = estimates.shifts(site)
        shares = np.minimum(1.0, (shifts**2).sum(axis=1) / estimates.energies)
        now = {key: Standardization(shifts[row], estimates.scale(key)) for row, key in enumerate(estimates.keys)}
        self._published = PublishedStatistics(
            site,
            version=self._published.version + 1,
            common_share=float(shares.mean()) if len(shares) else 0.0,
            standardizations={**(self._retired() if retire else {}), **now},
            timelines=dict(timelines),
        )
        self._former_shifts = None

    def _retired(self) -> dict[RegimeKey, Standardization]:
        """The last statistics of regimes whose people are forgotten."""
        retired: dict[CameraId, list[RegimeKey]] = {}
        for key in sorted(self._published.standardizations):
            if key not in self._estimates:
                retired.setdefault(key[0], []).append(key)
        kept = [key for keys in retired.values() for key in keys[-_RETIRED_REGIMES:]]
        return {key: self._published.standardizations[key] for key in kept}

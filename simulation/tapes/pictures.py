"""Embeddings of one camera's boxes: each is made when it is first asked for, and then stays what it is."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, Int64Array
from passerby.ids import CameraId
from simulation.tapes.appearance import Appearance, Views
from simulation.tapes.detecting import NOBODY, Detected

_OF_THE_OTHER = 0.6
"""Of the part of a box that a nearer person covers, this share of the embedding is theirs."""


class Pictures:
    """What a network makes of the boxes `detected` of one camera.

    `stays` (n,) numbers the stretches in which one person is followed: what a look has of the visit lasts for one.
    """

    def __init__(
        self,
        camera_id: CameraId,
        detected: Detected,
        *,
        stays: Int64Array,
        fps: float,
        appearance: Appearance,
        draw: np.random.Generator,
    ) -> None:
        self._camera_id = camera_id
        self._detected = detected
        self._stays = stays
        self._fps = fps
        self._appearance = appearance
        self._draw = draw
        self._visits: dict[int, Float32Array] = {}
        self._made: dict[int, NDArray[np.float16]] = {}

    def of(self, rows: Sequence[int]) -> NDArray[np.float16]:
        """Raw embeddings (k, d) of some boxes."""
        new = np.array(sorted({row for row in rows if row not in self._made}), np.intp)
        if len(new):
            seen = self._detected.rows(new)
            vectors = self._appearance.as_seen(
                self._camera_id, self._drawn(seen, self._stays[new]), times_s=seen.frames / self._fps
            )
            self._made.update(zip(new.tolist(), vectors.astype(np.float16), strict=True))
        return np.stack([self._made[row] for row in rows])

    def _drawn(self, seen: Detected, stays: Int64Array) -> Float32Array:
        """Boxes (k, 256) on the network's own axes."""
        camera, appearance = self._camera_id, self._appearance
        parts: list[Float32Array] = []
        order: list[NDArray[np.intp]] = []
        for stay in np.unique(stays).tolist():
            rows = np.flatnonzero(stays == stay)
            order.append(rows)
            person = int(seen.people[rows[0]])
            if person == NOBODY:
                thing = int(seen.things[rows[0]])
                parts.append(appearance.of_thing(camera, thing, count=len(rows), draw=self._draw))
                continue
            if stay not in self._visits:
                self._visits[stay] = appearance.visit(self._draw)
            views = Views(
                yaw_rad=seen.yaw_rad[rows],
                visibility=seen.visibility[rows],
                height_px=seen.boxes_xyxy[rows, 3] - seen.boxes_xyxy[rows, 1],
                other=np.where(seen.covered[rows] > 0, seen.covered_by[rows], NOBODY),
                other_share=_OF_THE_OTHER * seen.covered[rows],
            )
            parts.append(appearance.of_person(camera, person, views=views, visit=self._visits[stay], draw=self._draw))
        found: Float32Array = np.concatenate(parts)[np.argsort(np.concatenate(order))]
        return found

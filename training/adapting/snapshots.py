"""An adaptation on the snapshot of a site: its tracklets' crops, and what is known of pairs of them."""

from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from passerby.adaptation import Snapshot
from passerby.adaptation.snapshot import digest
from passerby.arrays import Int64Array
from passerby.errors import DataError
from passerby.features.clustering import seen_at_once
from training.adapting.material import Material
from training.adapting.order import Order, Progress, adapt
from training.unlabelled import UnlabelledCrops

_AT_ONCE = 128
"""Pictures that are read before they are resized."""


def adapt_snapshot(
    snapshot: Snapshot,
    rows: Int64Array,
    order: Order,
    *,
    out: Path,
    progress: Progress,
    stop: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """Adapt a network to the tracklets `rows` of a snapshot and leave the result in `out`; gives the report.

    Raises what `adapt` and `read_tracklets` raise.
    """
    return adapt(order, partial(read_tracklets, snapshot, rows), out=out, progress=progress, stop=stop)


def read_tracklets(
    snapshot: Snapshot,
    rows: Int64Array,
    *,
    height: int,
    width: int,
    progress: Callable[[int, int], None] | None = None,
) -> Material:
    """The crops of the tracklets `rows` of a snapshot, in its order, brought to `height` x `width` pixels.

    Tracklets are numbered as the hub does it; cameras are those that have a crop. `progress` is told crops done, of how
    many. Raises DataError for a row that does not exist, tracklets without any crop, and a damaged picture.
    """
    chosen = np.unique(rows)
    if len(chosen) and not 0 <= chosen[0] <= chosen[-1] < snapshot.tracklets:
        raise DataError(
            f"tracklets are {chosen[0]} to {chosen[-1]}, expected rows of the snapshot's {snapshot.tracklets}"
        )
    crops = np.flatnonzero(np.isin(snapshot.crop_tracklets, chosen))
    if not len(crops):
        raise DataError(f"{snapshot.folder}: no crop is kept of the {len(chosen)} tracklets to learn from")
    tracklets = snapshot.crop_tracklets[crops]
    cameras, camera_of = np.unique(snapshot.camera_rows[tracklets], return_inverse=True)
    pictures = np.empty((len(crops), height, width, 3), np.uint8)
    for start in range(0, len(crops), _AT_ONCE):
        for row, picture in enumerate(snapshot.pictures(crops[start : start + _AT_ONCE]), start):
            pictures[row] = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
            if progress is not None:
                progress(row + 1, len(crops))
    together, apart = known_pairs(snapshot, np.unique(tracklets))
    return Material(
        crops=UnlabelledCrops(
            pictures,
            camera_of.astype(np.int64),
            snapshot.numbers[tracklets].astype(np.int64),
            tuple(str(snapshot.cameras[camera]) for camera in cameras),
            snapshot.numbers[together],
            snapshot.numbers[apart],
        ),
        names=tuple(
            f"{number}-{crop}"
            for number, crop in zip(
                snapshot.numbers[tracklets].tolist(), snapshot.crop_ids[crops].tolist(), strict=True
            )
        ),
        digest=sha256(f"{digest(snapshot.folder)} {chosen.tolist()}".encode()).hexdigest(),
        pictures=lambda some: snapshot.pictures(crops[list(some)]),
        deployed=snapshot.embeddings[crops],
    )


def known_pairs(snapshot: Snapshot, rows: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Pairs (p, 2) and (q, 2) of the ascending tracklets `rows`: known to be one person, and known to be two.

    One are those that operators have joined, also by way of tracklets that are not among `rows`; two are those that
    operators have parted, and those that one camera saw at once, unless an operator has joined them: a tracker may
    have one person twice.
    """
    shape = (snapshot.tracklets, snapshot.tracklets)
    joined = coo_array((np.ones(len(snapshot.together)), (snapshot.together[:, 0], snapshot.together[:, 1])), shape)
    _, person_of = connected_components(joined, directed=False)
    first = np.full(snapshot.tracklets, -1, np.int64)  # of each person the first of `rows`, if there is one
    first[person_of[rows[::-1]]] = rows[::-1]
    heads = first[person_of[rows]]
    together = np.stack([heads, rows], axis=1)[heads != rows]
    parted = first[person_of[snapshot.apart]]
    parted = parted[(parted >= 0).all(axis=1)]
    ends = np.maximum(snapshot.started_at_ns[rows], snapshot.ended_at_ns[rows])
    at_once = rows[seen_at_once(snapshot.camera_rows[rows], begins=snapshot.started_at_ns[rows], ends=ends)]
    at_once = at_once[person_of[at_once[:, 0]] != person_of[at_once[:, 1]]]
    apart = np.concatenate([parted.reshape(-1, 2), at_once.reshape(-1, 2)])
    return together.astype(np.int64), np.unique(np.sort(apart, axis=1), axis=0).reshape(-1, 2).astype(np.int64)

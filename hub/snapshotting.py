"""The recent past frozen for an adaptation: closed tracklets with their kept crops, and what is known of the views."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row

from hub.association.topology import STEPS_S, Topology
from hub.crops import CropStore
from hub.database.packing import floats
from hub.knowledge import Knowledge
from hub.reader import SiteReader
from hub.records import Tracklet, TrackletNumber
from passerby.adaptation import Snapshot, SnapshotViews, write_snapshot
from passerby.arrays import Float32Array
from passerby.errors import NotEnoughDataError
from passerby.ids import CameraId, ModelId

_MANY = 500
"""Values in one question to SQLite, which bounds them."""

_SURE = 3.0
"""Evidence (nat) from which on two views are taken to show nobody together, as for what the hub learns looks from."""

_FEWEST_WAYS = 20.0
"""Appearances after another camera from which on it is known how fast people come."""

_FASTEST_SHARE = 0.005
"""Of the appearances after another camera, the share that may have come by a mistake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotSize:
    """What a snapshot holds, or would hold."""

    tracklets: int
    crops: int
    people: int
    """Identities among the tracklets, as the hub has them."""
    cameras: tuple[CameraId, ...]
    jpeg_bytes: int


@dataclass(frozen=True, slots=True)
class _Crop:
    """One kept crop with its row in the database."""

    row: Row[Any]
    tracklet: int
    jpeg_bytes: int


def measure_snapshot(data_dir: Path, *, most_crops: int) -> SnapshotSize:
    """What `take_snapshot` would take now. Raises StoreError where there are no data."""
    with SiteReader(data_dir) as reader, CropStore.open_for_reading(data_dir) as store:
        tracklets, crops = _kept(reader, store, most_crops=most_crops)
    return _size(tracklets, crops)


def take_snapshot(
    data_dir: Path,
    folder: Path,
    *,
    site: str,
    model_id: ModelId,
    dimension: int,
    most_crops: int,
    taken_at_ns: int,
    progress: Callable[[float], None] = lambda _: None,
) -> SnapshotSize:
    """Freeze the latest closed tracklets with crops, at most so many crops, into `folder`; beside a running hub.

    `model_id` is the deployed model, of `dimension` axes; crops that it has not described get rows of NaN. `progress`
    is told the share of the crops that is copied. Raises NotEnoughDataError where nothing is kept, StoreError where
    there are no data, DataError where the folder cannot be written.
    """
    with SiteReader(data_dir) as reader, CropStore.open_for_reading(data_dir) as store:
        tracklets, crops = _kept(reader, store, most_crops=most_crops)
        if not crops:
            raise NotEnoughDataError(
                f"{data_dir}: no crop of anybody who has left is kept; let the cameras run, with `save_crops: true`"
            )
        cameras = tuple(sorted({tracklet.camera_id for tracklet in tracklets}))
        rows = {tracklet.number: row for row, tracklet in enumerate(tracklets)}
        together, apart = _said(reader, rows)
        snapshot = Snapshot(
            folder=folder,
            site=site,
            model_id=model_id,
            cameras=cameras,
            taken_at_ns=taken_at_ns,
            numbers=np.array([t.number for t in tracklets], np.int64),
            camera_rows=np.array([cameras.index(t.camera_id) for t in tracklets], np.int64),
            identities=np.array([-1 if t.identity_id is None else t.identity_id for t in tracklets], np.int64),
            started_at_ns=np.array([t.started_at_ns for t in tracklets], np.int64),
            ended_at_ns=np.array([t.ended_at_ns for t in tracklets], np.int64),
            clock_error_ns=np.array([t.clock_error_ns for t in tracklets], np.int64),
            crop_tracklets=np.array([crop.tracklet for crop in crops], np.int64),
            crop_ids=np.array([crop.row.crop_id for crop in crops], np.int64),
            captured_at_ns=np.array([crop.row.captured_at_ns for crop in crops], np.int64),
            qualities=np.array([crop.row.quality for crop in crops], np.float32),
            embeddings=np.stack([_embedding(crop.row, model_id, dimension=dimension) for crop in crops]),
            jpeg_ends=np.cumsum([crop.jpeg_bytes for crop in crops]),
            together=together,
            apart=apart,
            views=_views(reader.knowledge(), cameras),
        )
        write_snapshot(snapshot, _jpegs(store, tracklets, crops, progress=progress))
    return _size(tracklets, crops)


def _kept(reader: SiteReader, store: CropStore, *, most_crops: int) -> tuple[list[Tracklet], list[_Crop]]:
    """The latest closed tracklets with crops that are still there, in the order of their numbers; crops best first."""
    found: list[tuple[Tracklet, list[tuple[Row[Any], int]]]] = []
    left = most_crops
    for tracklets in reader.closed_latest_first(at_once=_MANY):
        exemplars = reader.exemplar_rows([tracklet.number for tracklet in tracklets])
        for tracklet in tracklets:
            kept = [
                (row, len(jpeg))
                for row in exemplars.get(tracklet.number, ())
                if (jpeg := store.get(tracklet.number, row.crop_id)) is not None
            ]
            if len(kept) > left:
                left = 0
                break
            if kept:
                found.append((tracklet, kept))
                left -= len(kept)
        if not left:
            break
    found.sort(key=lambda one: one[0].number)
    crops = [_Crop(row, number, size) for number, (_, kept) in enumerate(found) for row, size in kept]
    return [tracklet for tracklet, _ in found], crops


def _size(tracklets: Sequence[Tracklet], crops: Sequence[_Crop]) -> SnapshotSize:
    return SnapshotSize(
        tracklets=len(tracklets),
        crops=len(crops),
        people=len({t.identity_id for t in tracklets if t.identity_id is not None}),
        cameras=tuple(sorted({t.camera_id for t in tracklets})),
        jpeg_bytes=sum(crop.jpeg_bytes for crop in crops),
    )


def _jpegs(
    store: CropStore, tracklets: Sequence[Tracklet], crops: Sequence[_Crop], *, progress: Callable[[float], None]
) -> Iterator[bytes]:
    for done, crop in enumerate(crops):
        # One that has gone since it was measured was erased meanwhile: nothing of it may be in a snapshot.
        jpeg = store.get(tracklets[crop.tracklet].number, crop.row.crop_id)
        if jpeg is None or len(jpeg) != crop.jpeg_bytes:
            raise NotEnoughDataError("somebody was erased while the snapshot was taken; take it again")
        yield jpeg
        if done % _MANY == 0:
            progress(done / len(crops))
    progress(1.0)


def _embedding(row: Row[Any], model_id: ModelId, *, dimension: int) -> Float32Array:
    if row.model_id != model_id:
        return np.full(dimension, np.nan, np.float32)
    embedding: Float32Array = floats(row.embedding)
    return embedding


def _said(reader: SiteReader, rows: Mapping[TrackletNumber, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """What operators have said, as pairs (n, 2) of rows: who is one person, each with the next, and who is two."""
    groups, between = reader.constraints().in_force()
    together = [pair for group in groups for pair in _chain([rows[n] for n in sorted(group) if n in rows])]
    apart = [tuple(rows[number] for number in sorted(pair)) for pair in between if pair <= rows.keys()]
    return _pairs(together), _pairs(apart)


def _pairs(pairs: Sequence[tuple[int, ...]]) -> NDArray[np.int64]:
    return np.array(sorted(pairs), np.int64).reshape(-1, 2)


def _chain(members: Sequence[int]) -> Iterable[tuple[int, int]]:
    return itertools.pairwise(members)


def _views(knowledge: Knowledge, cameras: Sequence[CameraId]) -> SnapshotViews:
    apart = np.zeros((len(cameras), len(cameras)), bool)
    fastest = np.zeros((len(cameras), len(cameras)), np.float32)
    topology = knowledge.topology
    for i, first in enumerate(cameras):
        for j, second in enumerate(cameras):
            if i != j:
                seen_in_both = knowledge.floor.mapped(first, second)
                apart[i, j] = not seen_in_both and topology.never_together(first, second) <= -_SURE
                fastest[i, j] = fastest_s(topology, first, second)
    return SnapshotViews(apart, fastest)


def fastest_s(topology: Topology, before: CameraId, after: CameraId) -> float:
    """Seconds that anybody needs at least from one camera to another: said, or seen often enough; else 0."""
    word = topology.overrides.word(before, after)
    if word is not None and word.transit is not None:
        return float(word.transit[0])
    link = topology.links.get(before)
    counted = np.array(link.appearances.get(after, ()) if link else (), np.float64)
    if counted.sum() < _FEWEST_WAYS:
        return 0.0
    step = int(np.flatnonzero(np.cumsum(counted) > _FASTEST_SHARE * counted.sum())[0])
    return 0.0 if step == 0 else STEPS_S[step - 1]

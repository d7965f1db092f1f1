"""A made-up site: people are points, a camera shifts them, and they walk from one camera to another."""

from pathlib import Path

import numpy as np

from passerby.adaptation import Snapshot, SnapshotViews
from passerby.arrays import Float32Array, Int64Array
from passerby.ids import CameraId, ModelId

_S = 1_000_000_000


def made_site(
    *, people: int = 40, cameras: int = 3, visits: int = 10, crops: int = 6, seed: int = 0, taken_for_one: float = 0.5
) -> tuple[Snapshot, Int64Array]:
    """A snapshot without pictures or embeddings, and who is on each of its tracklets.

    The hub takes that share of a person's tracklets for one person, the others for nobody.
    """
    draw = np.random.default_rng(seed)
    rows = []
    for person in range(people):
        time, camera = float(draw.uniform(0, 60)), int(draw.integers(cameras))
        for _ in range(visits):
            stay = float(draw.uniform(5, 12))
            rows.append((time, time + stay, camera, person))
            time += stay + float(draw.uniform(2, 12)) + (60.0 if draw.random() < 0.2 else 0.0)
            camera = int(draw.choice([each for each in range(cameras) if each != camera])) if cameras > 1 else 0
    rows.sort()
    table = np.array(rows)
    who = table[:, 3].astype(np.int64)
    began, ended = (np.round(table[:, column] * _S).astype(np.int64) for column in (0, 1))
    tracklets = len(rows)
    captured = np.round(began[:, None] + (ended - began)[:, None] * np.linspace(0, 1, crops)).astype(np.int64)
    snapshot = Snapshot(
        folder=Path("nowhere"),
        site="made up",
        model_id=ModelId("parent@1"),
        cameras=tuple(CameraId(f"cam-{camera}") for camera in range(cameras)),
        taken_at_ns=int(ended.max(initial=0)),
        numbers=np.arange(100, 100 + tracklets, dtype=np.int64),
        camera_rows=table[:, 2].astype(np.int64),
        identities=np.where(draw.random(tracklets) < taken_for_one, who, -1),
        started_at_ns=began,
        ended_at_ns=ended,
        clock_error_ns=np.full(tracklets, 10_000_000, np.int64),
        crop_tracklets=np.repeat(np.arange(tracklets), crops).astype(np.int64),
        crop_ids=np.tile(np.arange(crops), tracklets).astype(np.int64),
        captured_at_ns=captured.reshape(-1),
        qualities=np.ones(tracklets * crops, np.float32),
        embeddings=np.zeros((tracklets * crops, 2), np.float32),
        jpeg_ends=np.zeros(tracklets * crops, np.int64),
        together=np.zeros((0, 2), np.int64),
        apart=np.zeros((0, 2), np.int64),
        views=SnapshotViews(~np.eye(cameras, dtype=np.bool_), np.where(np.eye(cameras), 0.0, 1.5).astype(np.float32)),
    )
    return snapshot, who


def made_embeddings(
    snapshot: Snapshot, who: Int64Array, *, noise: float, shift: float = 1.0, dimension: int = 32, seed: int = 0
) -> Float32Array:
    """(n, d) raw: person + camera's shift + what a tracklet, and a crop, look like today. People and shifts are those
    of the seed, whatever the noise."""
    draw = np.random.default_rng(seed)
    points = draw.normal(0, 1, (int(who.max(initial=0)) + 1, dimension))
    shifts = draw.normal(0, 1, (len(snapshot.cameras), dimension)) * shift
    of_tracklets = points[who] + shifts[snapshot.camera_rows] + draw.normal(0, noise, (len(who), dimension))
    crops = of_tracklets[snapshot.crop_tracklets]
    return (crops + draw.normal(0, 0.7 * noise, crops.shape)).astype(np.float32)

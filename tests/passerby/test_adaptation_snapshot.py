"""A snapshot comes back as it was written."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from passerby.adaptation import Snapshot, SnapshotViews, read_snapshot, write_snapshot
from passerby.adaptation.snapshot import CROPS, digest
from passerby.errors import DataError
from passerby.ids import CameraId, ModelId


def jpeg(shade: int) -> bytes:
    return bytes(cv2.imencode(".jpg", np.full((32, 16, 3), shade, np.uint8))[1])


def made(folder: Path, jpegs: list[bytes]) -> Snapshot:
    """Two tracklets of two crops each."""
    rows = np.repeat(np.arange(2), 2)
    return Snapshot(
        folder=folder,
        site="plaza",
        model_id=ModelId("net@0123456789ab"),
        cameras=(CameraId("door"), CameraId("hall")),
        taken_at_ns=99,
        numbers=np.array([3, 8]),
        camera_rows=np.array([1, 0]),
        identities=np.array([5, -1]),
        started_at_ns=np.array([10, 20]),
        ended_at_ns=np.array([15, 30]),
        clock_error_ns=np.array([0, 1]),
        crop_tracklets=rows,
        crop_ids=np.array([1, 2, 1, 4]),
        captured_at_ns=np.array([10, 11, 20, 21]),
        qualities=np.array([0.9, 0.5, 0.8, 0.7], np.float32),
        embeddings=np.arange(12, dtype=np.float32).reshape(4, 3),
        jpeg_ends=np.cumsum([len(one) for one in jpegs]),
        together=np.zeros((0, 2), np.int64),
        apart=np.array([[0, 1]]),
        views=SnapshotViews(np.zeros((2, 2), bool), np.zeros((2, 2), np.float32)),
    )


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    jpegs = [jpeg(shade) for shade in (10, 80, 150, 220)]
    snapshot = made(tmp_path / "one", jpegs)
    write_snapshot(snapshot, jpegs)
    read = read_snapshot(tmp_path / "one")
    assert (read.cameras, read.model_id, read.site) == (snapshot.cameras, snapshot.model_id, "plaza")
    assert (read.embeddings == snapshot.embeddings).all()
    assert read.jpegs([0, 1, 2, 3]) == jpegs
    assert [int(one.mean().round()) for one in read.pictures([3, 0])] == [220, 10]
    assert read.crop_cameras.tolist() == [1, 1, 0, 0]
    assert np.allclose(read.tracklet_embeddings(), [[1.5, 2.5, 3.5], [7.5, 8.5, 9.5]])


def test_the_same_content_has_the_same_digest(tmp_path: Path) -> None:
    jpegs = [jpeg(shade) for shade in (10, 80, 150, 220)]
    for name in ("one", "two"):
        write_snapshot(made(tmp_path / name, jpegs), jpegs)
    assert digest(tmp_path / "one") == digest(tmp_path / "two")


def test_pictures_that_are_missing_are_named(tmp_path: Path) -> None:
    jpegs = [jpeg(shade) for shade in (10, 80, 150, 220)]
    snapshot = made(tmp_path, jpegs)
    with pytest.raises(DataError, match="were announced"):
        write_snapshot(snapshot, jpegs[:3])
    with pytest.raises(DataError, match="holds no snapshot"):
        read_snapshot(tmp_path)
    write_snapshot(snapshot, jpegs)
    (tmp_path / CROPS).write_bytes(b"")
    with pytest.raises(DataError, match="crop 2 is damaged"):
        read_snapshot(tmp_path).pictures([2])

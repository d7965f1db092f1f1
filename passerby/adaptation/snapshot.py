"""A site's recent past, frozen: what an adaptation learns from and is judged by.

A folder of two files. `snapshot.npz` holds the arrays below and, as JSON, what they are of; `crops.bin` the JPEGs of
all crops, one after the other. Neither is changed once it is written, and `digest` names both.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, Image, Int64Array, require_shape
from passerby.errors import DataError
from passerby.ids import CameraId, ModelId
from passerby.whole_files import whole_file

FORMAT = 1
ARRAYS = "snapshot.npz"
CROPS = "crops.bin"


@dataclass(frozen=True, slots=True, eq=False)
class SnapshotViews:
    """What the hub knows of its c cameras' views, by rows of the snapshot's cameras.

    `apart` (c, c) bool: nobody can be seen in both at once. `fastest_s` (c, c) float32: seconds that anybody needs at
    least from one to the other, 0 where that is not known.
    """

    apart: NDArray[np.bool_]
    fastest_s: Float32Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Snapshot:
    """t closed tracklets with their n crops, in the order of the hub's numbers; crops lie by tracklet, best first."""

    folder: Path
    site: str
    model_id: ModelId
    """Of the embeddings: the model that was deployed."""
    cameras: tuple[CameraId, ...]
    taken_at_ns: int
    numbers: Int64Array
    """(t,) the hub's numbers, ascending."""
    camera_rows: Int64Array
    """(t,) into `cameras`."""
    identities: Int64Array
    """(t,) whom the hub takes them for; -1: nobody yet. A guess, never a label."""
    started_at_ns: Int64Array
    """(t,) capture time."""
    ended_at_ns: Int64Array
    clock_error_ns: Int64Array
    """(t,) capture times are right to within this."""
    crop_tracklets: Int64Array
    """(n,) rows of tracklets, ascending."""
    crop_ids: Int64Array
    """(n,) unique within a tracklet."""
    captured_at_ns: Int64Array
    """(n,)"""
    qualities: Float32Array
    """(n,) 0-1."""
    embeddings: Float32Array
    """(n, d) raw, of `model_id`."""
    jpeg_ends: Int64Array
    """(n,) where each JPEG ends in the file of crops; it begins where the one before ends."""
    together: Int64Array
    """(p, 2) rows of tracklets that operators have said are one person."""
    apart: Int64Array
    """(q, 2) rows of tracklets that operators have said are two."""
    views: SnapshotViews

    def __post_init__(self) -> None:
        tracklets, crops, cameras = len(self.numbers), len(self.crop_tracklets), len(self.cameras)
        for name in ("camera_rows", "identities", "started_at_ns", "ended_at_ns", "clock_error_ns"):
            require_shape(name, getattr(self, name), (tracklets,))
        for name in ("crop_ids", "captured_at_ns", "qualities", "jpeg_ends"):
            require_shape(name, getattr(self, name), (crops,))
        require_shape("embeddings", self.embeddings, (crops, None))
        require_shape("together", self.together, (None, 2))
        require_shape("apart", self.apart, (None, 2))
        require_shape("views.apart", self.views.apart, (cameras, cameras))
        require_shape("views.fastest_s", self.views.fastest_s, (cameras, cameras))

    @property
    def tracklets(self) -> int:
        """How many tracklets it holds."""
        return len(self.numbers)

    @property
    def crops(self) -> int:
        """How many crops it holds."""
        return len(self.crop_tracklets)

    @property
    def crop_cameras(self) -> Int64Array:
        """(n,) the camera row of each crop."""
        rows: Int64Array = self.camera_rows[self.crop_tracklets]
        return rows

    def tracklet_embeddings(self, embeddings: Float32Array | None = None) -> Float32Array:
        """(t, d) the raw mean over each tracklet's crops, of these (n, d) or, without, of the snapshot's own."""
        rows = self.embeddings if embeddings is None else embeddings
        sums = np.zeros((self.tracklets, rows.shape[1]), np.float64)
        np.add.at(sums, self.crop_tracklets, rows)
        counts = np.bincount(self.crop_tracklets, minlength=self.tracklets)
        means: Float32Array = (sums / np.maximum(counts, 1)[:, None]).astype(np.float32)
        return means

    def jpegs(self, rows: Sequence[int] | Int64Array) -> list[bytes]:
        """The pictures of these crops as JPEG. Raises DataError where the file has gone or is cut short."""
        found = []
        try:
            with (self.folder / CROPS).open("rb") as file:
                for row in rows:
                    begin = int(self.jpeg_ends[row - 1]) if row else 0
                    file.seek(begin)
                    found.append(file.read(int(self.jpeg_ends[row]) - begin))
        except OSError as error:
            raise DataError(f"{self.folder / CROPS}: cannot be read: {error.strerror}") from error
        return found

    def pictures(self, rows: Sequence[int] | Int64Array) -> list[Image]:
        """The pictures of these crops, BGR (height, width, 3) uint8 each. Raises DataError for a damaged one."""
        pictures = []
        for row, jpeg in zip(rows, self.jpegs(rows), strict=True):
            picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) if jpeg else None
            if picture is None:
                raise DataError(f"{self.folder / CROPS}: crop {row} is damaged; take another snapshot")
            pictures.append(np.asarray(picture, np.uint8))
        return pictures


_ARRAYS = (
    "numbers",
    "camera_rows",
    "identities",
    "started_at_ns",
    "ended_at_ns",
    "clock_error_ns",
    "crop_tracklets",
    "crop_ids",
    "captured_at_ns",
    "qualities",
    "embeddings",
    "jpeg_ends",
    "together",
    "apart",
)


def write_snapshot(snapshot: Snapshot, jpegs: Iterable[bytes]) -> None:
    """Write a snapshot into its folder; `jpegs` are those of its crops, in order. Raises DataError where that fails.

    `snapshot.npz` is written last: without it there is no snapshot.
    """
    about = {
        "format": FORMAT,
        "site": snapshot.site,
        "model_id": snapshot.model_id,
        "cameras": list(snapshot.cameras),
        "taken_at_ns": snapshot.taken_at_ns,
    }
    arrays: dict[str, Any] = {name: getattr(snapshot, name) for name in _ARRAYS}
    arrays |= {"views_apart": snapshot.views.apart, "views_fastest_s": snapshot.views.fastest_s}
    try:
        snapshot.folder.mkdir(parents=True, exist_ok=True)
        with (snapshot.folder / CROPS).open("wb") as file:
            for jpeg in jpegs:
                file.write(jpeg)
            written = file.tell()
        expected = int(snapshot.jpeg_ends[-1]) if snapshot.crops else 0
        if written != expected:
            raise DataError(f"{snapshot.folder / CROPS}: {written} bytes of pictures came, {expected} were announced")
        with whole_file(snapshot.folder / ARRAYS) as opened:
            np.savez(opened, about=np.array(json.dumps(about)), **arrays)
    except OSError as error:
        raise DataError(f"{snapshot.folder}: the snapshot cannot be written: {error.strerror}") from error


def read_snapshot(folder: Path) -> Snapshot:
    """The snapshot in a folder. Raises DataError where there is none, or one of another format."""
    try:
        with np.load(folder / ARRAYS, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            if about["format"] != FORMAT:
                raise DataError(f"{folder / ARRAYS} has format {about['format']}, expected {FORMAT}")
            return Snapshot(
                folder=folder,
                site=about["site"],
                model_id=ModelId(about["model_id"]),
                cameras=tuple(CameraId(name) for name in about["cameras"]),
                taken_at_ns=about["taken_at_ns"],
                views=SnapshotViews(file["views_apart"], file["views_fastest_s"]),
                **{name: file[name] for name in _ARRAYS},
            )
    except FileNotFoundError as error:
        raise DataError(f"{folder} holds no snapshot") from error
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"{folder / ARRAYS}: no snapshot, or a damaged one: {error}") from error


def digest(folder: Path) -> str:
    """SHA-256 over both files of a snapshot: the same for the same content."""
    hashed = hashlib.sha256()
    for name in (ARRAYS, CROPS):
        with (folder / name).open("rb") as file:
            while block := file.read(1 << 20):
                hashed.update(block)
    return hashed.hexdigest()

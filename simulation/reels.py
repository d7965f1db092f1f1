"""Reels: ten seconds of one camera in a file, with the truth of each frame beside it, so that a site can be rendered
once and shown many times, further and further."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import av
import numpy as np

from passerby.arrays import Image
from passerby.errors import DataError
from passerby.ids import CameraId
from simulation.footage import VideoWriter
from simulation.site import SimulatedSite
from simulation.truth import FrameTruth, RenderedFrame

REEL_S = 10.0
"""How much of the world one reel shows, about: a whole number of frames."""

_CRF = 18
"""Better than a stream's: what is shown is encoded once more."""

_COLUMNS = ("person_ids", "boxes_xyxy", "full_boxes_xyxy", "visibility", "floor_xy")


@dataclass(frozen=True, slots=True, order=True)
class Reel:
    """Frames [`number` * n, (`number` + 1) * n) of a camera, n being `frames_per_reel` of its rate."""

    camera_id: CameraId
    number: int

    def video(self, folder: Path) -> Path:
        """Its pictures: H.264 in MP4."""
        return folder / self.camera_id / f"{self.number:05d}.mp4"

    def truth(self, folder: Path) -> Path:
        """Its truth, written last: a reel is there when this file is."""
        return folder / self.camera_id / f"{self.number:05d}.npz"

    def is_in(self, folder: Path) -> bool:
        """Whether it has been rendered."""
        return self.truth(folder).exists() and self.video(folder).exists()


def frames_per_reel(fps: float) -> int:
    """How many frames a reel of a camera of this rate has.

    >>> frames_per_reel(10.0), frames_per_reel(29.97), frames_per_reel(0.01)
    (100, 300, 1)
    """
    return max(1, round(fps * REEL_S))


def reels_of(camera_id: CameraId, *, fps: float, first_frame: int, frames: int) -> list[Reel]:
    """The reels that hold `frames` frames from `first_frame` on; none for no frames."""
    size = frames_per_reel(fps)
    return [Reel(camera_id, number) for number in range(first_frame // size, -(-(first_frame + frames) // size))]


def write_reel(site: SimulatedSite, reel: Reel, folder: Path) -> None:
    """Render a reel into `folder`. Another process may do the same: each file appears whole or not at all.

    Raises OSError where it cannot be written.
    """
    spec = site.spec(reel.camera_id)
    size = frames_per_reel(spec.fps)
    video, truth = reel.video(folder), reel.truth(folder)
    video.parent.mkdir(parents=True, exist_ok=True)
    unfinished = [path.with_name(f".{os.getpid()}-{path.name}") for path in (video, truth)]
    try:
        frames = []
        with VideoWriter(unfinished[0], spec, crf=_CRF) as writer:
            for index in range(reel.number * size, (reel.number + 1) * size):
                rendered = site.render(reel.camera_id, index)
                writer.write(rendered.image)
                frames.append(rendered.truth)
        with unfinished[1].open("wb") as file:
            np.savez(file, **_packed(frames))
        unfinished[0].replace(video)
        unfinished[1].replace(truth)
    finally:
        for path in unfinished:
            path.unlink(missing_ok=True)


@dataclass(slots=True)
class ReelPlayer:
    """Frames of one camera from its reels, quickly as long as their numbers grow. Not thread-safe. Close it."""

    folder: Path
    camera_id: CameraId
    fps: float
    _number: int = -1
    _next: int = 0
    _truths: list[FrameTruth] = field(default_factory=list)
    _container: Any = None
    _pictures: Iterator[Any] = field(default_factory=lambda: iter(()))

    def frame(self, index: int) -> RenderedFrame:
        """Frame `index` of the camera. Raises DataError when its reel is not there or cannot be read."""
        number, offset = divmod(index, frames_per_reel(self.fps))
        try:
            if number != self._number or offset < self._next:
                self._open(Reel(self.camera_id, number))
            picture = None
            while self._next <= offset:
                picture = next(self._pictures)
                self._next += 1
        except (OSError, EOFError, StopIteration, KeyError, ValueError, BadZipFile) as error:
            self.close()
            problem = f"{type(error).__name__}: {error}".rstrip(": ")
            raise DataError(
                f"frame {index} of {self.camera_id}: reel {number} in {self.folder} cannot be read ({problem}); "
                "remove that folder, and it will be rendered again"
            ) from error
        image: Image = np.asarray(picture.to_ndarray(format="bgr24"), np.uint8)  # type: ignore[union-attr]
        return RenderedFrame(image, self._truths[offset])

    def close(self) -> None:
        """Let go of the open file."""
        if self._container is not None:
            self._container.close()
        self._container, self._number = None, -1

    def _open(self, reel: Reel) -> None:
        self.close()
        with np.load(reel.truth(self.folder)) as columns:
            self._truths = _unpacked(columns, self.camera_id)
        self._container = av.open(str(reel.video(self.folder)))
        stream = self._container.streams.video[0]
        stream.codec_context.thread_count = 1  # many cameras play at once
        self._pictures = self._container.decode(stream)
        self._number, self._next = reel.number, 0


def _packed(frames: list[FrameTruth]) -> dict[str, Any]:
    """Frames one after the other in each array; `counts` says how many people each has."""
    return {
        "counts": np.array([len(frame) for frame in frames], np.int64),
        "indices": np.array([frame.frame_index for frame in frames], np.int64),
        "times_s": np.array([frame.time_s for frame in frames], np.float64),
        **{name: np.concatenate([getattr(frame, name) for frame in frames]) for name in _COLUMNS},
    }


def _unpacked(columns: Any, camera_id: CameraId) -> list[FrameTruth]:
    ends = np.cumsum(columns["counts"])[:-1]
    parts = [np.split(columns[name], ends) for name in _COLUMNS]
    heads = zip(columns["indices"].tolist(), columns["times_s"].tolist(), strict=True)
    return [FrameTruth(camera_id, index, time_s, *rows) for (index, time_s), *rows in zip(heads, *parts, strict=True)]

"""A folder of pictures as a camera: one picture is one frame, in the natural order of their names."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from edge.frames import Frame
from edge.sources.clocks import FileClock
from edge.sources.sampling import SECOND_NS
from edge.sources.source import StreamInfo, Traffic
from passerby.arrays import Image
from passerby.errors import SourceError, SourceRefusedError
from passerby.ids import CameraId

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})


class ImageFolder:
    """Reads `folder` at `fps` pictures a second: the pictures carry no time of their own.

    Raises SourceRefusedError if there is no picture, SourceError (while iterating) for one that cannot be read.
    """

    def __init__(self, camera_id: CameraId, folder: Path, *, fps: float, realtime: bool, start_at_ns: int) -> None:
        self._camera_id = camera_id
        self._files = sorted((file for file in folder.iterdir() if file.suffix.lower() in _SUFFIXES), key=_natural)
        if not self._files:
            raise SourceRefusedError(f"{folder}: no picture in it; expected {', '.join(sorted(_SUFFIXES))} files")
        self._fps = fps
        self._realtime = realtime
        self._clock = FileClock(start_at_ns)
        height, width = _read(self._files[0]).shape[:2]
        self.info = StreamInfo("images", "", width, height, fps, 0)
        self.traffic = Traffic()
        self.trouble = ""

    def __iter__(self) -> Iterator[Frame]:
        began = time.monotonic()
        for index, file in enumerate(self._files):
            if self._realtime:
                time.sleep(max(0.0, began + index / self._fps - time.monotonic()))
            captured_at_ns, clock = self._clock.capture_time(int(index * SECOND_NS / self._fps))
            yield Frame(self._camera_id, index + 1, captured_at_ns, clock, _read(file))

    def __enter__(self) -> "ImageFolder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is held open."""


def _read(file: Path) -> Image:
    picture = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if picture is None:
        raise SourceError(f"{file}: not a picture that OpenCV can read")
    return np.asarray(picture, np.uint8)


def _natural(file: Path) -> list[tuple[int, str]]:
    """`frame10` after `frame9`."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", file.name) if part]

"""Pictures whose number can be read back after lossy coding, and a client that watches them as an edge does."""

import threading
import time
from dataclasses import dataclass, field
from types import TracebackType

import numpy as np

from edge.frames import Frame
from edge.sources import open_source
from passerby.config import CameraSettings
from passerby.errors import SourceError
from passerby.ids import CameraId

_COLUMNS, _ROWS = 8, 2
_BITS = _COLUMNS * _ROWS


@dataclass
class NumberedPictures:
    """A picture source: a grid of 8 x 2 squares, white where the picture's number has a one."""

    size: tuple[int, int] = (160, 120)
    fps: float = 10.0
    asked: list[int] = field(default_factory=list)
    """Every number that was asked for."""
    slow_until: int = 0
    """Pictures before this one take half a second to make."""

    def picture(self, index: int) -> np.ndarray:
        self.asked.append(index)
        if index < self.slow_until:
            threading.Event().wait(0.5)
        bits = np.array([255 * (index >> bit & 1) for bit in range(_BITS)], np.uint8).reshape(_ROWS, _COLUMNS)
        width, height = self.size
        rows, columns = np.arange(height) * _ROWS // height, np.arange(width) * _COLUMNS // width
        return np.repeat(bits[np.ix_(rows, columns)][:, :, np.newaxis], 3, axis=2)


class Noise:
    """Pictures that cannot be compressed: as many bits as the encoder lets through."""

    size = (640, 360)
    fps = 25.0

    def __init__(self) -> None:
        self.asked: list[int] = []
        self._pictures = np.random.default_rng(0).integers(0, 256, (5, 360, 640, 3), np.uint8)

    def picture(self, index: int) -> np.ndarray:
        self.asked.append(index)
        return self._pictures[index % len(self._pictures)]


def number_of(image: np.ndarray) -> int:
    """The number of a picture of NumberedPictures, whatever its size has become."""
    height, width = image.shape[:2]
    number = 0
    for bit in range(_BITS):
        row, column = divmod(bit, _COLUMNS)
        y, x = round((row + 0.5) * height / _ROWS), round((column + 0.5) * width / _COLUMNS)
        number |= int(image[y - 2 : y + 3, x - 2 : x + 3].mean() > 127) << bit
    return number


class Watching:
    """Reads a stream in a thread, as an edge does: after an error it connects again. Use as a context manager."""

    def __init__(self, url: str, *, timeout_s: float = 1.5) -> None:
        self.frames: list[Frame] = []
        self.errors: list[SourceError] = []
        self._settings = CameraSettings(
            url=url, fps=60, open_timeout_s=4.0, read_timeout_s=timeout_s, stall_after_s=timeout_s
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "Watching":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(20)

    def wait_for_frames(self, count: int, *, timeout_s: float = 15.0) -> list[Frame]:
        """The next `count` frames from now on."""
        before = len(self.frames)
        wait_until(lambda: len(self.frames) >= before + count, f"{count} frames", timeout_s=timeout_s)
        return self.frames[before : before + count]

    def wait_for_error(self, *, timeout_s: float = 15.0) -> SourceError:
        """The next error from now on."""
        before = len(self.errors)
        wait_until(lambda: len(self.errors) > before, "an error of the source", timeout_s=timeout_s)
        return self.errors[before]

    def _watch(self) -> None:
        while not self._stop.is_set():
            try:
                with open_source(CameraId("cam"), self._settings, realtime=True) as source:
                    for frame in source:
                        self.frames.append(frame)
                        if self._stop.is_set():
                            return
            except SourceError as error:
                self.errors.append(error)
                self._stop.wait(0.1)


def wait_until(condition, what: str, *, timeout_s: float = 10.0) -> None:
    """Poll until the condition holds; AssertionError after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    tick = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s:g} s: {what}"
        tick.wait(0.02)

"""A camera's own thread: takes pictures when their time has come, and encodes them."""

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from passerby.arrays import Image
from simulation.rtsp.coding import CodedPicture, Coding, Encoder
from simulation.rtsp.packets import SECOND_NS
from simulation.rtsp.pictures import FrameClock, PictureSource

_MAX_UNDELIVERED = 4
"""Coded pictures that nobody has fetched yet; beyond it the camera leaves pictures out."""

_WAIT_S = 1.0
_JOIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Orders:
    """What the camera is to do from its next picture on."""

    coding: Coding
    running: bool = False
    part: float = 1.0
    """Only this share of the pictures is taken, evenly spread."""


@dataclass(frozen=True, slots=True)
class TakenPicture:
    """A coded picture, its number on the frame clock, and what its decoder must know."""

    index: int
    coded: CodedPicture
    coding: Coding
    parameter_sets: tuple[bytes, ...]


class Camera:
    """Takes and encodes pictures in real time while its orders say so; one that is late is left out, not delayed.

    `deliver` is called on the camera's thread for each picture, and `received` answers it; `ended` is called last,
    after `stop` or when the source has failed.
    """

    def __init__(
        self,
        source: PictureSource,
        *,
        name: str,
        clock: FrameClock,
        orders: Orders,
        deliver: Callable[[TakenPicture], None],
        ended: Callable[[], None],
    ) -> None:
        self._source = source
        self._fps = source.fps
        self._clock = clock
        self._orders = orders
        self._deliver = deliver
        self._ended = ended
        self._changed = threading.Condition()
        self._stopped = False
        self._keyframe_wanted = False
        self._undelivered = 0
        self._next_index: int | None = None
        self.skipped = 0
        """Pictures left out because rendering or delivery was behind."""
        self._thread = threading.Thread(target=self._run, name=f"camera {name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for the picture in the making, for at most 10 s."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join(_JOIN_S)

    def order(self, orders: Orders, *, keyframe: bool = False) -> None:
        """Do this from now on; `keyframe`: the next picture must be one."""
        with self._changed:
            self._orders = orders
            self._keyframe_wanted |= keyframe
            self._changed.notify()

    def received(self) -> None:
        """A delivered picture has been fetched."""
        with self._changed:
            self._undelivered -= 1
            self._changed.notify()

    def _run(self) -> None:
        with contextlib.ExitStack() as last:
            last.callback(self._ended)
            encoder: Encoder | None = None
            try:
                while (turn := self._wait_for_turn()) is not None:
                    index, keyframe, coding = turn
                    if encoder is None or encoder.coding != coding:
                        if encoder is not None:
                            encoder.close()
                        encoder = Encoder(coding)
                    coded = encoder.encode(_resized(self._source.picture(index), coding), keyframe=keyframe)
                    self._deliver(TakenPicture(index, coded, coding, encoder.parameter_sets))
            finally:
                if encoder is not None:
                    encoder.close()

    def _wait_for_turn(self) -> tuple[int, bool, Coding] | None:
        """Wait until a picture is to be taken: its number, whether it must be a keyframe, its coding. None: the end."""
        with self._changed:
            while not self._stopped:
                if not self._orders.running:
                    self._next_index = None
                    self._changed.wait(_WAIT_S)
                    continue
                now_ns = self._clock.now_ns()
                latest = self._clock.index_at(now_ns, fps=self._fps)
                if self._next_index is None:
                    self._next_index = max(0, latest + 1)
                if latest < self._next_index:
                    due_ns = self._clock.captured_at_ns(self._next_index, fps=self._fps)
                    self._changed.wait(min(_WAIT_S, (due_ns - now_ns) / SECOND_NS))
                    continue
                self.skipped += latest - self._next_index
                self._next_index = latest + 1
                if self._undelivered >= _MAX_UNDELIVERED:
                    self.skipped += 1
                elif _is_chosen(latest, self._orders.part):
                    self._undelivered += 1
                    keyframe, self._keyframe_wanted = self._keyframe_wanted, False
                    return latest, keyframe, self._orders.coding
        return None


def _is_chosen(index: int, part: float) -> bool:
    """Whether picture `index` belongs to an evenly spread share of all.

    >>> [index for index in range(12) if _is_chosen(index, 0.25)]
    [3, 7, 11]
    """
    return int((index + 1) * part) > int(index * part)


def _resized(image: Image, coding: Coding) -> Image:
    if image.shape[:2] == (coding.height, coding.width):
        return image
    return np.asarray(cv2.resize(image, (coding.width, coding.height), interpolation=cv2.INTER_AREA), np.uint8)

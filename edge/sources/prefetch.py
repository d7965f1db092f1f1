"""Decoding ahead: the next frames are decoded while the networks look at this one."""

import queue
import threading
from collections.abc import Generator

from edge.frames import Frame
from edge.sources.source import FrameSource
from passerby.errors import SourceTimeoutError

_PUT_S = 0.1


def prefetch(source: FrameSource, *, frames: int = 4, timeout_s: float = 60.0) -> Generator[Frame]:
    """Every frame of `source`, in order, at most `frames` of them decoded ahead by a thread of its own.

    For recordings that are read as fast as possible. What the source raises is raised here, after the frames before
    it; SourceTimeoutError if the thread gives nothing for `timeout_s`. Closing the iterator ends the thread; the
    source remains the caller's to close.
    """
    waiting: queue.Queue[Frame | BaseException | None] = queue.Queue(frames)
    closed = threading.Event()

    def put(item: Frame | BaseException | None) -> bool:
        while not closed.is_set():
            try:
                waiting.put(item, timeout=_PUT_S)
            except queue.Full:
                continue
            return True
        return False

    def decode() -> None:
        try:
            for frame in source:
                if not put(frame):
                    return
        except BaseException as error:  # noqa: BLE001 - it is raised where the frames are read, whatever it is
            put(error)
        else:
            put(None)

    thread = threading.Thread(target=decode, name="prefetch", daemon=True)
    thread.start()
    try:
        while True:
            try:
                item = waiting.get(timeout=timeout_s)
            except queue.Empty:
                raise SourceTimeoutError(f"the decoder gave nothing for {timeout_s:g} s") from None
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        closed.set()
        thread.join(timeout_s)

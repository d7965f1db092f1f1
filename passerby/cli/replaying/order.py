"""Frames of several recordings in the order in which the cameras took them."""

import heapq
import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from types import TracebackType

from edge.frames import Frame
from edge.sources import FrameSource

_AHEAD = 8
"""Decoded frames that wait per camera: enough to keep a decoder busy during inference, few enough for memory."""

_PATIENCE_S = 0.2


class ReadAhead:
    """Iterates over a source whose decoding runs in a thread of its own, at most `_AHEAD` frames in front."""

    def __init__(self, source: FrameSource, *, name: str) -> None:
        self._source = source
        self._queue: queue.Queue[Frame | Exception | None] = queue.Queue(_AHEAD)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read, name=f"read-{name}", daemon=True)

    def __enter__(self) -> "ReadAhead":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def __iter__(self) -> Iterator[Frame]:
        while True:
            item = self._queue.get()
            if item is None:
                return
            if isinstance(item, Exception):
                raise item
            yield item

    def _read(self) -> None:
        with self._source as source:
            try:
                for frame in source:
                    if not self._put(frame):
                        return
            except Exception as error:  # noqa: BLE001 - not swallowed: raised where the frames are read
                self._put(error)
            else:
                self._put(None)

    def _put(self, item: Frame | Exception | None) -> bool:
        while not self._stopped.is_set():
            try:
                self._queue.put(item, timeout=_PATIENCE_S)
            except queue.Full:
                continue
            return True
        return False


def simultaneous_frames(sources: Sequence[FrameSource]) -> Iterator[list[Frame]]:
    """All frames of all sources in capture order; those of the very same instant together, in the sources' order.

    Raises what the sources raise.
    """
    with ExitStack() as stack:
        readers = [stack.enter_context(ReadAhead(source, name=str(index))) for index, source in enumerate(sources)]
        together: list[Frame] = []
        for frame in heapq.merge(*readers, key=lambda frame: frame.captured_at_ns):
            if together and frame.captured_at_ns != together[0].captured_at_ns:
                yield together
                together = []
            together.append(frame)
        if together:
            yield together

"""Frames of several recordings in the order in which the cameras took them."""

import heapq
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing

from edge.frames import Frame
from edge.sources import FrameSource
from edge.sources.prefetch import prefetch


def simultaneous_frames(sources: Sequence[FrameSource]) -> Iterator[list[Frame]]:
    """All frames of all sources in capture order; those of the very same instant together, in the sources' order.

    Each source is decoded ahead by a thread of its own, and closed at the end. Raises what the sources raise.
    """
    with ExitStack() as opened:
        readers = [opened.enter_context(closing(prefetch(opened.enter_context(source)))) for source in sources]
        together: list[Frame] = []
        for frame in heapq.merge(*readers, key=lambda frame: frame.captured_at_ns):
            if together and frame.captured_at_ns != together[0].captured_at_ns:
                yield together
                together = []
            together.append(frame)
        if together:
            yield together

"""Measuring a stream while it is read."""

from edge.sources.source import Traffic


class TrafficMeter:
    """Adds up packets. Those without a time of their own count, but lengthen nothing."""

    def __init__(self) -> None:
        self._packets = self._size = self._keyframes = 0
        self._span: tuple[int, int] | None = None
        self._keyframe_span: tuple[int, int] | None = None

    def add(self, size: int, *, time_ns: int | None, keyframe: bool) -> None:
        """A packet of `size` bytes came; `time_ns` is its decoding time in the stream."""
        self._packets += 1
        self._size += size
        if time_ns is None:
            return
        self._span = _extended(self._span, time_ns)
        if keyframe:
            self._keyframes += 1
            self._keyframe_span = _extended(self._keyframe_span, time_ns)

    def traffic(self) -> Traffic:
        """What has come so far."""
        return Traffic(self._packets, self._size, _length(self._span), self._keyframes, _length(self._keyframe_span))


def _extended(span: tuple[int, int] | None, time_ns: int) -> tuple[int, int]:
    return (time_ns, time_ns) if span is None else (min(span[0], time_ns), max(span[1], time_ns))


def _length(span: tuple[int, int] | None) -> int:
    return 0 if span is None else span[1] - span[0]

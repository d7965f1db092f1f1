"""The detector at work on the next frames while this turn's people are tracked, cropped and embedded."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType

from edge.frames import Frame
from edge.pipeline import CameraPipeline
from passerby.arrays import Detections
from passerby.inference import DetectionEngine


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """Frames of several cameras with the people in them: `detections[i]` belong to `work[i]`."""

    work: Sequence[tuple[CameraPipeline, Frame]]
    detections: Sequence[Detections]


class DetectionAhead:
    """Runs a detector in one thread of its own, at most one turn ahead. Not thread-safe itself.

    Tracking leaves the networks' cores idle for a moment each turn; so they begin with the next turn meanwhile.
    Leaving the `with` block closes it.
    """

    def __init__(self, detector: DetectionEngine) -> None:
        self._detector = detector
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="detect")
        self._pending: tuple[Sequence[tuple[CameraPipeline, Frame]], Future[list[Detections]]] | None = None

    @property
    def busy(self) -> bool:
        """Whether a turn has been begun whose result was not taken yet."""
        return self._pending is not None

    def exchange(self, work: Sequence[tuple[CameraPipeline, Frame]]) -> Turn | None:
        """Begin with `work` (nothing where it is empty); the turn that was begun before, once it is done.

        Raises what the detector raised for that turn.
        """
        former, self._pending = self._pending, None
        if work:
            self._pending = (work, self._thread.submit(self._detector.detect, [frame.image for _, frame in work]))
        return None if former is None else Turn(former[0], former[1].result())

    def close(self) -> None:
        """Wait for the detector; a turn that was not taken is forgotten."""
        self._thread.shutdown()

    def __enter__(self) -> "DetectionAhead":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def detected(turns: Iterable[Sequence[tuple[CameraPipeline, Frame]]], *, detector: DetectionEngine) -> Iterator[Turn]:
    """Every turn with its people, in order: for recordings, where the next frames are always there."""
    with DetectionAhead(detector) as ahead:
        for work in turns:
            turn = ahead.exchange(work)
            if turn is not None:
                yield turn
        last = ahead.exchange(())
        if last is not None:
            yield last

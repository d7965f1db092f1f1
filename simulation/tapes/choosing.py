"""Which pictures a tracklet is remembered by, as an edge chooses them: the best ones, apart in time."""

from dataclasses import dataclass

from passerby.arrays import Float32Array, Int64Array

CROPS_PER_TRACKLET = 5
"""An edge's default."""

MIN_QUALITY = 0.2
"""A picture below it says nothing about who it is."""

_MIN_GAP_NS = 400_000_000
_CLEARLY_BETTER = 0.05


@dataclass(frozen=True, slots=True)
class Choice:
    """A kept picture: its number within the tracklet, from 1, and its row in the tracklet."""

    crop_id: int
    row: int


class Chosen:
    """The kept pictures of one growing tracklet, of which `captured_at_ns` (n,) and `quality` (n,) are known.

    A picture near in time to a kept one can only take its place, and only if it is clearly better; one far from all
    takes a free place or the worst one's.
    """

    def __init__(self, captured_at_ns: Int64Array, quality: Float32Array) -> None:
        self._times: list[int] = captured_at_ns.tolist()
        self._quality: list[float] = quality.tolist()
        self._kept: list[Choice] = []
        self._next_id = 1
        self._began_ns: int | None = None

    def __len__(self) -> int:
        return len(self._kept)

    def ranked(self) -> list[Choice]:
        """As they now stand, best first; the older one first of equals."""
        return sorted(self._kept, key=lambda one: (-self._quality[one.row], one.crop_id))

    def offer(self, row: int) -> None:
        """Keep the picture of a row if it is wanted; rows are offered in order."""
        quality, time = self._quality[row], self._times[row]
        if quality < MIN_QUALITY:
            return
        began = time if self._began_ns is None else self._began_ns
        gap = max(_MIN_GAP_NS, (time - began) // (2 * CROPS_PER_TRACKLET))
        near = [one for one in self._kept if abs(time - self._times[one.row]) < gap]
        if near or len(self._kept) >= CROPS_PER_TRACKLET:
            # Of neighbours it must beat the best, or a good picture would be lost to a fair one nearby.
            rival = max(near, key=self._quality_of) if near else min(self._kept, key=self._quality_of)
            if quality <= self._quality[rival.row] + _CLEARLY_BETTER:
                return
            self._kept.remove(rival)
        self._began_ns = began
        self._kept.append(Choice(self._next_id, row))
        self._next_id += 1

    def _quality_of(self, one: Choice) -> float:
        return self._quality[one.row]

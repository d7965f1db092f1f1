"""The few crops that a tracklet is remembered by: the best ones, spread over its time."""

from collections.abc import Sequence
from dataclasses import dataclass

from passerby.arrays import Float32Array, Image

_MIN_GAP_NS = 400_000_000
_CLEARLY_BETTER = 0.05
"""A crop takes another's place only if its quality is higher by this; each exchange costs an embedding."""


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """One kept picture of a person. `crop_id` is unique within the tracklet, from 1; `quality` in 0-1."""

    crop_id: int
    captured_at_ns: int
    box_xyxy: Float32Array
    quality: float
    image: Image


class BestCrops:
    """At most `limit` crops. Two of them are at least a gap apart in time, which grows as the tracklet does.

    A crop near in time to a kept one can only take that one's place; one far from all takes a free place or the
    worst one's.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._crops: list[Crop] = []
        self._next_id = 1
        self._began_ns: int | None = None

    def __len__(self) -> int:
        return len(self._crops)

    def ranked(self) -> list[Crop]:
        """The crops as they now stand, best first; the older one first of equals."""
        return sorted(self._crops, key=lambda crop: (-crop.quality, crop.crop_id))

    def wants(self, captured_at_ns: int, quality: float) -> bool:
        """Whether a crop of this quality would be kept; asked first with an upper bound, it saves the pixels' work."""
        return self._place(captured_at_ns, quality)[0]

    def add(self, captured_at_ns: int, box_xyxy: Float32Array, *, quality: float, image: Image) -> bool:
        """Keep the crop if it is wanted; `image` is copied then."""
        wanted, rival = self._place(captured_at_ns, quality)
        if not wanted:
            return False
        if rival is not None:
            self._crops.remove(rival)
        if self._began_ns is None:
            self._began_ns = captured_at_ns
        self._crops.append(Crop(self._next_id, captured_at_ns, box_xyxy.copy(), quality, image.copy()))
        self._next_id += 1
        return True

    def keep_only(self, crops: Sequence[Crop]) -> None:
        """Have these, and no others: what was kept at an earlier time."""
        self._crops = list(crops)

    def _place(self, captured_at_ns: int, quality: float) -> tuple[bool, Crop | None]:
        """Whether there is a place for it, and whose it would take (None: a free one)."""
        if not quality > 0:
            return False, None
        began = captured_at_ns if self._began_ns is None else self._began_ns
        gap = max(_MIN_GAP_NS, (captured_at_ns - began) // (2 * self._limit))
        near = [crop for crop in self._crops if abs(captured_at_ns - crop.captured_at_ns) < gap]
        if not near and len(self._crops) < self._limit:
            return True, None
        # Of neighbours it must beat the best, or a good crop would be lost to a fair one nearby.
        rival = max(near, key=_quality) if near else min(self._crops, key=_quality)
        return quality > rival.quality + _CLEARLY_BETTER, rival


def _quality(crop: Crop) -> float:
    return crop.quality

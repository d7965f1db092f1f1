"""Two people who have crossed, waiting to be compared with what they looked like before."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edge.exemplars import Crop
from edge.frames import Frame
from edge.tracklets import Tracklet
from passerby.arrays import Float32Array
from passerby.features.crossings import Crossing
from passerby.features.exchanges import Leanings, leanings, mean_look

MIN_QUALITY_AFTER = 0.3
"""Of the crop that speaks for somebody after a crossing: half as much again as of one among others."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """A crossing that waits for the embeddings of `crops`; those in `known` have theirs.

    `tracklets[i]` is that of `crossing.keys[i]`, None if it is closed.
    """

    frame: Frame
    crossing: Crossing[Crop]
    tracklets: tuple[Tracklet | None, Tracklet | None]
    known: Mapping[Crop, Float32Array]
    crops: list[Crop]

    @classmethod
    def of(cls, frame: Frame, crossing: Crossing[Crop], *, tracklets: Mapping[int, Tracklet]) -> "Comparison":
        """What has to be embedded to judge a crossing, by the open tracklets of its keys."""
        theirs = tracklets.get(crossing.keys[0]), tracklets.get(crossing.keys[1])
        known = {crop: row for one in theirs if one is not None for crop, row in one.known_embeddings().items()}
        pictures = [
            crop for kept, after in zip(crossing.before, crossing.after, strict=True) for crop in (*kept, after)
        ]
        crops = [crop for crop in pictures if crop is not None and crop not in known]
        return cls(frame, crossing, theirs, known, crops)

    def with_embeddings(self, embeddings: Float32Array) -> dict[Crop, Float32Array]:
        """All of its crops with their embeddings; `embeddings` (n, d) raw, row i of `crops[i]`."""
        return {**self.known, **dict(zip(self.crops, embeddings, strict=True))}

    def leanings(self, embedded: Mapping[Crop, Float32Array]) -> Leanings:
        """How the two look now."""
        before = np.stack([mean_look(np.stack([embedded[crop] for crop in kept])) for kept in self.crossing.before])
        after = np.zeros_like(before)
        for side, crop in enumerate(self.crossing.after):
            if crop is not None:
                after[side] = mean_look(embedded[crop][None])
        return leanings(before, after)

"""Lines that show both networks: ROC, similarities, searches of the guard set. Numbers only; a report draws them."""

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from passerby.adaptation.verdict import Line, Picture
from passerby.arrays import Float32Array
from training.gate.guarding import CMC_RANKS, GuardSearch
from training.gate.seeing import Seen

Model: TypeAlias = Literal["before", "after"]

_RATES = np.geomspace(1e-3, 1.0, 61)
_BINS = 40


def site_pictures(before: Seen, after: Seen) -> list[Picture]:
    """Of the known pairs; none where there are none of both kinds."""
    if not len(before.one) or not len(before.two):
        return []
    models: tuple[tuple[Model, Seen], ...] = (("before", before), ("after", after))
    return [
        Picture(
            name="ROC",
            about="Early and late pictures of one tracklet, against two people seen at once.",
            x_label="two people taken for one",
            y_label="one tracklet recognized",
            lines=[
                Line(name=model, model=model, x=_RATES.tolist(), y=_true_positives(seen.one, seen.two))
                for model, seen in models
            ],
            log_x=True,
        ),
        *(
            Picture(
                name=f"similarities {model}",
                about=f"Cosine similarities of the same pairs, {model} the adaptation.",
                x_label="cosine similarity",
                y_label="share of pairs",
                lines=[
                    _histogram(name, model, values)
                    for name, values in (("one tracklet", seen.one), ("two people", seen.two))
                ],
                steps=True,
            )
            for model, seen in models
        ),
    ]


def guard_picture(name: str, before: GuardSearch, after: GuardSearch) -> Picture:
    """CMC of both."""
    ranks = [float(rank) for rank in range(1, CMC_RANKS + 1)]
    return Picture(
        name=f"CMC, {name}",
        about="How often somebody of the guard set is among the first found, normalized by camera.",
        x_label="rank",
        y_label="searches with a match up to it",
        lines=[
            Line(name="before", model="before", x=ranks, y=_rounded(before.cmc)),
            Line(name="after", model="after", x=ranks, y=_rounded(after.cmc)),
        ],
    )


def _true_positives(one: Float32Array, two: Float32Array) -> list[float]:
    """At each of the rates: as many of two people are accepted at most."""
    falling = np.sort(two)[::-1]
    allowed = np.floor(_RATES * len(falling) + 1e-9).astype(np.int64)
    # More alike than the first that must not be accepted.
    above = np.append(falling, -np.inf)[np.minimum(allowed, len(falling))]
    return _rounded((one[None, :] > above[:, None]).mean(axis=1))


def _histogram(name: str, model: Model, values: Float32Array) -> Line:
    counts, edges = np.histogram(np.clip(values, -1.0, 1.0), bins=_BINS, range=(-1.0, 1.0))
    return Line(name=name, model=model, x=_rounded(edges[:-1]), y=_rounded(counts / max(len(values), 1)))


def _rounded(values: NDArray[np.floating[Any]]) -> list[float]:
    rounded: list[float] = np.round(values, 4).tolist()
    return rounded

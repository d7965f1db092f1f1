"""Retrieval metrics: mean average precision, CMC and mINP, as the field's toolboxes compute them."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, assert_never

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, Int64Array, require_shape
from passerby.errors import DataError

ApDefinition: TypeAlias = Literal["torchreid", "sklearn", "layumi"]
"""Average precision of one ranking.

`torchreid` (fast-reid too): mean over the hits of the precision at each. `sklearn` (SpCL and its family): the same with
ties taken together, as `average_precision_score`. `layumi`: trapezoids under the precision-recall curve.
"""

MAX_RANK = 50
PAIRS_AT_ONCE = 4_000_000
"""Working memory of about 150 MB. Market-1501's 3368 x 15913 pairs take 8 s on two cores."""


@dataclass(frozen=True, slots=True)
class RankedImages:
    """One side of a retrieval; row i of each array is one image.

    `features` (n, d) float32 with rows of unit length; `people` (n,) and `cameras` (n,) int64.
    """

    features: Float32Array
    people: Int64Array
    cameras: Int64Array

    def __post_init__(self) -> None:
        require_shape("features", self.features, (None, None))
        require_shape("people", self.people, (len(self.features),))
        require_shape("cameras", self.cameras, (len(self.features),))
        if not np.isfinite(self.features).all():
            raise DataError("features hold NaN or infinity, expected rows of unit length")

    def __len__(self) -> int:
        return len(self.people)


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What a retrieval was worth. Fractions in 0-1, means over the queries that have a match."""

    mean_average_precision: float
    mean_inverse_negative_penalty: float
    cmc: NDArray[np.float64]
    """(50,): element r is the share of queries whose first match is among the first r + 1."""
    queries: int
    skipped_queries: int
    """Without any match in another camera: not counted."""
    gallery: int

    def rank(self, rank: int) -> float:
        """CMC at `rank`, 1 to 50."""
        if not 1 <= rank <= MAX_RANK:
            raise DataError(f"rank is {rank}, expected 1 to {MAX_RANK}")
        return float(self.cmc[rank - 1])


def evaluate_retrieval(
    query: RankedImages,
    gallery: RankedImages,
    *,
    ap: ApDefinition = "torchreid",
    pairs_at_once: int = PAIRS_AT_ONCE,
) -> Retrieval:
    """Rank the gallery for each query by cosine distance and compare with who is really on it.

    For each query the gallery images of the same person and the same camera (the query itself among them) are left
    out; ties stay in the gallery's order. `pairs_at_once` bounds the memory, and changes nothing else. Raises DataError
    for NaN, unlike dimensions, or no query with a match.
    """
    require_shape("gallery features", gallery.features, (None, query.features.shape[1]))
    rows_at_once = max(1, pairs_at_once // max(1, len(gallery)))
    precisions: list[float] = []
    penalties: list[float] = []
    first_hits = np.zeros(MAX_RANK)
    for start in range(0, len(query), rows_at_once):
        rows = slice(start, start + rows_at_once)
        distances = 1.0 - query.features[rows] @ gallery.features.T
        order = np.argsort(distances, axis=1, kind="stable")
        same_person = gallery.people[order] == query.people[rows, np.newaxis]
        kept = ~(same_person & (gallery.cameras[order] == query.cameras[rows, np.newaxis]))
        for row in range(len(order)):
            keep = kept[row]
            hits = np.flatnonzero(same_person[row][keep])
            if len(hits) == 0:
                continue
            precisions.append(_average_precision(hits, distances[row][order[row][keep]], ap=ap))
            penalties.append(len(hits) / (hits[-1] + 1))
            if hits[0] < MAX_RANK:
                first_hits[hits[0]] += 1
    counted = len(precisions)
    if counted == 0:
        raise DataError(f"none of the {len(query)} queries has a match in another camera; nothing can be measured")
    return Retrieval(
        mean_average_precision=float(np.mean(precisions)),
        mean_inverse_negative_penalty=float(np.mean(penalties)),
        cmc=np.cumsum(first_hits) / counted,
        queries=counted,
        skipped_queries=len(query) - counted,
        gallery=len(gallery),
    )


def _average_precision(hits: Int64Array, distances: Float32Array, *, ap: ApDefinition) -> float:
    """`hits` (m,): ranks of the matches from 0, rising; `distances` (n,): of the whole ranking, rising."""
    found = np.arange(1, len(hits) + 1)
    if ap == "torchreid":
        return float(np.mean(found / (hits + 1)))
    if ap == "sklearn":
        ends = np.searchsorted(distances, distances[hits], side="right")
        return float(np.mean(np.searchsorted(hits, ends, side="left") / ends))
    if ap == "layumi":
        before = np.where(hits > 0, (found - 1) / np.maximum(hits, 1), 1.0)
        return float(np.mean((before + found / (hits + 1)) / 2))
    assert_never(ap)

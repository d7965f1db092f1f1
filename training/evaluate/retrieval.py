"""Retrieval metrics: mean average precision, CMC and mINP, as the field's toolboxes compute them."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, assert_never

import numpy as np
from numpy.typing import NDArray

from passerby.arrays import Float32Array, Int64Array
from passerby.errors import DataError
from training.evaluate.distances import PAIRS_AT_ONCE, CosineDistances, Distances, RankedImages, row_blocks

ApDefinition: TypeAlias = Literal["torchreid", "sklearn", "layumi"]
"""Average precision of one ranking.

`torchreid` (fast-reid too): mean over the hits of the precision at each. `sklearn` (SpCL and its family): the same with
ties taken together, as `average_precision_score`. `layumi`: trapezoids under the precision-recall curve.
"""

MAX_RANK = 50


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
    distances: Distances | None = None,
    pairs_at_once: int = PAIRS_AT_ONCE,
) -> Retrieval:
    """Rank the gallery for each query by `distances`, the cosine's unless given, and compare with who is really on it.

    For each query the gallery images of the same person and the same camera (the query itself among them) are left
    out; ties stay in the gallery's order. `pairs_at_once` bounds the memory, and changes nothing else. Raises DataError
    for NaN, unlike dimensions, or no query with a match.
    """
    distances = distances or CosineDistances(query.features, gallery.features)
    precisions: list[float] = []
    penalties: list[float] = []
    first_hits = np.zeros(MAX_RANK)
    for rows in row_blocks(len(query), columns=len(gallery), pairs_at_once=pairs_at_once):
        block = distances(rows)
        order = np.argsort(block, axis=1, kind="stable")
        same_person = gallery.people[order] == query.people[rows, np.newaxis]
        kept = ~(same_person & (gallery.cameras[order] == query.cameras[rows, np.newaxis]))
        for row in range(len(order)):
            keep = kept[row]
            hits = np.flatnonzero(same_person[row][keep])
            if len(hits) == 0:
                continue
            precisions.append(_average_precision(hits, block[row][order[row][keep]], ap=ap))
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

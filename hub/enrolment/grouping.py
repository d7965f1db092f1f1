"""How many people a film shows: who is lost and found again at once, and looks alike, is one person."""

from collections.abc import Sequence
from math import log

import numpy as np

from hub.association.appearance import Known
from hub.association.grouping import constrained_groups
from hub.enrolment.likeness import Likeness
from hub.enrolment.posterior import SURE
from passerby.arrays import Int64Array

FOUND_AGAIN_NS = 5 * 10**9
"""Only sightings that follow each other so closely are compared. Before the statistics of a camera are known all of its
people look alike: of two films looked at, two people in the same room were as alike as one person twice."""


def people_in_film(seen: Sequence[Known], spans_ns: Sequence[tuple[int, int]], *, likeness: Likeness) -> Int64Array:
    """The person (n,) int64, from 0, of each sighting of one film; `spans_ns` say from when to when each was seen.

    Average linkage on the log-likelihood ratio of each pair, as of one camera, up to the odds of being sure: to take
    two people for one does more harm than to ask.
    """
    n = len(seen)
    evidence = np.full((n, n), np.nan)
    at_once = np.zeros((n, n), bool)
    for first in range(n):
        for second in range(first + 1, n):
            gap_ns = max(spans_ns[first][0], spans_ns[second][0]) - min(spans_ns[first][1], spans_ns[second][1])
            at_once[first, second] = at_once[second, first] = gap_ns <= 0
            if 0 < gap_ns <= FOUND_AGAIN_NS:
                pair = likeness.evidence([seen[first]], [seen[second]], seen_here=True)
                evidence[first, second] = evidence[second, first] = pair
    return constrained_groups(evidence, at_once, threshold=log(SURE / (1.0 - SURE)))

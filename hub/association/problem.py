"""What an associator is asked, and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hub.association.reasoning import Reasoning
from hub.association.thresholds import Thresholds
from passerby.arrays import require_shape
from passerby.ids import ModelId

Float64Array = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


class Outcome(Enum):
    """What became of a tracklet."""

    LINKED = "linked"
    CANDIDATE = "candidate"
    """New for now, and perhaps a known identity: for a person to say."""
    NEW = "new"


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundaries:
    """Probabilities, 0 to 1."""

    link: float = 0.9
    """From here on a tracklet is linked by itself."""
    merge: float = 0.9
    """From here on identities are merged."""
    candidate: float = 0.3
    """From here on a person is asked."""
    keep: float = 0.2
    """A link that was made is kept while it is above this: an open tracklet does not go to and fro."""


@dataclass(frozen=True, slots=True)
class LinkProblem:
    """n tracklets of one model, which may still be decided or revised, and m identities that they may belong to.

    `current` (n,) int64 is the column of the identity that a tracklet has now, -1 for none.
    `similarity` (n, m) float64 is the cosine similarity of tracklet i to the nearest prototype of identity j that is
    not tracklet i itself; NaN where there is none, or none near enough to have been found.
    `excluded` (n, m) bool: tracklet i cannot be identity j.
    `mutual_similarity` (n, n) float64 and `conflict` (n, n) bool: the same between the tracklets; symmetric, `conflict`
    false on the diagonal. Two tracklets in conflict are two people.
    """

    current: NDArray[np.int64]
    similarity: Float64Array
    excluded: BoolArray
    mutual_similarity: Float64Array
    conflict: BoolArray
    log_odds: Float64Array
    """(n, m) float64: natural logarithm of the odds of being identity j against a stranger; NaN where not known."""
    sizes: NDArray[np.int64]
    """(n, m) int64: how many tracklets identity j has, tracklet i not counted."""
    same: Float64Array
    """(n, n) float64: the probability of two tracklets on one spot being one person, whoever that is; 0 of others."""
    one: Float64Array
    """(m, m) float64, symmetric: the probability of two identities being fragments of one person; 1 on the diagonal,
    0 where it was not asked."""
    settled: BoolArray
    """(n,) bool: was not due and keeps its identity, unless it is surely another's."""
    thresholds: Thresholds
    boundaries: Boundaries

    def __post_init__(self) -> None:
        n, m = self.similarity.shape if self.similarity.ndim == 2 else (None, None)
        require_shape("similarity", self.similarity, (n, m))
        require_shape("current", self.current, (n,))
        require_shape("excluded", self.excluded, (n, m))
        require_shape("log_odds", self.log_odds, (n, m))
        require_shape("sizes", self.sizes, (n, m))
        require_shape("same", self.same, (n, n))
        require_shape("one", self.one, (m, m))
        require_shape("settled", self.settled, (n,))
        require_shape("mutual_similarity", self.mutual_similarity, (n, n))
        require_shape("conflict", self.conflict, (n, n))


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like tracklet is to an identity, and to the best other one that was possible; NaN where there is none."""

    similarity: float
    runner_up: float


@dataclass(frozen=True, slots=True)
class Assignment:
    """The decision for one tracklet of a LinkProblem.

    `identity` is a column of the problem; where it is -1, `group` says which tracklets begin a new identity together
    (same number: same new identity). `likeness` is of the identity chosen, for CANDIDATE and NEW of the nearest one
    that was possible, which is column `nearest` (-1: there is none).
    """

    outcome: Outcome
    identity: int
    group: int
    nearest: int
    likeness: Likeness
    probability: float | None = None
    """Of being the identity chosen, for CANDIDATE and NEW the nearest; None where the associator knows none."""
    best: float | None = None
    """The probability of the most probable identity, whether it was chosen or not."""
    stranger: float | None = None
    """The probability of being none of the identities."""
    beside: int = -1
    """The row of the tracklet on its spot that it goes with, whoever that is; -1: it was decided by itself."""


@dataclass(frozen=True, slots=True)
class MergeProblem:
    """n identities of which some may be one person.

    `similarity` (n, n) float64 symmetric, NaN where not compared; `excluded` (n, n) bool symmetric: two people.
    `log_odds` (n, n) float64 symmetric: natural logarithm of the odds of one person, by the evidence and how much is
    known of the larger, NaN where not known. `sizes` (n,) int64: how many tracklets each has. `young` (n,) bool: has
    not stood for long.
    """

    similarity: Float64Array
    log_odds: Float64Array
    excluded: BoolArray
    sizes: NDArray[np.int64]
    young: BoolArray
    thresholds: Thresholds
    boundaries: Boundaries

    def __post_init__(self) -> None:
        require_shape("similarity", self.similarity, (len(self.similarity), len(self.similarity)))
        require_shape("log_odds", self.log_odds, self.similarity.shape)
        require_shape("sizes", self.sizes, (len(self.similarity),))
        require_shape("excluded", self.excluded, self.similarity.shape)


class Associator(Protocol):
    """Decides. The same problem gets the same answer."""

    @property
    def reasoning(self) -> Reasoning | None:
        """Which evidence `log_odds` are to be made of; None: similarities are enough, and `log_odds` are NaN."""

    def thresholds(self, model_id: ModelId) -> Thresholds:
        """From which similarities on two tracklets of a model are to be compared, and by similarity alone linked."""

    def link(self, problem: LinkProblem) -> Sequence[Assignment]:
        """One assignment for each of the n tracklets."""

    def merge(self, problem: MergeProblem) -> NDArray[np.int64]:
        """A group number (n,) for each identity, from 0 in the order of first use: equal numbers are one person."""

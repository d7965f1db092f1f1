"""The operator's rate of false links against what came of it, pooled over sites."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scipy.stats import beta

from benchmarks.judging.links import Link
from benchmarks.judging.trying import Outcome

ALLOWED = 1.5
"""The upper bound may be so many times the rate."""

_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Share:
    """`wrong` of `all`."""

    wrong: int
    all: int

    @property
    def rate(self) -> float:
        """0-1; 0 where there is nothing."""
        return self.wrong / self.all if self.all else 0.0

    @property
    def upper(self) -> float:
        """One-sided upper bound at 95% by Clopper and Pearson (1934).

        >>> round(Share(0, 299).upper, 4), Share(0, 0).upper, Share(3, 3).upper
        (0.01, 1.0, 1.0)
        """
        if self.wrong >= self.all:
            return 1.0
        return float(beta.ppf(_CONFIDENCE, self.wrong + 1, self.all - self.wrong))


@dataclass(frozen=True, slots=True)
class Reach:
    """Of tracklets that had a true link to make, how many made it; of those linked at all, how many rightly."""

    recall: float
    precision: float


def wrong_links(outcomes: Iterable[Outcome], *, warm_up: int, merges: bool) -> Share:
    """Wrong automatic links, of those after a site's first `warm_up` tracklets; with or without `merges`."""
    links = [link for link in _after(outcomes, warm_up) if merges or not link.merge]
    return Share(sum(link.wrong for link in links), len(links))


def by_experience(outcomes: Sequence[Outcome], *, steps: Sequence[int]) -> list[tuple[int, Share]]:
    """(first tracklet, wrong links) of the links from each step to the next, merges too."""
    links = list(_after(outcomes, 0))
    found = []
    for begin, end in zip(steps, [*steps[1:], max(steps) + 10**9], strict=True):
        here = [link for link in links if begin <= link.order < end]
        found.append((begin, Share(sum(link.wrong for link in here), len(here))))
    return found


def reach(outcomes: Iterable[Outcome], *, warm_up: int) -> Reach:
    """Recall and precision of tracklets ten seconds after they ended."""
    settled = [one for outcome in outcomes for one in outcome.settled if one.order >= warm_up]
    known = [one for one in settled if one.known]
    linked = [one for one in settled if one.linked]
    return Reach(
        recall=sum(one.right for one in known) / max(len(known), 1),
        precision=sum(one.right for one in linked) / max(len(linked), 1),
    )


def reach_at_precision(levels: Sequence[Sequence[Outcome]], *, precision: float, warm_up: int) -> Reach | None:
    """The best recall among thresholds, each with its outcomes of all sites, that are as precise; None if none is."""
    found = [reach(outcomes, warm_up=warm_up) for outcomes in levels]
    return max((one for one in found if one.precision >= precision), key=lambda one: one.recall, default=None)


@dataclass(frozen=True, slots=True)
class Bin:
    """Links of which the hub said about the same: `said` is their mean probability."""

    low: float
    high: float
    said: float
    right: Share
    """How many were wrong, of how many."""


def reliability(outcomes: Iterable[Outcome], *, warm_up: int, edges: Sequence[float]) -> list[Bin]:
    """Links, merges too, by their probability; bins between `edges`, the last one closed, without empty ones."""
    links = [(link.probability, link.wrong) for link in _after(outcomes, warm_up) if link.probability is not None]
    bins = []
    for low, high in itertools.pairwise(edges):
        here = [(p, wrong) for p, wrong in links if low <= p < high or p == high == edges[-1]]
        if here:
            wrong = sum(one for _, one in here)
            bins.append(Bin(low, high, sum(p for p, _ in here) / len(here), Share(wrong, len(here))))
    return bins


def _after(outcomes: Iterable[Outcome], warm_up: int) -> Iterable[Link]:
    return (link for outcome in outcomes for link in outcome.links if link.order >= warm_up)

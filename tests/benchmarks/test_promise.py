"""Rates, bounds and reliability of links, pooled over sites."""

from math import comb

import pytest

from benchmarks.judging.diagram import reliability_svg
from benchmarks.judging.links import Link, Settled
from benchmarks.judging.promise import (
    Reach,
    Share,
    by_experience,
    reach,
    reach_at_precision,
    reliability,
    wrong_links,
)
from benchmarks.judging.sites import SiteChoice
from benchmarks.judging.trying import Outcome, Quality
from benchmarks.judging.variants import Trial


def outcome(links: list[Link], settled: list[Settled] | None = None) -> Outcome:
    return Outcome(
        site=SiteChoice("default", 1, 4, 15.0), trial=Trial("full"), versions="", decided=Quality(idf1=0.5),
        final=Quality(idf1=0.5), people=1, identities=1, tracklets=1, candidates=0, hours=1.0, cpu_s=0.0, links=links,
        settled=settled or [],
    )  # fmt: skip


@pytest.mark.parametrize(("wrong", "total"), [(0, 10), (1, 10), (5, 200), (20, 2000)])
def test_at_the_bound_so_few_wrong_ones_would_be_seen_once_in_twenty(wrong: int, total: int) -> None:
    p = Share(wrong, total).upper
    assert sum(comb(total, k) * p**k * (1 - p) ** (total - k) for k in range(wrong + 1)) == pytest.approx(0.05)


def test_links_are_pooled_after_the_warm_up_with_and_without_merges() -> None:
    sites = [
        outcome([Link(0, 0.9, True, False), Link(200, 0.9, True, False), Link(201, 0.9, True, True)]),
        outcome([Link(300, 0.99, False, False)]),
        outcome([]),
    ]
    assert wrong_links(sites, warm_up=200, merges=False) == Share(1, 2)
    assert wrong_links(sites, warm_up=200, merges=True) == Share(2, 3)
    assert wrong_links([], warm_up=0, merges=True) == Share(0, 0)
    assert by_experience(sites, steps=(0, 100, 250)) == [(0, Share(1, 1)), (100, Share(2, 2)), (250, Share(0, 1))]


def test_recall_asks_who_could_be_linked_and_precision_who_was() -> None:
    settled = [Settled(5, True, True, True), Settled(6, True, False, False), Settled(7, False, True, False)]
    assert reach([outcome([], settled)], warm_up=0) == Reach(recall=0.5, precision=0.5)
    assert reach([outcome([], settled)], warm_up=6) == Reach(recall=0.0, precision=0.0)
    assert reach([], warm_up=0) == Reach(recall=0.0, precision=0.0)


def test_the_best_recall_of_thresholds_that_are_as_precise() -> None:
    loose = [outcome([], [Settled(1, True, True, True), Settled(2, False, True, False)])]
    strict = [outcome([], [Settled(1, True, True, True), Settled(2, True, False, False)])]
    assert reach_at_precision([loose, strict], precision=0.9, warm_up=0) == Reach(recall=0.5, precision=1.0)
    assert reach_at_precision([loose, strict], precision=0.5, warm_up=0) == Reach(recall=1.0, precision=0.5)
    assert reach_at_precision([loose], precision=0.9, warm_up=0) is None
    assert reach_at_precision([], precision=0.9, warm_up=0) is None


def test_bins_hold_each_link_once_and_the_diagram_draws_them() -> None:
    links = [Link(0, p, p < 0.8, False) for p in (0.5, 0.75, 0.9, 1.0)] + [Link(0, None, True, False)]
    bins = reliability([outcome(links)], warm_up=0, edges=(0.5, 0.9, 0.95, 1.0))
    assert [(one.low, one.said, one.right) for one in bins] == [
        (0.5, 0.625, Share(2, 2)),
        (0.9, 0.9, Share(0, 1)),
        (0.95, 1.0, Share(0, 1)),
    ]
    assert reliability_svg(bins, title="four links").count("<circle") == 3
    assert reliability_svg([], title="none").startswith("<svg")

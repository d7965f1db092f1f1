"""A trial plays a site's tape and judges it; the quick figure is the formal one."""

from pathlib import Path

import msgspec
import pytest

from benchmarks.judging.sites import SiteChoice, choose_sites, tape_of
from benchmarks.judging.tables import hindsight, pages
from benchmarks.judging.trying import Outcome, try_site
from benchmarks.judging.variants import GRID, VARIANTS, Trial, trials
from simulation.kinds import KINDS

pytestmark = pytest.mark.xdist_group("trying")
"""What they share is made once."""

SITE = SiteChoice("overlapping", 4, 3, 2.0)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tapes")


@pytest.fixture(scope="module")
def outcomes(cache: Path) -> list[Outcome]:
    wanted = [Trial("full"), Trial("threshold", 0.35), Trial("threshold", 0.95)]
    return [try_site(SITE, trial, cache=cache, formal=formal) for formal in (False, True) for trial in wanted]


def test_a_tape_is_recorded_once(cache: Path) -> None:
    first = tape_of(SITE, cache)
    written = first.stat().st_mtime_ns
    assert tape_of(SITE, cache) == first
    assert first.stat().st_mtime_ns == written
    assert [one.name for one in cache.iterdir()] == [first.parent.name]


def test_the_quick_figure_is_the_formal_one(outcomes: list[Outcome]) -> None:
    for quick, formal in zip(outcomes[:3], outcomes[3:], strict=True):
        assert quick.final.idf1 == pytest.approx(formal.final.idf1, abs=0.003)
        assert quick.decided.idf1 == pytest.approx(formal.decided.idf1, abs=0.003)
        assert quick.final.hota is None
        assert formal.final.hota is not None
        assert quick.links == formal.links


def test_an_outcome_says_what_was_played(outcomes: list[Outcome]) -> None:
    full = outcomes[0]
    assert full.tracklets > 20
    assert 0 < len(full.settled) <= full.tracklets
    assert all(link.probability is not None for link in full.links)
    assert msgspec.json.decode(msgspec.json.encode(full), type=Outcome) == full


def test_hindsight_takes_the_better_threshold_with_its_formal_figures(outcomes: list[Outcome]) -> None:
    assert outcomes[2].identities > outcomes[1].identities
    best = hindsight(outcomes, "threshold")[SITE]
    assert best.final.idf1 == max(outcomes[4].final.idf1, outcomes[5].final.idf1)
    assert best.final.hota is not None
    assert hindsight(outcomes, "threshold-zscore") == {}


def test_tables_show_every_outcome(outcomes: list[Outcome]) -> None:
    text = "\n".join(page.markdown() for page in pages(outcomes[3:], warm_up=0))
    assert "| overlapping-4-3x2 | full 1% |" in text
    assert "| overlapping-4-3x2 | threshold 0." in text
    assert len(pages([], warm_up=0)) == 1


def test_sites_and_trials_are_all_that_is_asked_for() -> None:
    sites = choose_sites(list(KINDS), 3, cameras=[4, 8, 12], minutes=60)
    assert len({site.seed for site in sites}) == 15
    assert {site.cameras for site in sites} == {4, 8, 12}
    found = trials(VARIANTS, [0.005, 0.02])
    assert len(found) == len(set(found)) == 3 + 2 * len(GRID) + 4
    assert found[0] == Trial("full", 0.01)


def test_a_rendered_site_is_watched_and_judged_by_its_true_boxes(cache: Path) -> None:
    site = SiteChoice("overlapping", 4, 2, 0.15, rendered=True)
    found = try_site(site, Trial("full"), cache=cache, formal=False)
    assert site.name == "overlapping-4-2x0.15-rendered"
    assert found.tracklets >= found.people > 0
    assert found.final.idf1 > 0.3
    assert not (tape_of(site, cache).parent / "films").exists()

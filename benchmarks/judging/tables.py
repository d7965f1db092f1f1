"""The outcomes as tables: site by site, parts left out, and the promise."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import mean

from rich.console import Console
from rich.table import Table

from benchmarks.judging.promise import (
    ALLOWED,
    Bin,
    Share,
    by_experience,
    reach,
    reach_at_precision,
    reliability,
    wrong_links,
)
from benchmarks.judging.sites import SiteChoice
from benchmarks.judging.trying import Outcome
from benchmarks.judging.variants import FULL, THRESHOLDS, USUAL_RATE, WITHOUT

_EXPERIENCE = (0, 50, 100, 200, 400, 800, 1600, 3200)
_EDGES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 1.0)


@dataclass(frozen=True, slots=True)
class Page:
    """One table: headings, and rows of text."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """As documents have it."""
        lines = [self.headings, ["---"] * len(self.headings), *self.rows]
        return f"{self.title}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"

    def show(self, console: Console) -> None:
        """On a terminal."""
        table = Table(title=self.title, title_justify="left")
        for number, heading in enumerate(self.headings):
            table.add_column(heading, justify="right" if number else "left", no_wrap=True)
        for row in self.rows:
            table.add_row(*row)
        console.print(table)


def hindsight(outcomes: Iterable[Outcome], variant: str) -> dict[SiteChoice, Outcome]:
    """For each site the outcome of the threshold that was the best one there by final IDF1."""
    best: dict[SiteChoice, Outcome] = {}
    for outcome in outcomes:
        if outcome.trial.variant == variant:
            former = best.get(outcome.site)
            # Of equals the one with formal figures, which is the same trial again.
            if former is None or _rank(outcome) > _rank(former):
                best[outcome.site] = outcome
    return best


def pages(outcomes: Sequence[Outcome], *, warm_up: int) -> list[Page]:
    """Everything that these outcomes can tell."""
    found = [_sites(outcomes)]
    if any(outcome.trial.variant in WITHOUT for outcome in outcomes):
        found.append(_parts(outcomes))
    full = [outcome for outcome in outcomes if outcome.trial.variant == FULL]
    if full:
        usual = [outcome for outcome in full if outcome.trial.level == USUAL_RATE]
        found += [_promise(outcomes, warm_up=warm_up), _experience(usual), _reliability(bins(usual, warm_up=warm_up))]
    return found


def bins(outcomes: Iterable[Outcome], *, warm_up: int) -> list[Bin]:
    """The reliability of the full system's links at the usual rate."""
    usual = [one for one in outcomes if one.trial.variant == FULL and one.trial.level == USUAL_RATE]
    return reliability(usual, warm_up=warm_up, edges=_EDGES)


def _rank(outcome: Outcome) -> tuple[float, bool]:
    return round(outcome.final.idf1, 6), outcome.final.hota is not None


def _sites(outcomes: Sequence[Outcome]) -> Page:
    best = {variant: hindsight(outcomes, variant) for variant in THRESHOLDS}
    kept = [o for o in outcomes if o.trial.variant not in THRESHOLDS] + [
        o for one in best.values() for o in one.values()
    ]
    rows = [
        [
            outcome.site.name,
            outcome.trial.name,
            *_pair(outcome.decided.idf1, outcome.final.idf1),
            *_pair(outcome.decided.hota, outcome.final.hota),
            *_pair(outcome.decided.assa, outcome.final.assa),
            f"{outcome.identities}/{outcome.people}",
            _counted(wrong_links([outcome], warm_up=0, merges=False)),
            _counted(_merges(outcome)),
            f"{outcome.candidates / outcome.hours:.0f}",
            f"{outcome.cpu_s:.0f}",
        ]
        for outcome in sorted(kept, key=lambda o: (o.site.seed, o.trial.variant != FULL, o.trial.name))
    ]
    for variant in sorted({outcome.trial.variant for outcome in kept}, key=lambda name: name != FULL):
        mine = [
            o for o in kept if o.trial.variant == variant and (variant in THRESHOLDS or o.trial.level == USUAL_RATE)
        ]
        if len(mine) > 1:
            rows.append(
                [
                    f"mean of {len(mine)}",
                    variant,
                    *_pair(_mean(o.decided.idf1 for o in mine), _mean(o.final.idf1 for o in mine)),
                    *_pair(_mean(o.decided.hota for o in mine), _mean(o.final.hota for o in mine)),
                    *_pair(_mean(o.decided.assa for o in mine), _mean(o.final.assa for o in mine)),
                    "",
                    _counted(wrong_links(mine, warm_up=0, merges=False)),
                    _counted(_merges(*mine)),
                    _questions(mine),
                    f"{mean(o.cpu_s for o in mine):.0f}",
                ]
            )
    headings = (
        "site", "variant", "IDF1 decided", "final", "HOTA decided", "final", "AssA decided", "final", "identities",
        "wrong links", "wrong merges", "candidates/h", "CPU s",
    )  # fmt: skip
    return Page("Sites; thresholds are the best in hindsight", headings, rows)


def _parts(outcomes: Sequence[Outcome]) -> Page:
    """Each part left out, against the full system on the same sites."""
    full = {o.site: o for o in outcomes if o.trial.variant == FULL and o.trial.level == USUAL_RATE}
    rows = []
    for variant in WITHOUT:
        mine = [o for o in outcomes if o.trial.variant == variant and o.site in full]
        if mine:
            whole = [full[o.site] for o in mine]
            decided = [o.decided.idf1 - full[o.site].decided.idf1 for o in mine]
            final = [o.final.idf1 - full[o.site].final.idf1 for o in mine]
            rows.append(
                [
                    variant,
                    str(len(mine)),
                    f"{mean(decided):+.3f}",
                    f"{mean(final):+.3f}",
                    f"{min(final):+.3f} to {max(final):+.3f}",
                    str(sum(gain < 0 for gain in final)),
                    _counted(wrong_links(mine, warm_up=0, merges=True)),
                    _counted(wrong_links(whole, warm_up=0, merges=True)),
                    _questions(mine),
                    _questions(whole),
                ]
            )
    headings = (
        "left out", "sites", "IDF1 decided", "final", "range", "sites worse", "wrong, merges too", "full",
        "candidates/h", "full",
    )  # fmt: skip
    return Page("What a part is worth: the change in IDF1 without it", headings, rows)


def _promise(outcomes: Sequence[Outcome], *, warm_up: int) -> Page:
    rows = []
    for rate in sorted({o.trial.level for o in outcomes if o.trial.variant == FULL}):
        mine = [o for o in outcomes if o.trial.variant == FULL and o.trial.level == rate]
        alone = wrong_links(mine, warm_up=warm_up, merges=False)
        both = wrong_links(mine, warm_up=warm_up, merges=True)
        mean_reach = reach(mine, warm_up=warm_up)
        sites = {o.site for o in mine}
        known = sorted({o.trial.level for o in outcomes if o.trial.variant in THRESHOLDS})
        thresholds = []
        for variant in THRESHOLDS:
            levels = [
                [o for o in outcomes if (o.trial.variant, o.trial.level) == (variant, level) and o.site in sites]
                for level in known
            ]
            # A threshold that was not tried everywhere is not comparable.
            whole = [one for one in levels if {o.site for o in one} == sites]
            found = reach_at_precision(whole, precision=mean_reach.precision, warm_up=warm_up)
            none = "none is as precise" if whole else "-"
            thresholds.append(none if found is None else f"{found.recall:.3f}")
        rows.append(
            [
                f"{100 * rate:g}%",
                _counted(alone),
                f"{100 * alone.upper:.2f}%",
                _counted(both),
                f"{100 * both.upper:.2f}%",
                f"{100 * ALLOWED * rate:g}%",
                "yes" if max(alone.upper, both.upper) <= ALLOWED * rate else "no",
                f"{mean_reach.recall:.3f}",
                f"{mean_reach.precision:.3f}",
                *thresholds,
                _questions(mine),
            ]
        )
    headings = (
        "false_link_rate", "wrong links", "upper bound", "merges too", "upper bound", "allowed", "kept", "recall",
        "precision", *(f"recall of {variant}" for variant in THRESHOLDS), "candidates/h",
    )  # fmt: skip
    return Page(f"The promise, pooled over sites, after {warm_up} tracklets of each", headings, rows)


def _experience(outcomes: Sequence[Outcome]) -> Page:
    rows = [
        [f"from {begin}", _counted(share), f"{100 * share.upper:.2f}%"]
        for begin, share in by_experience(outcomes, steps=_EXPERIENCE)
        if share.all
    ]
    title = f"Wrong links and merges by how many tracklets the site had seen, at {100 * USUAL_RATE:g}%"
    return Page(title, ("tracklets", "wrong", "upper bound"), rows)


def _reliability(found: Sequence[Bin]) -> Page:
    rows = [
        [
            f"{one.low:g}-{one.high:g}",
            str(one.right.all),
            f"{one.said:.4f}",
            f"{1 - one.right.rate:.4f}",
            str(one.right.wrong),
        ]
        for one in found
    ]
    title = f"Reliability of links and merges, at {100 * USUAL_RATE:g}%"
    return Page(title, ("probability", "links", "said", "right", "wrong"), rows)


def _merges(*outcomes: Outcome) -> Share:
    merges = [link for outcome in outcomes for link in outcome.links if link.merge]
    return Share(sum(link.wrong for link in merges), len(merges))


def _counted(share: Share) -> str:
    return f"{share.wrong}/{share.all} ({100 * share.rate:.2f}%)" if share.all else "0/0"


def _mean(values: Iterable[float | None]) -> float | None:
    known = list(values)
    return None if None in known or not known else mean(value for value in known if value is not None)


def _questions(outcomes: Sequence[Outcome]) -> str:
    """An hour, on average."""
    return f"{mean(o.candidates / o.hours for o in outcomes):.0f}"


def _pair(decided: float | None, final: float | None) -> tuple[str, str]:
    return ("-" if decided is None else f"{decided:.3f}", "-" if final is None else f"{final:.3f}")

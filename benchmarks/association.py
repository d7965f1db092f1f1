"""How well does the hub associate, against the best threshold in hindsight and without its parts; is its promise kept?

    python -m benchmarks.association [--seeds 3] [--minutes 60] [--kinds default,crowded] [--cameras 4,8,12]
        [--variants full,threshold] [--rates .005,.01,.02,.05] [--thresholds .4,.5] [--warm-up 200] [--quick] [--jobs 2]
        [--rendered [--reid NAME]] [--json FILE] [--markdown FILE] [--diagram FILE] [--cache FOLDER]

Simulated sites of the frozen kinds, seeds from 5001, never used in development. Each is recorded as a tape once and
played to hubs in memory that decide in different ways (`--variants`): `full`, at each of the `--rates` of false links;
`threshold` and `threshold-zscore`, one cosine threshold after the other, of which the best one of each site is chosen
with hindsight (normalize none and camera); `no-...`, one part left out. IDF1, HOTA and AssA are over all cameras, as
decided two seconds after a frame and as finally known; `--quick` leaves HOTA and AssA out.

With `--rendered` sites are rendered as films, and an edge with the embedded detector and network (or with another one,
`--reid person-reidentification-retail-0288`) watches them: who is who in its tracklets is told by the true boxes. That
takes about as long as the films last.

A link is wrong when the majority of the identity's other tracklets is another person at that moment. `--json` keeps
outcomes as lines and goes on from there: what is in the file, of the same versions, is not tried again.
"""

import argparse
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import TextIO

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import msgspec  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: E402

from benchmarks.judging.diagram import reliability_svg  # noqa: E402
from benchmarks.judging.sites import EMBEDDED, FIRST_SEED, SiteChoice, choose_sites, default_cache, tape_of  # noqa: E402
from benchmarks.judging.tables import bins, hindsight, pages  # noqa: E402
from benchmarks.judging.trying import Outcome, try_site, versions  # noqa: E402
from benchmarks.judging.variants import FULL, GRID, THRESHOLDS, VARIANTS, Trial, trials  # noqa: E402
from passerby.errors import PasserbyError  # noqa: E402
from simulation.kinds import KINDS  # noqa: E402

Job = tuple[SiteChoice, Trial, bool]
"""A trial of a site, and whether with trackeval's figures."""


def main() -> None:
    """Try what is not known yet, and print."""
    options = _options()
    console = Console(width=None if sys.stdout.isatty() else 220)
    sites = choose_sites(
        options.kinds,
        options.seeds,
        cameras=options.cameras,
        minutes=options.minutes,
        first_seed=options.first_seed,
        rendered=options.rendered,
        reid=options.reid,
    )
    wanted = trials(options.variants, options.rates, thresholds=options.thresholds)
    mine = {(site, trial) for site in sites for trial in wanted}
    outcomes = [o for o in _former(options.json) if (o.site, o.trial) in mine]
    lines = None if options.json is None else options.json.open("a", encoding="utf-8")
    console.print(f"{versions()}; {len(sites)} sites of {options.minutes:g} minutes")
    # Thresholds are many and compared by IDF1; all else, and then the best of them, gets the dear figures too.
    first = [(site, trial, trial.variant not in THRESHOLDS and not options.quick) for site in sites for trial in wanted]
    outcomes += _try_all(first, outcomes, options=options, lines=lines, console=console)
    if not options.quick:
        best = [o for variant in THRESHOLDS for o in hindsight(outcomes, variant).values()]
        second = [(o.site, o.trial, True) for o in sorted(best, key=lambda o: o.site.seed)]
        outcomes += _try_all(second, outcomes, options=options, lines=lines, console=console)
    outcomes = _best_known(outcomes)
    found = pages(outcomes, warm_up=options.warm_up)
    for page in found:
        page.show(console)
    if options.markdown:
        options.markdown.write_text("\n".join(page.markdown() for page in found), encoding="utf-8")
    if options.diagram:
        title = f"{len(sites)} sites, {options.minutes:g} min, after {options.warm_up} tracklets; {versions()}"
        options.diagram.write_text(
            reliability_svg(bins(outcomes, warm_up=options.warm_up), title=title), encoding="utf-8"
        )


def _try_all(
    jobs: Sequence[Job],
    known: Iterable[Outcome],
    *,
    options: argparse.Namespace,
    lines: TextIO | None,
    console: Console,
) -> list[Outcome]:
    """The outcomes of those jobs that are not `known`, each written to `lines` as soon as it is there."""
    done = {(o.site, o.trial, formal) for o in known for formal in {False, o.final.hota is not None}}
    left = [job for job in jobs if job not in done]
    found: list[Outcome] = []
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console
    )
    context = multiprocessing.get_context("spawn")
    with bar, ProcessPoolExecutor(options.jobs, mp_context=context) as pool:
        sites = sorted({site for site, _, _ in left}, key=_size, reverse=True)
        # All tapes come first: many trials of one site would each begin to record it.
        recorded = [pool.submit(tape_of, site, options.cache) for site in sites]
        for tape in bar.track(as_completed(recorded), total=len(sites), description="tapes"):
            tape.result()
        task = bar.add_task("trials", total=len(left))
        running = [
            pool.submit(try_site, site, trial, cache=options.cache, formal=full)
            for site, trial, full in sorted(left, key=_cheap_last)
        ]
        for future in as_completed(running):
            outcome = future.result()
            found.append(outcome)
            bar.advance(task)
            console.print(
                f"{outcome.site.name} {outcome.trial.name}: IDF1 {outcome.decided.idf1:.3f}, {outcome.final.idf1:.3f}"
            )
            if lines is not None:
                lines.write(msgspec.json.encode(outcome).decode() + "\n")
                lines.flush()
    return found


def _size(site: SiteChoice) -> float:
    return site.cameras * site.minutes


def _cheap_last(job: Job) -> tuple[bool, float]:
    """Begun last, short trials leave no process waiting for a long one."""
    site, trial, _ = job
    return trial.variant in THRESHOLDS, -_size(site)


def _former(file: Path | None) -> list[Outcome]:
    """What a file holds of the present versions."""
    if file is None or not file.is_file():
        return []
    with file.open("rb") as lines:
        known = [msgspec.json.decode(line, type=Outcome) for line in lines if line.strip()]
    return [outcome for outcome in known if outcome.versions == versions()]


def _best_known(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """One outcome for each site and trial, by name: the one with all figures where there is one."""
    found: dict[tuple[SiteChoice, Trial], Outcome] = {}
    for outcome in outcomes:
        key = (outcome.site, outcome.trial)
        if key not in found or outcome.final.hota is not None:
            found[key] = outcome
    return [found[key] for key in sorted(found, key=lambda key: (key[0].seed, key[0].name, key[1].name))]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="sites of each kind")
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--rendered", action="store_true", help="films, which a detector and a network look at")
    parser.add_argument("--reid", default=EMBEDDED, help="the network that looks at films")
    parser.add_argument("--kinds", type=_names(tuple(KINDS)), default=list(KINDS))
    parser.add_argument("--cameras", type=lambda text: [int(one) for one in text.split(",")], default=[4, 8, 12])
    parser.add_argument("--variants", type=_names(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--rates", type=_numbers, default=[0.005, 0.01, 0.02, 0.05])
    parser.add_argument("--thresholds", type=_numbers, default=list(GRID), help="cosine similarities to choose from")
    parser.add_argument("--warm-up", type=int, default=200, help="tracklets of a site before the promise counts")
    parser.add_argument("--quick", action="store_true", help="IDF1 alone")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--diagram", type=Path)
    parser.add_argument("--cache", type=Path, default=default_cache())
    options = parser.parse_args()
    if FULL in options.variants and not options.rates:
        parser.error("--rates names none, expected at least one, as .01")
    return options


def _numbers(text: str) -> list[float]:
    return [float(one) for one in text.split(",")]


def _names(known: Sequence[str]) -> Callable[[str], list[str]]:
    """A parser of names with commas between."""

    def parse(text: str) -> list[str]:
        names = text.split(",")
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
        return names

    return parse


if __name__ == "__main__":
    try:
        main()
    except PasserbyError as error:
        sys.exit(str(error))

"""What is an adaptation without labels worth: on real crops, where it is hard, and on simulated sites?

    python -m benchmarks.adaptation real [--minutes 8] [--seeds 1,2,3] [--recipes learn-by-guessing,passerby]
    python -m benchmarks.adaptation hard [--minutes 2] [--seeds 1,2,3] [--recipes passerby] [--variants single,...]
    python -m benchmarks.adaptation sites [--minutes 2] [--seeds 1] [--recipes passerby] [--count 6] [--first-seed N]
    python -m benchmarks.adaptation --table real|hard|sites

--jobs N does N runs at a time, each on two cores that nothing else here uses.

`real`: OSNet x0.25 of MSMT17 and all crops and tracklets of PKU-Reid, from the test data (the folder that
PASSERBY_SHARED names, or ../shared beside the tree). `hard`: the same with images as tracklets (`single`), a tenth of
the crops in somebody else's tracklet (`wrong`), different people in each camera (`disjoint`), and judged by people who
were not adapted to (`unseen`). `sites`: the network that comes with Passerby, at simulated sites with seeds that
nothing was trained or tuned on, and with cameras whose colours are twice as far apart as where it was trained.

Each run does what `passerby adapt images --device cpu` does, in a process of its own with two threads; the finished
file is loaded as an edge loads it. Before and after it, every image searches all others, same person and camera
removed: mAP, rank-1 and mINP of plain embeddings, and (z) of embeddings z-scored by camera over the images that judge.
The last guess is judged on the images adapted to: adjusted Rand index (ARI; outliers are clusters of one), precision
and recall of pairs.

A run writes benchmarks/results/adaptation/EXPERIMENT/RUN.json, and its model in a folder beside it; a run of which
there is a result is not done again but with --again, and one that was killed goes on. --table prints the results that
there are: means over seeds (least-greatest). Exit status 1 if a run failed.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.adapting.cores import sets_of_cores
from benchmarks.adapting.subjects import VARIANTS, Subject, Variant, make_subject, variant
from benchmarks.adapting.tables import by_site, by_subject
from benchmarks.adapting.trying import THREADS, Attempt, Result, Trial, adapt_and_judge, do_all, missing, read_results
from passerby.errors import DataError, PasserbyError

if TYPE_CHECKING:
    from benchmarks.adapting.sites import SiteCrops

RESULTS = Path(__file__).parent / "results" / "adaptation"
EXPERIMENTS = ("real", "hard", "sites")
MINUTES = {"real": 8.0, "hard": 2.0, "sites": 2.0}
SEEDS = {"real": "1,2,3", "hard": "1,2,3", "sites": "1"}
RECIPES = {"real": "learn-by-guessing,passerby", "hard": "passerby", "sites": "passerby"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do the runs that are missing, and print the table."""
    options = _parse(arguments)
    if options.table:
        print("\n".join(table(options.table)))
        return 0
    results = RESULTS / options.experiment
    try:
        if options.experiment == "sites":
            failed = _sites(options, results)
        else:
            variants = ["as-given"] if options.experiment == "real" else options.variants.split(",")
            failed = _real(options, results, variants)
    except PasserbyError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(table(options.experiment)))
    for trial in failed:
        print(f"FAILED {trial.name}", file=sys.stderr)
    return 1 if failed else 0


def table(experiment: str) -> list[str]:
    """Lines of Markdown of all results of an experiment."""
    results = list(read_results(RESULTS / experiment))
    return by_site(results) if experiment == "sites" else by_subject(results)


def shared_data() -> Path:
    """The folder of the test data. Raises DataError where it is not."""
    named = os.environ.get("PASSERBY_SHARED")
    data = (Path(named) if named else Path(__file__).resolve().parents[2] / "shared") / "data"
    if not (data / "reid" / "pku-reid").is_dir():
        raise DataError(f"{data}/reid/pku-reid: no such folder; let PASSERBY_SHARED name the folder that holds data")
    return data


def _real(options: argparse.Namespace, results: Path, variants: Sequence[str]) -> list[Trial]:
    data = shared_data()
    known = {name: variant(name) for name in variants}
    attempt = partial(_try_real, known=known, root=data / "reid" / "pku-reid", cache=options.cache, results=results)
    trials = _trials(options, variants, model=str(data / "models" / "osnet_x0_25_msmt17.pth"))
    return _do(options, missing(trials, results, again=options.again), results, attempt=attempt)


def _try_real(trial: Trial, *, known: Mapping[str, Variant], root: Path, cache: Path, results: Path) -> Result:
    # A folder for each trial: another recipe may be learning from the same subject at this moment.
    subject = make_subject(known[trial.subject], root, seed=trial.seed, scratch=cache / trial.name)
    return adapt_and_judge(trial, subject, results=results)


def _sites(options: argparse.Namespace, results: Path) -> list[Trial]:
    # Here, so that real crops need nothing of what renders a site.
    from benchmarks.adapting.sites import FIRST_SEED, KINDS, choose_sites

    sites = {
        site.name: site
        for site in choose_sites(
            options.count,
            first_seed=options.first_seed or FIRST_SEED,
            minutes=options.site_minutes,
            fewest_people=options.people,
            crops=options.crops,
            kinds=(options.kinds or ",".join(KINDS)).split(","),
        )
    }
    trials = missing(_trials(options, list(sites), model="passerby-sim-reid"), results, again=options.again)
    subjects = {name: _rendered(sites[name], options.cache) for name in dict.fromkeys(each.subject for each in trials)}
    return _do(options, trials, results, attempt=partial(_try_site, subjects=subjects, results=results))


def _try_site(trial: Trial, *, subjects: Mapping[str, Subject], results: Path) -> Result:
    return adapt_and_judge(trial, subjects[trial.subject], results=results)


def _do(options: argparse.Namespace, trials: Sequence[Trial], results: Path, *, attempt: Attempt) -> list[Trial]:
    cores = sets_of_cores(options.jobs, each=THREADS) if options.jobs > 1 else []
    return do_all(trials, results, attempt=attempt, cores=cores)


def _rendered(site: "SiteCrops", cache: Path) -> Subject:
    from rich.console import Console
    from rich.progress import Progress

    from benchmarks.adapting.sites import site_subject

    with Progress(console=Console(stderr=True)) as bars:
        task = bars.add_task(f"rendering {site.name}", total=None)
        return site_subject(site, cache, progress=lambda done, total: bars.update(task, completed=done, total=total))


def _trials(options: argparse.Namespace, subjects: Sequence[str], *, model: str) -> list[Trial]:
    experiment = options.experiment
    return [
        Trial(
            experiment=experiment,
            subject=subject,
            recipe=recipe,
            model=model,
            minutes=MINUTES[experiment] if options.minutes is None else options.minutes,
            seed=int(seed),
        )
        for subject in subjects
        for recipe in (options.recipes or RECIPES[experiment]).split(",")
        for seed in (options.seeds or SEEDS[experiment]).split(",")
    ]


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", nargs="?", choices=EXPERIMENTS)
    parser.add_argument("--table", choices=EXPERIMENTS, help="only print the results that there are")
    parser.add_argument("--again", action="store_true", help="also the runs of which there is a result")
    parser.add_argument("--minutes", type=float, help="of each adaptation; real: 8, otherwise 2")
    parser.add_argument("--seeds", help="real and hard: 1,2,3; sites: 1")
    parser.add_argument("--recipes", help="real: learn-by-guessing,passerby; otherwise passerby")
    parser.add_argument("--variants", default=",".join(VARIANTS[1:]), help="of hard")
    parser.add_argument("--count", type=int, default=6, help="of sites")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time, each on two cores of its own")
    parser.add_argument("--first-seed", type=int, help="of sites; 88001, from where on none was looked at")
    parser.add_argument("--kinds", help="of sites, in turn; all")
    parser.add_argument("--site-minutes", type=float, default=10.0, help="for which a site is filmed")
    parser.add_argument("--people", type=int, default=24, help="who come to a site at least")
    parser.add_argument("--crops", type=int, default=1200, help="of a site, of stays chosen at random")
    parser.add_argument("--cache", type=Path, default=RESULTS / "cache", help="for rendered sites and variants")
    options = parser.parse_args(arguments)
    if not options.table and not options.experiment:
        parser.error("name an experiment, or --table")
    options.cache = options.cache.expanduser().resolve()
    return options


if __name__ == "__main__":
    sys.exit(main())

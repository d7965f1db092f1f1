"""What does one association cost with G identities known, how much memory is it, and does it grow slower than G?

    python -m benchmarks.association_cost [--gallery 1000,10000,100000x4] [--each 4] [--hours 12] [--quiet-minutes 10]
        [--minutes 3] [--cameras 12] [--kind crowded] [--seed 906] [--galleries FOLDER] [--json FILE] [--plot FILE.svg]

A tape of a simulated site (12 cameras, 38 messages in a batch of half a second) is cut in two. What comes first teaches
a hub ways, places and people, of whom a third are then forgotten; it knows the cameras as well as it ever does. Its
database gets a crowd, as tapes make appearance, until there are G active identities: of `--each` prototypes, or as many
as a gallery has behind its x, in one camera fewer; last seen evenly over 12 hours that ended ten minutes before the
tape. Then a new process opens the hub as at any start, live, with durable commits, and plays the rest of the tape:
people of the gallery, strangers, and those who come back. `anew`: how often statistics had moved, so that all
prototypes were measured anew.

*One association* is one tracklet that a round decides or revises, whatever comes of it. Its cost is its share of the
batch's: elapsed time of `Hub.ingest` (messages taken in, normalized, searched, weighed, assigned, learned from, merged,
written, committed) by the tracklets asked about in that batch. So p99 is of associations, not batches; consolidation,
every 20 s of the hub's time, counts with those of its batch. `batch` is how long ingest took as a whole.

Phases are seen at the hub's ports: `normalize` raw embeddings into units, `search` the store and its upkeep, `assign`
tracklets, `group` identities that are one, `write` rows into SQLite's log, `commit` until they are on disk, `else` all
that remains: taking messages in, evidence of links and of merges, learning.

Making a gallery takes longer than measuring it: with `--galleries` they are kept there and made once.

One core: set OMP_NUM_THREADS=1 and OPENBLAS_NUM_THREADS=1. Processes follow each other, none beside another.
"""

import argparse
import itertools
import multiprocessing
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from benchmarks.costing.figures import Figures, growth, of_each
from benchmarks.costing.gallery import GalleryChoice, enlarge, teach
from benchmarks.costing.picture import plot
from benchmarks.costing.playing import play
from benchmarks.judging.sites import SiteChoice, default_cache, tape_of
from hub.playback import Batch, batches
from passerby.errors import PasserbyError
from passerby.tape import read_tape
from simulation.kinds import KIND_VERSION, KINDS
from simulation.site import SimulatedSite
from simulation.tapes.networks import network_profile
from simulation.tapes.recording import DEFAULT_NETWORK
from simulation.tapes.truth import TAPE_VERSION

P50_MS, P99_MS, TARGET_IDENTITIES = 5.0, 20.0, 100_000
"""What an association may cost, elapsed, with so many identities known."""

_MADE_BY = f"kind{KIND_VERSION}-tape{TAPE_VERSION}"
"""A gallery that is kept serves as long as sites and tapes are made in the same way."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write what was asked for."""
    options = _options(arguments)
    console = Console(width=None if sys.stdout.isatty() else 160)
    site = SiteChoice(options.kind, options.seed, options.cameras, options.teach_minutes + options.minutes)
    console.print(
        f"site {site.name} (kind version {KIND_VERSION}, tape version {TAPE_VERSION}), network {DEFAULT_NETWORK}, "
        f"last seen over {options.hours:g} h until {options.quiet_minutes:g} min before the tape"
    )
    made, network = (
        SimulatedSite.make(site.kind, seed=site.seed, cameras=site.cameras),
        network_profile(DEFAULT_NETWORK),
    )
    choices = [
        GalleryChoice(count, each=each or options.each, hours=options.hours, quiet_s=60 * options.quiet_minutes)
        for count, each in options.gallery
    ]
    figures = []
    with tempfile.TemporaryDirectory(prefix="passerby-benchmark-", dir=options.scratch) as scratch:
        with _progress(console) as show:
            step = _step(show, f"teaching {options.teach_minutes:g} min")
            tape = tape_of(site, options.cache)
            lesson, _ = _cut(tape, teach_minutes=options.teach_minutes)
            teach(Path(scratch) / "taught", lesson, site=made, network=network)
            step(1.0)
        for choice in choices:
            folder = Path(scratch) / "gallery"
            kept = None if options.galleries is None else options.galleries / f"{site.name}-{_MADE_BY}-{choice.name}"
            if kept is None or not kept.exists():
                shutil.copytree(Path(scratch) / "taught", folder)
                with _progress(console) as show:
                    step = _step(show, f"{choice.identities:,}: making the gallery")
                    enlarge(folder, choice, site=made, network=network, progress=step)
                if kept is not None:
                    begun = kept.with_name(f"{kept.name}.begun")
                    shutil.rmtree(begun, ignore_errors=True)
                    shutil.copytree(folder, begun)
                    begun.rename(kept)  # a gallery that is there is whole
            else:
                shutil.copytree(kept, folder)
            # A process of its own, whose memory is that of nothing else.
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
                alone = pool.submit(_play_alone, folder, tape, choice, options.teach_minutes, options.profile)
                figures.append(alone.result())
            shutil.rmtree(folder)
            if options.json:  # each as soon as it is known: large galleries take long
                options.json.write_bytes(msgspec.json.format(msgspec.json.encode(figures)) + b"\n")
    for table in (_costs(figures), _phases(figures), _memory(figures)):
        console.print(table)
    for kind in of_each(figures):
        for (before, after), power in zip(itertools.pairwise(kind), growth(kind), strict=True):
            said = "sub-linear" if power < 1 else "NOT sub-linear"
            console.print(
                f"{before.identities:,} to {after.identities:,} of {before.each}: "
                f"the median of CPU grows with the {power:.2f}th power: {said}"
            )
    for one in figures:
        if one.identities == TARGET_IDENTITIES:
            ms = one.association_ms
            met = ms.p50 <= P50_MS and ms.p99 <= P99_MS
            console.print(
                f"{one.identities:,} identities of {one.each}: p50 {ms.p50:.2f} ms of {P50_MS:g}, "
                f"p99 {ms.p99:.2f} ms of {P99_MS:g}: {'met' if met else 'MISSED'}"
            )
    if options.plot:
        plot(figures, options.plot)


def _play_alone(folder: Path, tape: Path, choice: GalleryChoice, teach_minutes: float, profile: Path | None) -> Figures:
    _, live = _cut(tape, teach_minutes=teach_minutes)
    with _progress(Console()) as show:
        step = _step(show, f"{choice.identities:,}: opening and playing")
        if profile is None:
            return play(folder, live, choice, progress=step)
        import cProfile

        with cProfile.Profile() as seen:
            figures = play(folder, live, choice, progress=step)
        seen.dump_stats(profile.with_name(f"{choice.identities}-{profile.name}"))
        return figures


def _cut(tape: Path, *, teach_minutes: float) -> tuple[list[Batch], list[Batch]]:
    """A tape's batches of the first minutes, and the others."""
    everything = list(batches(read_tape(tape)))
    until_ns = everything[0].received_at_ns + round(60e9 * teach_minutes)
    first = [batch for batch in everything if batch.received_at_ns < until_ns]
    return first, everything[len(first) :]


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn(), console=console
    )


def _step(show: Progress, name: str) -> Callable[[float], None]:
    task = show.add_task(name, total=1.0)
    return lambda share: show.update(task, completed=share)


def _costs(figures: Sequence[Figures]) -> Table:
    """How the cost of one association is spread, and how long batches take."""
    table = Table(title="one association, and batches, ms: half / 99% / longest")
    for name in ("identities", "prototypes", "association", "its CPU", "without disk", "batch"):
        table.add_column(name, justify="right")
    for one in figures:
        spreads = (one.association_ms, one.association_cpu_ms, one.memory_ms, one.batch_ms)
        table.add_row(
            f"{one.identities:,}",
            f"{one.prototypes:,}",
            *(f"{spread.p50:.2f} / {spread.p99:.1f} / {spread.most:.0f}" for spread in spreads),
        )
    return table


def _phases(figures: Sequence[Figures]) -> Table:
    """Where the time of an association goes."""
    table = Table(title="one association, mean ms by phase, and searches")
    for name in ("identities", *figures[0].phases_ms, "all", "searches"):
        table.add_column(name, justify="right")
    for one in figures:
        values = (*one.phases_ms.values(), sum(one.phases_ms.values()))
        table.add_row(f"{one.identities:,}", *(f"{value:.3f}" for value in values), f"{one.queries:.1f}")
    return table


def _memory(figures: Sequence[Figures]) -> Table:
    """What a gallery needs."""
    table = Table(title="memory (MiB), disk, opening, and what happened")
    names = ("identities", "before", "opened", "played", "peak", "KB an identity", "disk MiB", "opening s",
             "first batch s", "batches", "associations", "linked", "begun", "anew")  # fmt: skip
    for name in names:
        table.add_column(name, justify="right")
    for one in figures:
        sizes = (one.before_mib, one.opened_mib, one.played_mib, one.peak_mib)
        table.add_row(
            f"{one.identities:,}",
            *(f"{value:,.0f}" for value in sizes),
            f"{one.bytes_each / 1e3:.1f}",
            f"{one.disk_mib:,.0f}",
            f"{one.opening_s:.1f}",
            f"{one.first_batch_s:.1f}",
            *(f"{value:,}" for value in (one.batches, one.associations, one.linked, one.begun, one.refreshes)),
        )
    return table


def _galleries(text: str) -> list[tuple[int, int | None]]:
    """Sizes, and how many prototypes each identity has where that is said.

    >>> _galleries("1000,100000x4")
    [(1000, None), (100000, 4)]
    """
    each = [one.split("x") for one in text.split(",")]
    return [(int(count), int(more[0]) if more else None) for count, *more in each]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gallery", type=_galleries, default=_galleries("1000,10000,100000"))
    parser.add_argument("--each", type=int, default=4, help="prototypes of one identity, where nothing else is said")
    parser.add_argument("--hours", type=float, default=12.0, help="over which the gallery was last seen")
    parser.add_argument("--quiet-minutes", type=float, default=10.0, help="between the gallery and the tape")
    parser.add_argument("--teach-minutes", type=float, default=3.0, help="of tape that come before")
    parser.add_argument("--minutes", type=float, default=3.0, help="of tape that are measured")
    parser.add_argument("--kind", default="crowded", choices=list(KINDS))
    parser.add_argument("--seed", type=int, default=906)
    parser.add_argument("--cameras", type=int, default=12)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--profile", type=Path, help="where cProfile's statistics go; figures are then no figures")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="where the tape is kept")
    parser.add_argument("--galleries", type=Path, help="where galleries are kept; none are otherwise")
    parser.add_argument("--scratch", type=Path, help="where databases are made: on the disk to be measured")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    try:
        main()
    except PasserbyError as error:
        sys.exit(str(error))

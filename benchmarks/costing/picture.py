"""What an association costs over the number of identities, as a log-log picture."""

import itertools
from collections.abc import Sequence
from pathlib import Path

from benchmarks.costing.figures import Figures, of_each


def plot(figures: Sequence[Figures], out: Path) -> None:
    """Draw at least one gallery's figures into a file of any kind that matplotlib writes, a line for each kind."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for kind, colour in zip(of_each(figures), itertools.cycle(f"C{number}" for number in range(10)), strict=False):
        sizes, of = [one.identities for one in kind], f"{kind[0].each} prototype{'s' * (kind[0].each > 1)} each"
        axes.loglog(sizes, [one.association_cpu_ms.p50 for one in kind], "o-", color=colour, label=f"median, {of}")
        axes.loglog(sizes, [one.association_cpu_ms.p99 for one in kind], "o:", color=colour, label="99th percentile")
        axes.loglog(sizes, [one.phases_ms["search"] for one in kind], "^--", color=colour, label="search, mean")
    first, *_, last = sorted(figures, key=lambda one: one.identities)
    start = first.association_cpu_ms.p50
    line = [start, start * last.identities / first.identities]
    axes.loglog([first.identities, last.identities], line, "--", color="#888", label="linear growth")
    axes.set(
        xlabel="identities",
        ylabel="milliseconds of CPU; of search, elapsed",
        ylim=(None, 20 * max(one.association_cpu_ms.p99 for one in figures)),
    )
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()
    figure.savefig(out)

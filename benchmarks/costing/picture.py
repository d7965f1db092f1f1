"""What an association costs over the number of identities, as a log-log picture."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.costing.figures import Figures


def plot(figures: Sequence[Figures], out: Path) -> None:
    """Draw at least one gallery's figures into a file of any kind that matplotlib writes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    sizes = [one.identities for one in figures]
    axes.loglog(sizes, [one.association_ms.p50 for one in figures], "o-", label="one association, median")
    axes.loglog(sizes, [one.association_ms.p99 for one in figures], "o:", label="99th percentile")
    axes.loglog(sizes, [one.association_cpu_ms.p50 for one in figures], "s-", label="its CPU, median")
    axes.loglog(sizes, [one.association_cpu_ms.p99 for one in figures], "s:", label="99th percentile")
    axes.loglog(sizes, [one.phases_ms["search"] for one in figures], "^-", label="search, mean")
    first = figures[0].association_ms.p50
    line = [first * size / sizes[0] for size in sizes]
    axes.loglog(sizes, line, "--", color="#888", label="linear growth")
    axes.set(
        xlabel="identities", ylabel="milliseconds", ylim=(None, 20 * max(one.association_ms.p99 for one in figures))
    )
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()
    figure.savefig(out)

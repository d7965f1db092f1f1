"""`passerby cluster`: who is who among features, without labels."""

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from passerby.errors import ConfigError


def command(
    features: Annotated[
        Path,
        typer.Argument(
            metavar="FEATURES.npz",
            help="Arrays `features` (n, d), raw, `cameras` (n,) and, if known, `tracklets` (n,), whole numbers.",
        ),
    ],
    *,
    out: Annotated[Path, typer.Option(metavar="LABELS.npz", help="Gets `labels` (n,), -1 for outliers.")],
    distance: Annotated[
        Literal["jaccard", "camera-jaccard"],
        typer.Option(help="Of neighbourhoods over all cameras, or of the own and the other cameras apart."),
    ] = "jaccard",
    normalize: Annotated[
        Literal["camera", "none"], typer.Option(help="camera: z-score of the features of each camera.")
    ] = "camera",
    method: Annotated[
        Literal["dbscan", "average"], typer.Option(help="Density, or average linkage, of the distances.")
    ] = "dbscan",
    k1: Annotated[
        int | None, typer.Option(min=1, help="jaccard: nearest that make a neighbourhood. [default: 30]")
    ] = None,
    k2: Annotated[int | None, typer.Option(min=1, help="jaccard: nearest it is averaged over. [default: 6]")] = None,
    eps: Annotated[str, typer.Option(metavar="auto|F", help="Largest distance, 0 to 1, that joins.")] = "auto",
    min_samples: Annotated[
        int, typer.Option(min=1, help="dbscan: rows within eps that make a cluster; average: the smallest cluster.")
    ] = 4,
    neighbours: Annotated[
        Literal["auto", "exact", "approximate"], typer.Option(help="auto: exact below 100,000 rows.")
    ] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object on the last line.")] = False,
) -> None:
    """Group features into people, as many as there turn out to be. Rows of one tracklet stay together."""
    began = time.perf_counter()
    from passerby.cli.clustering.features_file import read_features, write_labels
    from passerby.cli.clustering.labelling import Choice, label
    from passerby.cli.clustering.peak_memory import peak_memory_mb

    if distance != "jaccard" and (k1 is not None or k2 is not None):
        raise ConfigError(f"--k1 and --k2 are numbers of --distance jaccard, which is {distance}; leave them out")
    choice = Choice(
        distance=distance,
        normalize=normalize,
        method=method,
        k1=30 if k1 is None else k1,
        k2=6 if k2 is None else k2,
        eps=_eps(eps),
        min_samples=min_samples,
        search=neighbours,
    )
    if choice.k2 > choice.k1:
        raise ConfigError(
            f"--k2 {choice.k2} is more than --k1 {choice.k1}: a neighbourhood is averaged over its nearest"
        )
    if not out.parent.is_dir():
        raise ConfigError(f"--out {out}: there is no folder {out.parent}")
    if out.resolve() == features.resolve():
        raise ConfigError(f"--out {out} is the file of features itself; give another name")
    file = read_features(features)

    def say(what: str) -> None:
        print(f"{time.perf_counter() - began:7.1f} s  {what}", file=sys.stderr, flush=True)  # noqa: T201

    found = label(file, choice, say=say)
    write_labels(out, found.labels)
    report = {
        "rows": len(file.features),
        "clusters": found.clusters,
        "outliers": found.outliers,
        "eps": found.eps,
        "neighbour_recall": found.recall,
        "seconds": round(time.perf_counter() - began, 3),
        "peak_memory_mb": peak_memory_mb(),
    }
    if as_json:
        typer.echo(json.dumps(report))
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in report.items():
        table.add_row(name, str(value))
    Console().print(table)


def _eps(wish: str) -> float | None:
    """A distance over 0 and under 1, or None for `auto`."""
    if wish == "auto":
        return None
    try:
        eps = float(wish)
    except ValueError:
        eps = -1.0
    if not 0.0 < eps < 1.0:
        raise ConfigError(f"--eps is {wish}, expected auto or a Jaccard distance between 0 and 1, as 0.6")
    return eps

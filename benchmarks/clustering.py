"""What does clustering cost, is it right, and what do approximate neighbours lose?

    python -m benchmarks.clustering [--runs dense-12936,exact-12936,...] [--again] [--table]

Features are made: 16 of a person, six cameras each with a shift of its own as large as people differ, 256 axes, noise
of .7 of a person's scale, of unit length. `passerby cluster --eps 0.6 --json` clusters them, in a process of its own
for each run; what it says of time and memory is told here, with the adjusted Rand index against the truth.

`exact-N` and `approximate-N`: N features, and how neighbours are searched; approximate labels are also compared with
the exact ones, where these exist. `dense-N`: in one process, what the command does with normalized features, compiled,
and then the dense code that re-ID toolboxes share (FAISS, three N x N float32 matrices, loops in Python; as in
tests/reference.py). `start-up`: 64 features, once compiled. `exact-1000000` would take hours.

Each run writes benchmarks/results/clustering/RUN.json and RUN.npz; a run of which there is a result is not done again
but with --again. --table only prints the table of all results there are, and whether limits are kept.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from passerby.arrays import Float32Array, Int64Array, l2_normalize
from passerby.cli.clustering.peak_memory import peak_memory_mb
from passerby.features.clustering.cut import agreement, alone
from passerby.features.clustering.dbscan import dbscan
from passerby.features.jaccard import jaccard_graph
from passerby.features.neighbours import nearest_neighbours
from passerby.features.normalization import zscore_by_camera

RESULTS = Path(__file__).parent / "results" / "clustering"
RUNS = (
    "start-up",
    "exact-12936",
    "approximate-12936",
    "dense-12936",
    "exact-100000",
    "approximate-100000",
    "approximate-1000000",
)
EPS = 0.6


class Told(msgspec.Struct, frozen=True):
    """What `passerby cluster --json` tells."""

    rows: int
    clusters: int
    outliers: int
    eps: float
    neighbour_recall: float
    seconds: float
    peak_memory_mb: int


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One run. Agreements are adjusted Rand indices; the load is the machine's, of all that runs there."""

    run: str
    rows: int
    seconds: float
    peak_memory_mb: int
    recall: float
    clusters: int
    outliers: int
    agreement_with_truth: float
    agreement_with_exact: float | None = None
    cpu_seconds: float
    """Of all cores together: twice the seconds that two idle cores would take, or less."""
    dense_seconds: float | None = None
    labels_identical: bool | None = None
    load_before: float
    cores: int

    @property
    def times_faster(self) -> float:
        """Than the dense code; 0 where that did not run."""
        return (self.dense_seconds or 0.0) / self.seconds


LIMITS: dict[str, tuple[tuple[str, Callable[[Result], bool | None]], ...]] = {
    "start-up": (("the process within 2 s", lambda one: one.seconds <= 2.0),),
    "dense-12936": (
        ("the same labels", lambda one: one.labels_identical is True),
        ("10 times faster", lambda one: one.times_faster >= 10.0),
    ),
    "exact-100000": (
        ("60 s", lambda one: one.seconds <= 60.0),
        ("3 GB", lambda one: one.peak_memory_mb <= 3000),
    ),
    "approximate-100000": (
        ("25 s", lambda one: one.seconds <= 25.0),
        ("3 GB", lambda one: one.peak_memory_mb <= 3000),
        ("recall .99", lambda one: one.recall >= 0.99),
        (
            "agreement with exact .999",
            lambda one: None if one.agreement_with_exact is None else one.agreement_with_exact >= 0.999,
        ),
    ),
    "approximate-1000000": (
        ("10 minutes", lambda one: one.seconds <= 600.0),
        ("16 GB", lambda one: one.peak_memory_mb <= 16_000),
    ),
}
"""By run: what is asked of it, on two cores."""

_ANSWERS = {True: "yes", False: "NO", None: "not known"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Do the runs that are missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", default=",".join(RUNS))
    parser.add_argument("--again", action="store_true", help="also those of which there is a result")
    parser.add_argument("--table", action="store_true", help="only print the results that there are")
    options = parser.parse_args(arguments)
    RESULTS.mkdir(parents=True, exist_ok=True)
    for run in [] if options.table else options.runs.split(","):
        if options.again or not _file(run).exists():
            print(f"{run} ...", file=sys.stderr, flush=True)
            result = _dense(run) if run.startswith("dense-") else _command(run)
            _file(run).write_bytes(msgspec.json.format(msgspec.json.encode(result)) + b"\n")
    print("\n".join(table([msgspec.json.decode(_file(run).read_bytes(), type=Result) for run in _done()])))


def made(
    count: int, *, cameras: int = 6, axes: int = 256, each: int = 16
) -> tuple[Float32Array, Int64Array, Int64Array]:
    """Features (count, axes), the camera (count,) of each and its person (count,)."""
    draw = np.random.default_rng(7)
    people = np.arange(count) // each
    seen_by = draw.integers(0, cameras, count)
    features = draw.standard_normal((count, axes), dtype=np.float32) * np.float32(0.7)
    features += draw.standard_normal((-(-count // each), axes), dtype=np.float32)[people]
    features += draw.standard_normal((cameras, axes), dtype=np.float32)[seen_by]
    return l2_normalize(features), seen_by, people


def table(results: Sequence[Result]) -> list[str]:
    """Lines of Markdown."""
    lines = [
        "| run | s | CPU s | MB | clusters | outliers | recall | ARI truth | ARI exact | dense | load | limits |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for one in results:
        against = "" if one.dense_seconds is None else f"{one.dense_seconds:.1f} s, {one.times_faster:.1f} times"
        against += (
            "" if one.labels_identical is None else f", labels {'the same' if one.labels_identical else 'DIFFER'}"
        )
        exact = "" if one.agreement_with_exact is None else f"{one.agreement_with_exact:.5f}"
        limits = ", ".join(f"{name}: {_ANSWERS[kept(one)]}" for name, kept in LIMITS.get(one.run, ()))
        costs = f"{one.seconds:.1f} | {one.cpu_seconds:.1f} | {one.peak_memory_mb:,}"
        figures = f"{costs} | {one.clusters:,} | {one.outliers:,} | {one.recall:.4f}"
        lines.append(
            f"| {one.run} | {figures} | {one.agreement_with_truth:.5f} | {exact} | {against} "
            f"| {one.load_before:.1f} of {one.cores} | {limits} |"
        )
    return lines


def _command(run: str) -> Result:
    """The command in a process of its own; before a start-up is measured it has run once."""
    count = 64 if run == "start-up" else int(run.rpartition("-")[2])
    search = "approximate" if run.startswith("approximate-") else "exact"
    features, cameras, people = made(count)
    file = RESULTS / f"{run}.features.npz"
    np.savez(file, features=features, cameras=cameras)
    del features, cameras
    options = ["--out", str(_labels(run)), "--eps", str(EPS), "--neighbours", search, "--json"]
    command = [sys.executable, "-m", "passerby", "cluster", str(file), *options]
    try:
        if run == "start-up":
            subprocess.run(command, check=True, capture_output=True)
        used, load, began = _cpu_of_children(), os.getloadavg()[0], time.perf_counter()
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        seconds = time.perf_counter() - began
    finally:
        file.unlink()
    told = msgspec.json.decode(done.stdout.splitlines()[-1], type=Told)
    labels, exact = _read(run), _labels(f"exact-{count}")
    return Result(
        run=run,
        rows=count,
        seconds=seconds if run == "start-up" else told.seconds,
        peak_memory_mb=told.peak_memory_mb,
        recall=told.neighbour_recall,
        clusters=told.clusters,
        outliers=told.outliers,
        agreement_with_truth=agreement(alone(labels), people),
        agreement_with_exact=agreement(alone(labels), alone(_read(exact.stem)))
        if search == "approximate" and exact.exists()
        else None,
        cpu_seconds=_cpu_of_children() - used,
        load_before=load,
        cores=os.cpu_count() or 1,
    )


def _cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _dense(run: str) -> Result:
    """Both ways from normalized features to labels, one after the other."""
    from tests.reference import dense_dbscan, dense_jaccard

    count = int(run.rpartition("-")[2])
    features, cameras, people = made(count)
    rows = l2_normalize(zscore_by_camera(features, cameras.tolist()))
    _sparse(rows[:500])  # Compiled code is loaded.
    used, load, began = time.process_time(), os.getloadavg()[0], time.perf_counter()
    labels = _sparse(rows)
    seconds, used = time.perf_counter() - began, time.process_time() - used
    peak = peak_memory_mb()
    began = time.perf_counter()
    distances = dense_jaccard(rows, neighbours=list(_nearest(rows)), dtype=np.float32)
    expected = dense_dbscan(distances, eps=EPS, min_samples=4)
    dense_seconds = time.perf_counter() - began
    np.savez(_labels(run), labels=labels)
    return Result(
        run=run,
        rows=count,
        seconds=seconds,
        peak_memory_mb=peak,
        recall=1.0,
        clusters=int(labels.max(initial=-1)) + 1,
        outliers=int((labels < 0).sum()),
        agreement_with_truth=agreement(alone(labels), people),
        dense_seconds=dense_seconds,
        labels_identical=bool((labels == expected).all()),
        cpu_seconds=used,
        load_before=load,
        cores=os.cpu_count() or 1,
    )


def _sparse(rows: Float32Array) -> Int64Array:
    graph = jaccard_graph(rows, nearest_neighbours(rows, 30, search="exact"), bound=EPS)
    return dbscan(graph, eps=EPS, min_samples=4)


def _nearest(rows: Float32Array) -> Int64Array:
    """The 30 nearest (n, 30) as the toolboxes search them."""
    import faiss

    index = faiss.IndexFlatL2(rows.shape[1])
    index.add(rows)
    _, found = index.search(rows, 30)
    nearest: Int64Array = found
    return nearest


def _done() -> list[str]:
    others = sorted(file.stem for file in RESULTS.glob("*.json") if file.stem not in RUNS)
    return [run for run in (*RUNS, *others) if _file(run).exists()]


def _file(run: str) -> Path:
    return RESULTS / f"{run}.json"


def _labels(run: str) -> Path:
    return RESULTS / f"{run}.npz"


def _read(run: str) -> Int64Array:
    with np.load(_labels(run)) as written:
        labels: Int64Array = written["labels"]
    return labels


if __name__ == "__main__":
    main()

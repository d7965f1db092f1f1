"""What the identity store costs as it grows, and what its fast search misses.

    python -m benchmarks.identity_store [--sizes 1000,10000,100000,1000000] [--plot FILE.png]

For each size: milliseconds of one search for the 64 nearest of one query, of putting and of removing one prototype
(median and 99th percentile), of putting all of them at once, bytes a prototype, and recall: how many of the 64 nearest
that an exact store finds are found (for queries that are somebody known, and for all, half of whom are strangers). Then
the longest search and put while a store grows through a doubling. Prototypes are made with the shares and axes of a
network of the simulated site (docs/tapes.md), six of each person, normalized per axis and lifted, 257 floats.
One core: set OMP_NUM_THREADS=1 and OPENBLAS_NUM_THREADS=1, or NumPy's exact search takes more.
"""

import argparse
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hub.identity_store import ExactStore, IdentityStore, UnitVectors, best_store
from passerby.arrays import Float32Array, l2_normalize
from passerby.ids import ModelId
from simulation.tapes.networks import DIMENSION, NetworkProfile, network_profile

MODEL = ModelId("benchmark@1")
K = 64
EACH = 6
"""Prototypes of one person."""
LIFT = 0.1
"""Share of the energy that is common to everybody, as one more coordinate."""
QUERIES = 200
ACTS = 300


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; pairs are median and 99th percentile in milliseconds."""

    prototypes: int
    search: tuple[float, float]
    put: tuple[float, float]
    remove: tuple[float, float]
    fill_s: float
    bytes_each: int
    recall_known: float
    recall: float
    exact_search: float


class People:
    """Prototypes of people who are not there, the same for the same seed."""

    def __init__(self, network: NetworkProfile, *, seed: int) -> None:
        self._network = network
        self._draw = np.random.default_rng(seed)
        energy = [(np.arange(DIMENSION) + 4.0) ** -decay for decay in (network.person_decay, network.picture_decay)]
        self._person, self._picture = (np.sqrt(one / one.sum()).astype(np.float32) for one in energy)
        mixed = np.random.default_rng(0).standard_normal((DIMENSION, DIMENSION))
        self._basis = np.linalg.qr(mixed)[0].astype(np.float32)
        spread = np.square(self._basis) @ (self._person**2 * self._lasting + self._picture**2 * self._passing)
        self._scale = np.sqrt(spread).astype(np.float32)

    @property
    def _lasting(self) -> float:
        return self._network.person + self._network.person_camera

    @property
    def _passing(self) -> float:
        """Of a tracklet's mean of some pictures."""
        return 0.5 * self._network.view + 0.6 * self._network.view_camera + 0.25 * self._network.picture

    def anybody(self, count: int) -> Float32Array:
        """What is lasting about `count` people, for `seen`."""
        striking = np.exp(0.5 * self._network.person_spread * self._draw.standard_normal((count, 1)))
        own = self._draw.standard_normal((count, DIMENSION), dtype=np.float32) * self._person
        return np.asarray(striking * own * np.sqrt(self._network.person), np.float32)

    def seen(self, own: Float32Array) -> Float32Array:
        """A prototype (n, 257) of each person (n, 256), in some camera."""
        shape = own.shape
        there = self._draw.standard_normal(shape, dtype=np.float32) * self._person * self._network.person_camera**0.5
        picture = self._draw.standard_normal(shape, dtype=np.float32) * self._picture * self._passing**0.5
        units = l2_normalize((own + there + picture) @ self._basis.T / self._scale)
        lifted = np.full((len(own), DIMENSION + 1), LIFT**0.5, np.float32)
        lifted[:, :-1] = units * np.float32((1 - LIFT) ** 0.5)
        return lifted


def made(network: NetworkProfile, count: int) -> tuple[Float32Array, Float32Array]:
    """Prototypes (count, 257), and queries (QUERIES, 257) of which the first half are known."""
    people = People(network, seed=7)
    prototypes = np.empty((count, DIMENSION + 1), np.float32)
    known = people.anybody(0)
    for start in range(0, count, 60_000):
        stop = min(count, start + 60_000)
        own = people.anybody(-(-(stop - start) // EACH))
        prototypes[start:stop] = people.seen(np.repeat(own, EACH, axis=0)[: stop - start])
        known = own if start == 0 else known
    half = QUERIES // 2
    queries = np.concatenate([known[np.arange(half) % len(known)], people.anybody(half)])
    return prototypes, people.seen(queries)


def measure(network: NetworkProfile, count: int) -> Row:
    """One line of the table."""
    prototypes, queries = made(network, count)
    numbers = np.arange(count)
    before = _resident()
    store = best_store()(MODEL, DIMENSION + 1)
    began = time.perf_counter()
    store.put(numbers, UnitVectors(MODEL, prototypes))
    store.search(UnitVectors(MODEL, queries[:1]), k=K)
    _bring_to_rest(store, prototypes)
    fill_s = time.perf_counter() - began
    used = _resident() - before
    found = store.search(UnitVectors(MODEL, queries), k=K).ids
    each = [UnitVectors(MODEL, query[None]) for query in queries]
    search = _times(lambda i: store.search(each[i % QUERIES], k=K), QUERIES)
    one = [UnitVectors(MODEL, prototypes[i % count][None]) for i in range(ACTS)]
    put = _times(lambda i: store.put(np.array([len(numbers) * 2 + i]), one[i]), ACTS)
    remove = _times(lambda i: store.remove(np.array([len(numbers) * 2 + i])), ACTS)
    exact = ExactStore(MODEL, DIMENSION + 1)
    exact.put(numbers, UnitVectors(MODEL, prototypes))
    expected = [exact.search(each[i], k=K).ids[0] for i in range(QUERIES)]
    exact_search = _times(lambda i: exact.search(each[i], k=K), 10)[0]
    recall = [len(np.intersect1d(a[a >= 0], b)) / max(1, (a >= 0).sum()) for a, b in zip(expected, found, strict=True)]
    return Row(
        count,
        search,
        put,
        remove,
        fill_s,
        round(used / count),
        float(np.mean(recall[: QUERIES // 2])),
        float(np.mean(recall)),
        exact_search,
    )


def stalls(network: NetworkProfile, start: int) -> tuple[float, float, float]:
    """The longest search and put in milliseconds while a store doubles from `start`, and the whole time in seconds."""
    prototypes, queries = made(network, 2 * start + start // 5)
    store = best_store()(MODEL, DIMENSION + 1)
    store.put(np.arange(start), UnitVectors(MODEL, prototypes[:start]))
    _bring_to_rest(store, prototypes)
    began, worst_search, worst_put = time.perf_counter(), 0.0, 0.0
    query = UnitVectors(MODEL, queries[:1])
    for first in range(start, len(prototypes), 20):
        numbers = np.arange(first, min(first + 20, len(prototypes)))
        at = time.perf_counter()
        store.put(numbers, UnitVectors(MODEL, prototypes[numbers]))
        put = time.perf_counter()
        store.search(query, k=K)
        worst_put, worst_search = max(worst_put, put - at), max(worst_search, time.perf_counter() - put)
    return 1e3 * worst_search, 1e3 * worst_put, time.perf_counter() - began


def _bring_to_rest(store: IdentityStore, prototypes: Float32Array) -> None:
    """Let a store that is making larger cells have them: a few more prototypes than there are for good."""
    query = UnitVectors(MODEL, prototypes[:1])
    extra = np.arange(3 * len(prototypes), 3 * len(prototypes) + len(store) // 10 + 1)
    store.search(query, k=1)
    store.put(extra, UnitVectors(MODEL, prototypes[extra % len(prototypes)]))
    store.search(query, k=1)
    store.remove(extra)


def _times(act: Callable[[int], object], count: int) -> tuple[float, float]:
    took = []
    for number in range(count):
        began = time.perf_counter()
        act(number)
        took.append(time.perf_counter() - began)
    return float(np.median(took) * 1e3), float(np.percentile(took, 99) * 1e3)


def _resident() -> int:
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def plot(rows: Sequence[Row], out: Path) -> None:
    """A log-log picture of the searches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    sizes = [row.prototypes for row in rows]
    axes.loglog(sizes, [row.search[0] for row in rows], "o-", label="search, median")
    axes.loglog(sizes, [row.search[1] for row in rows], "o:", label="search, 99th percentile")
    axes.loglog(sizes, [row.exact_search for row in rows], "s--", label="comparing with everything (NumPy)")
    axes.loglog(sizes, [row.put[0] for row in rows], "^-", label="put one, median")
    axes.set(xlabel="prototypes", ylabel="milliseconds")
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()
    figure.savefig(out)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,10000,100000,1000000")
    parser.add_argument("--network", default="like-retail-0277")
    parser.add_argument("--plot", type=Path)
    parser.add_argument(
        "--doubling", type=int, default=60_000, help="size from which the growing store starts; 0: none"
    )
    wishes = parser.parse_args()
    network = network_profile(wishes.network)
    print(f"{network.name}, {DIMENSION + 1} floats, {best_store().__name__}; ms as median / 99th percentile\n")
    print("| prototypes | search | put | remove | exact search | put all, s | bytes each | recall known | recall all |")
    print("|---|---|---|---|---|---|---|---|---|")
    rows = []
    for size in map(int, wishes.sizes.split(",")):
        row = measure(network, size)
        rows.append(row)
        pairs = " | ".join(f"{median:.3f} / {late:.3f}" for median, late in (row.search, row.put, row.remove))
        print(
            f"| {row.prototypes:,} | {pairs} | {row.exact_search:.2f} | {row.fill_s:.1f} | {row.bytes_each:,} "
            f"| {row.recall_known:.4f} | {row.recall:.4f} |",
            flush=True,
        )
    if wishes.doubling:
        search, put, seconds = stalls(network, wishes.doubling)
        print(
            f"\ngrowing from {wishes.doubling:,} to {wishes.doubling * 11 // 5:,}, 20 at a time with a search each: "
            f"longest search {search:.0f} ms, longest put {put:.0f} ms, {seconds:.0f} s"
        )
    if wishes.plot:
        plot(rows, wishes.plot)
        print(f"drawn: {wishes.plot}")


if __name__ == "__main__":
    main()

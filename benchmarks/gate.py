"""Does the gate let good models through, and no bad one? It has no labels; here the simulator knows who is who.

    python -m benchmarks.gate [--only honest,damaged] [--again] [--threads 2] [--cache FOLDER]
    python -m benchmarks.gate --table

Small simulated sites of every kind, with seeds that nothing was tuned on (--first-seed), and a hub that links 85% of
the tracklets of known people and 1% to the wrong one, to whom the deployed network finds most alike. The parent is the
network that comes with Passerby. Candidates, for each of the sites or some:

honest: adapted to the site, for two seeds. another site: adapted to another one. unchanged: the parent itself.
damaged: noise on all weights, of .1 and .5 of their spread. collapsed: the last layer lets a hundredth through.
tracklets shuffled: adapted to crops that lie in each other's tracklets. camera shuffled, camera frozen: one camera's
crops change places, or are all the same picture, for the adaptation and for the gate. hub often wrong: a fifth of its
links, for the gate. ten people, one camera, empty: too little to tell.

Adaptations are short (70 steps). Truth is the mAP of the held-out tracklets across cameras, embeddings normalized as
the hub does it. A promoted model that is worse than its parent by more than half a point of mAP must not be; a refused
one that is better by more than that is counted. A run writes benchmarks/results/gate/RUN.json, and is not done again
but with --again. Exit status 1 if a worse model was promoted.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import torch

from benchmarks.adapting.sites import SiteCrops
from benchmarks.gating.networks import of_pictures, parent_network
from benchmarks.gating.sites import GateSite, gate_site
from benchmarks.gating.tables import markdown, wrongly_promoted
from benchmarks.gating.trying import Bench, Result, Trial, attempt
from passerby.cli.adapting.guard import guard_set
from training.gate.guarding import GuardSet
from training.starting import trainable

RESULTS = Path(__file__).parent / "results" / "gate"
MODEL = "passerby-sim-reid"
FIRST_SEED = 93001

KINDS = ("default", "crowded", "overlapping", "uniforms", "sparse", "default")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do the trials that are missing, and print the table."""
    options = _parse(arguments)
    results = RESULTS if options.results is None else options.results
    if not options.table:
        _run(options, results)
    found = [msgspec.json.decode(file.read_bytes(), type=Result) for file in sorted(results.glob("*.json"))]
    print("\n".join(markdown(found)))
    return 1 if wrongly_promoted(found) else 0


def sites(first_seed: int) -> dict[str, SiteCrops]:
    """Those of the trials, by name; the last has ten people."""
    chosen = [
        SiteCrops(kind, first_seed + row, 4 - row % 2, 6.0 if kind == "sparse" else 4.0, 28, 1500, 4)
        for row, kind in enumerate(KINDS)
    ]
    chosen.append(SiteCrops("default", first_seed + len(KINDS), 3, 6.0, 10, 900, 4))
    return {site.name: site for site in chosen}


def trials(names: Sequence[str]) -> list[Trial]:
    """At the sites of these names, of which the last has ten people."""
    *usual, few = names
    return [
        *(Trial(scenario="honest", site=site, seed=seed) for site in usual for seed in (1, 2)),
        *(Trial(scenario="another site", site=site) for site in usual),
        *(Trial(scenario="unchanged", site=site) for site in usual[:2]),
        *(Trial(scenario="damaged", site=site, about=about) for site in usual[:3] for about in (0.1, 0.5)),
        *(Trial(scenario="collapsed", site=site) for site in usual[:2]),
        *(Trial(scenario="tracklets shuffled", site=site) for site in usual[:3]),
        *(Trial(scenario="camera shuffled", site=site) for site in usual[1:4]),
        *(Trial(scenario="camera frozen", site=site) for site in usual[:2]),
        *(Trial(scenario="hub often wrong", site=site) for site in usual[:2]),
        Trial(scenario="ten people", site=few),
        Trial(scenario="one camera", site=usual[0]),
        Trial(scenario="empty", site=usual[0]),
    ]


def _run(options: argparse.Namespace, results: Path) -> None:
    torch.set_num_threads(options.threads)
    results.mkdir(parents=True, exist_ok=True)
    options.cache.mkdir(parents=True, exist_ok=True)
    start = trainable(MODEL)
    parent = parent_network(start)
    known = sites(options.first_seed)
    names = list(known)

    def site(name: str) -> GateSite:
        return gate_site(
            known[name],
            options.cache,
            embed=lambda pictures: of_pictures(parent, start, pictures),
            model_id=f"{start.name}@{start.version}",
        )

    def elsewhere(name: str) -> str:
        usual = names[:-1]
        return usual[(usual.index(name) + 1) % len(usual)]

    bench = Bench(start, _guard(options.cache), options.cache, site, elsewhere)
    wanted = [each for each in trials(names) if not options.only or each.scenario in options.only.split(",")]
    for number, trial in enumerate(wanted, start=1):
        file = results / f"{trial.name}.json"
        if file.exists() and not options.again:
            continue
        result = attempt(trial, bench)
        fresh = file.with_suffix(".fresh")
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode(result)) + b"\n")
        os.replace(fresh, file)
        change = "" if result.change is None else f", mAP {result.change:+.1f}"
        word = "promoted" if result.passed else "refused"
        print(f"[{number}/{len(wanted)}] {trial.name}: {word}{change}, {result.seconds:.0f} s", file=sys.stderr)


def _guard(cache: Path) -> GuardSet:
    """Rendered once."""
    file = cache / "guard.npz"
    if not file.exists():
        made = guard_set()
        shapes = np.array([each.shape[:2] for each in made.pictures], np.int64)
        flat = np.concatenate([each.reshape(-1) for each in made.pictures])
        np.savez(file, people=made.people, cameras=made.cameras, shapes=shapes, flat=flat)
    with np.load(file) as kept:
        ends = np.cumsum(kept["shapes"].prod(axis=1) * 3)
        parts = np.split(kept["flat"], ends[:-1])
        pictures = tuple(part.reshape(*shape, 3) for part, shape in zip(parts, kept["shapes"].tolist(), strict=True))
        return GuardSet("simulated people", kept["people"], kept["cameras"], pictures=pictures)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", action="store_true", help="only print the results that there are")
    parser.add_argument("--again", action="store_true", help="also the trials of which there is a result")
    parser.add_argument("--only", help="scenarios")
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED, help="of sites")
    parser.add_argument("--threads", type=int, default=2, help="of the machine, if nothing else runs there")
    parser.add_argument("--results", type=Path, help="folder for them")
    parser.add_argument("--cache", type=Path, default=RESULTS / "cache", help="for sites and adapted networks")
    options = parser.parse_args(arguments)
    options.cache = options.cache.expanduser().resolve()
    return options


if __name__ == "__main__":
    sys.exit(main())

"""What do camera statistics cost, and are they worth it?

    python benchmarks/normalization.py [--seed 901] [--kind default] [--cameras 4] [--hours 1.0] [--tape FILE] [--json]

Feeds the tracklets of one simulated tape to the hub's camera statistics as the hub does: each tracklet twice, what has
changed packed for the database after each batch, one thread. Then the same with a step in one camera half-way, as to
infrared light. Costs are CPU time. The benefit is how well pairs of one person in two cameras, by the tape's truth, are
told from pairs of two people, with the statistics of the end and without (passerby.features.benefit).
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

# This file bears the name of a module that others import: look for those in the tree, not beside this file.
sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np  # noqa: E402

from hub.deciding import ENOUGH_EXEMPLARS  # noqa: E402
from hub.playback import batches  # noqa: E402
from hub.statistics import CameraStatistics  # noqa: E402
from passerby.arrays import Float32Array, l2_normalize  # noqa: E402
from passerby.features.benefit import Benefit, benefit  # noqa: E402
from passerby.features.normalization import CameraNormalizer  # noqa: E402
from passerby.ids import CameraId  # noqa: E402
from passerby.messages import TrackletUpdate  # noqa: E402
from passerby.tape import read_tape  # noqa: E402
from simulation.kinds import KIND_VERSION, KINDS  # noqa: E402
from simulation.site import SimulatedSite  # noqa: E402
from simulation.tapes.recording import record_tape, truth_folder  # noqa: E402
from simulation.tapes.truth import NOT_A_PERSON, read_tape_truth  # noqa: E402


@dataclass(frozen=True, slots=True)
class Observation:
    """What statistics are told once."""

    batch: int
    camera_id: CameraId
    at_ns: int
    embedding: Float32Array
    quality: float
    person: int
    """The truth; -1 before the tracklet's end."""


def main() -> None:
    """Measure and print."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="passerby-benchmark-") as folder:
        observations = _observations(options.tape or _make(options, Path(folder) / "site.tape"))
    figures = {"steady": _measure(observations), "step": _measure(_with_step(observations))}
    if options.json:
        site = {"kind": options.kind, "kind_version": KIND_VERSION, "seed": options.seed}
        print(json.dumps({**site, **figures}))
        return
    print(f"kind {options.kind} (version {KIND_VERSION}), seed {options.seed}, {options.cameras} cameras")
    for name, values in figures.items():
        print(f"\n{name}")
        for key, value in values.items():
            print(f"  {key:28s}{value}")


def _measure(observations: Sequence[Observation]) -> dict[str, object]:
    statistics = CameraStatistics(CameraNormalizer(len(observations[0].embedding)))
    observed_s = packed_s = 0.0
    written = versions = 0
    costs = []
    for position, one in enumerate(observations):
        begun = time.process_time()
        statistics.observe(one.camera_id, one.embedding, at_ns=one.at_ns, quality=one.quality)
        costs.append(time.process_time() - begun)
        observed_s += costs[-1]
        if position + 1 == len(observations) or observations[position + 1].batch != one.batch:
            begun = time.process_time()
            versions += statistics.refresh()
            parts = statistics.changed_parts()
            packed_s += time.process_time() - begun
            written += sum(len(data) for data in parts.values() if data is not None)
    reports = statistics.report()
    worth = _worth(statistics, observations)
    return {
        "observations": len(observations),
        "observe_s": round(observed_s, 3),
        "observe_us_p50_p99": [round(1e6 * float(np.quantile(costs, q))) for q in (0.5, 0.99)],
        "pack_s": round(packed_s, 3),
        "written_mib": round(written / 2**20, 1),
        "stored_mib": round(sum(map(len, statistics.parts().values())) / 2**20, 2),
        "publications_taken_over": versions,
        "people": {one.camera_id: one.people for one in reports},
        "regimes": {one.camera_id: one.regimes for one in reports},
        "separation_without": round(worth.without, 4),
        "separation_with": round(worth.with_normalization, 4),
        "gain_standard_error": round(worth.standard_error, 4),
    }


def _worth(statistics: CameraStatistics, observations: Sequence[Observation]) -> Benefit:
    """At most 4,000 pairs of each kind, of two cameras each."""
    finals = [one for one in observations if one.person > NOT_A_PERSON]
    plain = l2_normalize(np.stack([one.embedding for one in finals]))
    lifted = np.stack([statistics.lifted(one.camera_id, one.embedding, at_ns=one.at_ns) for one in finals])
    people = np.array([one.person for one in finals])
    cameras = np.unique([one.camera_id for one in finals], return_inverse=True)[1]
    pairs = np.random.default_rng(0).integers(0, len(finals), (60_000, 2))
    pairs = pairs[cameras[pairs[:, 0]] != cameras[pairs[:, 1]]]
    same = people[pairs[:, 0]] == people[pairs[:, 1]]
    return benefit(plain, lifted, genuine=pairs[same][:4000], impostors=pairs[~same][:4000])


def _with_step(observations: Sequence[Observation]) -> list[Observation]:
    """The first camera's embeddings move half-way by one vector, of 1.2 times the variance between its tracklets."""
    first = min(one.camera_id for one in observations)
    own = np.stack([one.embedding for one in observations if one.camera_id == first])
    direction = np.random.default_rng(0).normal(size=len(own)) @ (own - own.mean(axis=0))
    shift = direction * np.sqrt(1.2 * own.var(axis=0).sum() / (direction**2).sum())
    times = [one.at_ns for one in observations]
    half_way = (min(times) + max(times)) // 2
    return [
        replace(one, embedding=(one.embedding + shift).astype(np.float32))
        if one.camera_id == first and one.at_ns >= half_way
        else one
        for one in observations
    ]


def _observations(tape: Path) -> list[Observation]:
    """What a hub tells its statistics of a tape: each tracklet when it has two exemplars, and when it has ended."""
    truth = read_tape_truth(truth_folder(tape))
    people = {(one.boot, one.tracklet): one.person for one in truth.tracklets}
    observations, exemplars = [], dict.fromkeys(people, 0)
    for number, batch in enumerate(batches(read_tape(tape))):
        for _, envelope in batch.deliveries:
            update = envelope.message
            if not isinstance(update, TrackletUpdate):
                continue
            key = (envelope.boot_id.hex(), update.tracklet_id)
            before, exemplars[key] = exemplars[key], len(update.exemplars)
            if update.final or (exemplars[key] >= ENOUGH_EXEMPLARS > before):
                quality = update.exemplars.quality
                observations.append(
                    Observation(
                        batch=number,
                        camera_id=update.camera_id,
                        at_ns=update.started_at_ns,
                        embedding=np.array(update.embedding, np.float32),
                        quality=float(quality.mean()) if len(quality) else 0.0,
                        person=people[key] if update.final else -1,
                    )
                )
    return observations


def _make(options: argparse.Namespace, path: Path) -> Path:
    site = SimulatedSite.make(options.kind, seed=options.seed, cameras=options.cameras)
    record_tape(site, path, seconds=3600 * options.hours, progress=lambda _: None)
    return path


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tape", type=Path, default=None, help="a tape with its truth, instead of a made one")
    parser.add_argument("--kind", default="default", choices=list(KINDS))
    parser.add_argument("--seed", type=int, default=901)
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--json", action="store_true", help="one line for programs")
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""What does the hub cost per message, where does it go, and does it grow over the hours?

    python benchmarks/hub.py [--tape FILE] [--kind default] [--seed 901] [--cameras 4] [--hours 1.0] [--json]

Plays one tape, with one thread, to a hub that only takes the messages in, to one in memory (`hub.rehearsal`), to one
that writes with delay (`passerby replay`) and to one that commits every batch (live). Phases are differences of these:

    decode   bytes to messages
    take in  checks, tracklets, camera statistics (Hub.keep in memory)
    decide   search, evidence, assignment, merging (rehearsal, less take in)
    write    rows, many steps in one transaction (replay, less rehearsal)
    commit   a durable transaction for every batch, less that

Growth: CPU per message of the four quarters of the tape in memory; a cost that does not follow the past stays level
once everybody has been seen.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

# This file bears the name of the package it measures: look for that in the tree, not beside this file.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from hub.database.deferred import DeferredStorage  # noqa: E402
from hub.database.storage import DatabaseStorage  # noqa: E402
from hub.playback import Batch, Playback, batches  # noqa: E402
from hub.rehearsal import MemoryStorage, Rehearsal  # noqa: E402
from hub.site_hub import Hub  # noqa: E402
from hub.storage import Storage  # noqa: E402
from passerby.tape import read_tape  # noqa: E402
from simulation.kinds import KIND_VERSION, KINDS  # noqa: E402
from simulation.site import SimulatedSite  # noqa: E402
from simulation.tapes.recording import record_tape  # noqa: E402

_T = TypeVar("_T")
_PARTS = 4


def main() -> None:
    """Measure and print."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="passerby-benchmark-") as folder:
        tape = options.tape or _make(options, Path(folder) / "site.tape")
        begun = time.process_time()
        played = list(batches(read_tape(tape)))
        decode_s = time.process_time() - begun
        taken_s = _take_in(played)
        rehearsal, quarters_s = _rehearse(played)
        deferred_s, deferred_wall_s = _play(played, DeferredStorage(Path(folder) / "deferred"))
        durable_s, durable_wall_s = _play(played, DatabaseStorage(Path(folder) / "durable"))
    messages = [len(batch.deliveries) for batch in played]
    total = sum(messages)
    decided_s = sum(quarters_s)
    phases = {
        "decode": decode_s,
        "take in": taken_s,
        "decide": decided_s - taken_s,
        "write": deferred_s - decided_s,
        "commit": durable_s - deferred_s,
    }
    runs = {
        "in memory": (decided_s, decided_s),
        "replay": (deferred_s, deferred_wall_s),
        "live": (durable_s, durable_wall_s),
    }
    result = {
        "messages": total,
        "batches": len(played),
        "tracklets": len(rehearsal.tracklets),
        "events": len(rehearsal.events),
        "identities_active": len(rehearsal.state.identities),
        "cpu_ms_per_message": {name: round(1e3 * seconds / total, 4) for name, seconds in phases.items()},
        "runs": {
            name: {"cpu_s": round(cpu + decode_s, 2), "wall_s": round(wall + decode_s, 2),
                   "messages_per_cpu_s": round(total / (cpu + decode_s))}
            for name, (cpu, wall) in runs.items()
        },
        "quarters_cpu_ms_per_message": [
            round(1e3 * seconds / max(1, sum(part)), 4)
            for seconds, part in zip(quarters_s, _split(messages), strict=True)
        ],
    }  # fmt: skip
    if options.json:
        print(json.dumps(result))
        return
    print(f"{total} messages in {len(played)} batches, {result['tracklets']} tracklets, {result['events']} events, "
          f"{result['identities_active']} identities active at the end; decoding included:")  # fmt: skip
    for name, run in result["runs"].items():
        print(
            f"  {name:10} {run['cpu_s']:8.2f} s of CPU {run['wall_s']:8.2f} s {run['messages_per_cpu_s']:7d} messages/s"
        )
    print("CPU per message")
    for name, milliseconds in result["cpu_ms_per_message"].items():
        print(f"  {name:10} {milliseconds:8.3f} ms")
    print(
        "  by quarter of the tape, in memory:", *(f"{one:.3f}" for one in result["quarters_cpu_ms_per_message"]), "ms"
    )


def _make(options: argparse.Namespace, path: Path) -> Path:
    print(f"kind {options.kind} (version {KIND_VERSION}), seed {options.seed}, {options.cameras} cameras, "
          f"{options.hours} h")  # fmt: skip
    site = SimulatedSite.make(options.kind, seed=options.seed, cameras=options.cameras)
    record_tape(site, path, seconds=3600 * options.hours, progress=lambda _: None)
    return path


def _take_in(played: Sequence[Batch]) -> float:
    begun = time.process_time()
    with Hub.on(MemoryStorage()) as hub:
        for batch in played:
            hub.keep(batch.deliveries, now_ns=batch.received_at_ns)
    return time.process_time() - begun


def _rehearse(played: Sequence[Batch]) -> tuple[Rehearsal, list[float]]:
    rehearsal, seconds = Rehearsal(), list[float]()
    for number, part in enumerate(_split(played)):
        begun = time.process_time()
        rehearsal.play(part, finish=number == _PARTS - 1)
        seconds.append(time.process_time() - begun)
    return rehearsal, seconds


def _play(played: Sequence[Batch], storage: Storage) -> tuple[float, float]:
    """(CPU seconds, seconds)."""
    begun, begun_wall = time.process_time(), time.monotonic()
    with Hub.on(storage) as hub:
        playback = Playback(hub)
        for batch in played:
            playback.take(batch)
        playback.finish()
    return time.process_time() - begun, time.monotonic() - begun_wall


def _split(items: Sequence[_T]) -> list[Sequence[_T]]:
    n = len(items)
    return [items[part * n // _PARTS : (part + 1) * n // _PARTS] for part in range(_PARTS)]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tape", type=Path, default=None, help="a tape instead of a made one")
    parser.add_argument("--kind", default="default", choices=list(KINDS))
    parser.add_argument("--seed", type=int, default=901)
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--json", action="store_true", help="one line for programs")
    return parser.parse_args()


if __name__ == "__main__":
    main()

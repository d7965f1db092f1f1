"""What is a promoted adaptation worth to a site: cross-camera IDF1 with the old model and with the new one?

    python -m benchmarks.rollout [--count 6] [--first-seed 99001] [--site-minutes 12] [--judged-minutes 4]
                                 [--people 36] [--minutes 6] [--again] [--table]

Each site is simulated with a seed that nothing was trained or tuned on. Its edges' messages are those of a tape: real
trackers' mistakes, clocks and delays, without pictures; every crop that they keep is rendered, and described by the
network. A hub takes all but the last minutes with the network that comes with Passerby. Then, as an operator does,
`passerby adapt start` adapts that to what the hub has kept, the gate decides, and `passerby adapt promote` embeds
everybody anew. The last minutes, which nothing was learned from, come to a copy of that hub with the old model and to
the promoted one with the new model; who was who in them is compared with the truth over all cameras (trackeval).

What the gate refuses is promoted here by force into a copy, to tell what the refusal was worth; the table says so.

A site writes benchmarks/results/rollout/SITE.json; one of which there is a result is not done again but with --again.
--table prints the results that there are.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import yaml

from benchmarks.judging.sites import default_cache
from benchmarks.rolling.pictured import PicturedSite, PicturedTape, pictured_tape, seen_with
from hub.export import write_mot
from hub.playback import Batch, Playback
from hub.site_hub import Hub
from passerby.adaptation.job import JobBook
from passerby.cli.adapting.references import SiteReferences
from passerby.cli.adapting.site_models import find_by_id
from passerby.config import Site, load_site
from passerby.inference import load_embedder
from passerby.models import find_model
from simulation.tapes.recording import MAX_FPS
from training.evaluate.mot_files import read_predictions, read_truth
from training.evaluate.tracks import TrackingQuality, evaluate_tracks

RESULTS = Path(__file__).parent / "results" / "rollout"
KINDS = ("default", "crowded", "overlapping")
CAMERAS, PEOPLE = 3, 36
"""A quarter of the people is held out, and the gate wants eight: of twenty it can say nothing."""

FIRST_SEED = 99001
REID = "passerby-sim-reid"
MIN_VISIBILITY = 0.3
AHEAD_NS = 3600 * 10**9
"""Longer than an adaptation here takes."""


class Tracks(msgspec.Struct, frozen=True):
    """Of the minutes that are judged, over all cameras together."""

    idf1: float
    hota: float


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One site, before and after."""

    site: str
    passed: bool
    reason: str
    crops: int
    adapting_s: float
    """From asking to the verdict."""
    promoting_s: float
    """Until everybody was embedded anew, and the new model deployed."""
    before: Tracks
    after: Tracks | None
    """With the adapted model; None where none was made."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do the sites that are missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=6)
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--site-minutes", type=float, default=12.0)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--judged-minutes", type=float, default=4.0, help="of them, the last")
    parser.add_argument("--minutes", type=float, default=6.0, help="of learning")
    parser.add_argument("--again", action="store_true", help="also sites of which there is a result")
    parser.add_argument("--table", action="store_true", help="only print the results that there are")
    parser.add_argument("--cache", type=Path, default=default_cache().with_name("benchmark-pictured"))
    options = parser.parse_args(arguments)
    for number in range(0 if options.table else options.count):
        seed = options.first_seed + number
        kind = KINDS[(seed - FIRST_SEED) % len(KINDS)]
        site = PicturedSite(kind, seed, CAMERAS, options.people, options.site_minutes)
        file = RESULTS / f"{site.name}.json"
        if options.again or not file.exists():
            print(f"[{number + 1}/{options.count}] {site.name}", file=sys.stderr, flush=True)
            tape = pictured_tape(site, options.cache, progress=_show)
            with tempfile.TemporaryDirectory() as folder:
                share = 1.0 - options.judged_minutes / options.site_minutes
                result = _try(site.name, tape, Path(folder), minutes=options.minutes, share=share)
            RESULTS.mkdir(parents=True, exist_ok=True)
            file.write_bytes(msgspec.json.format(msgspec.json.encode(result)) + b"\n")
    print("\n".join(table()))
    return 0


def table() -> list[str]:
    """All results there are, as Markdown."""
    lines = ["| site | crops | gate | IDF1 before | after | HOTA before | after | adapting, s | promoting, s |"]
    lines.append("|---|---|---|---|---|---|---|---|---|")
    for file in sorted(RESULTS.glob("*.json")):
        one = msgspec.json.decode(file.read_bytes(), type=Result)
        gate = "passed" if one.passed else f"refused: {one.reason}"
        after = ("-", "-") if one.after is None else (f"{one.after.idf1:.3f}", f"{one.after.hota:.3f}")
        lines.append(
            f"| {one.site} | {one.crops} | {gate} | {one.before.idf1:.3f} | {after[0]} | {one.before.hota:.3f} | "
            f"{after[1]} | {one.adapting_s:.0f} | {one.promoting_s:.0f} |"
        )
    return lines


def _try(name: str, tape: PicturedTape, folder: Path, *, minutes: float, share: float) -> Result:
    """`share` of the tape is the past."""
    config = folder / "site.yaml"
    cameras = {path.stem: {"url": "not-there.mp4"} for path in sorted(tape.truth.glob("*.txt"))}
    settings = {
        "site": name,
        "data": "data",
        "models": {"reid": REID},
        "cameras": cameras,
        "adaptation": {"threads": 1},
    }
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    site = load_site(config)
    begin = round(share * len(tape.batches))
    # Acts happen at this machine's time: what is judged comes after them, the hub's time being ahead of it.
    shift_ns = time.time_ns() + AHEAD_NS - tape.batches[begin].received_at_ns
    with closing(load_embedder(find_model(REID, task="embed"))) as parent:
        _play(site, site.data, seen_with(tape, parent, shift_ns=shift_ns, end=begin))
        before = folder / "before"
        shutil.copytree(site.data, before)
        _play(site, before, seen_with(tape, parent, shift_ns=shift_ns, begin=begin))
    began = time.monotonic()
    told = _passerby("adapt", "start", "--config", str(config), "--minutes", str(minutes), "--json")
    adapting_s = time.monotonic() - began
    job = JobBook(site.data).job(json.loads(told.splitlines()[-1])["number"])
    progress = job.progress()
    began = time.monotonic()
    if progress.model_id is not None:
        force = [] if progress.state == "passed" else ["--force", "--reason", "what would it have been?"]
        _passerby("adapt", "promote", str(job.number), "--config", str(config), *force)
        promoting_s = time.monotonic() - began
        with closing(load_embedder(find_by_id(site, progress.model_id))) as adapted:
            _play(site, site.data, seen_with(tape, adapted, shift_ns=shift_ns, begin=begin))
    from_frame = _frame_of(tape, begin)
    return Result(
        site=name,
        passed=progress.state == "passed",
        reason=progress.reason,
        crops=len(tape.crops),
        adapting_s=adapting_s,
        promoting_s=promoting_s if progress.model_id is not None else 0.0,
        before=_judged(before, tape, from_frame=from_frame),
        after=None if progress.model_id is None else _judged(site.data, tape, from_frame=from_frame),
    )


def _play(site: Site, data: Path, played: Iterable[Batch]) -> None:
    with Hub.open(data, references=SiteReferences(site)) as hub:
        playback = Playback(hub)
        for batch in played:
            playback.take(batch)
        playback.finish()


def _frame_of(tape: PicturedTape, batch: int) -> int:
    """The frame of the cameras at which a batch came."""
    return round((tape.batches[batch].received_at_ns - tape.batches[0].received_at_ns) / 1e9 * MAX_FPS)


def _judged(data: Path, tape: PicturedTape, *, from_frame: int) -> Tracks:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        write_mot(data, out / "all", as_decided=False, cameras=[path.stem for path in tape.truth.glob("*.txt")])
        for name, source in (("found", out / "all"), ("true", tape.truth)):
            (out / name).mkdir()
            for file in source.glob("*.txt"):
                _later(file, out / name / file.name, frame=from_frame)
        truth = read_truth(out / "true", min_visibility=MIN_VISIBILITY)
        found: TrackingQuality = evaluate_tracks(truth, read_predictions(out / "found")).site
    return Tracks(idf1=found.idf1 or 0.0, hota=found.hota or 0.0)


def _later(table_file: Path, out: Path, *, frame: int) -> None:
    """The lines of a table in MOT form after a frame, counted anew from there."""
    rows = [line.split(",", 1) for line in table_file.read_text(encoding="ascii").splitlines()]
    kept = [f"{int(number) - frame},{rest}\n" for number, rest in rows if int(number) > frame]
    out.write_text("".join(kept), encoding="ascii")


def _show(share: float) -> None:
    if sys.stderr.isatty():
        print(f"\r  {share:4.0%} recorded and rendered", end="" if share < 1 else "\n", file=sys.stderr, flush=True)


def _passerby(*arguments: str) -> str:
    """What a command prints; what it says of how it goes is shown. A refusal of the gate is no failure here."""
    done = subprocess.run(
        [sys.executable, "-m", "passerby", *arguments], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode not in (0, 1):
        raise SystemExit(f"passerby {' '.join(arguments)} ended with {done.returncode}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())

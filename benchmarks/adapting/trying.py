"""One adaptation in a process of its own, what `passerby adapt images` does, and what has come of it."""

import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from multiprocessing.queues import Queue
from pathlib import Path

import msgspec

from benchmarks.adapting.scoring import Figures, GuessQuality, guess_quality, judged_by, read_guess
from benchmarks.adapting.subjects import Subject
from passerby.inference import load_embedder
from passerby.models import ModelManifest, find_model
from training.evaluate import read_labelled_images

THREADS = 2


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What is tried; its `name` is that of its file of results."""

    experiment: str
    subject: str
    recipe: str
    model: str
    minutes: float
    seed: int

    @property
    def name(self) -> str:
        """Unlike that of any other trial of the experiment."""
        return f"{self.subject}.{Path(self.model).stem}.{Path(self.recipe).stem}.{self.minutes:g}min.{self.seed}"


class Told(msgspec.Struct, frozen=True):
    """What the process of a trial tells, as far as it is asked here."""

    model: str
    cameras: list[str]
    tracklets: int
    steps: int
    seconds: float


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A trial, the network before and after it, and its last guess. The load is the machine's, of all that runs."""

    trial: Trial
    model: str
    """Name and version of what came out."""
    people: int
    """Adapted to."""
    cameras: int
    tracklets: int
    judged_people: int
    judged_images: int
    before: Figures
    after: Figures
    guess: GuessQuality
    steps: int
    seconds: float
    """Of the adaptation, over all its processes if it was interrupted."""
    process_seconds: float
    """Of the last process, from its start to the finished model."""
    load_before: float
    cores: int


def missing(trials: Sequence[Trial], results: Path, *, again: bool = False) -> list[Trial]:
    """Those of which there is no result; with `again`, all."""
    return [trial for trial in trials if again or not _file(trial, results).exists()]


Attempt = Callable[[Trial], Result]


def do_all(
    trials: Sequence[Trial], results: Path, *, attempt: Attempt, cores: Sequence[frozenset[int]] = ()
) -> list[Trial]:
    """Attempt each and write its result at once; gives those whose process failed, which has said why.

    As many go on at a time as there are sets of `cores`, each in a process that has one of the sets to itself: then
    `attempt` is pickled. Without, they are done here, one after the other.
    """
    tried = partial(_tried, attempt=attempt, of=len(trials))
    numbered = list(enumerate(trials, start=1))
    if not cores:
        return _written((tried(each) for each in numbered), results)
    context = multiprocessing.get_context("spawn")
    free: Queue[frozenset[int]] = context.Queue()
    for each in cores:
        free.put(each)
    with ProcessPoolExecutor(len(cores), mp_context=context, initializer=_pin, initargs=(free,)) as workers:
        return _written(
            (each.result() for each in as_completed([workers.submit(tried, each) for each in numbered])), results
        )


def _pin(free: "Queue[frozenset[int]]") -> None:
    """Keep to one of the sets of cores, this process and those that it will start."""
    os.sched_setaffinity(0, free.get())


def _tried(numbered: tuple[int, Trial], *, attempt: Attempt, of: int) -> tuple[Trial, Result | None]:
    """None where its process failed."""
    number, trial = numbered
    print(f"[{number}/{of}] {trial.experiment}: {trial.name}", file=sys.stderr, flush=True)
    try:
        return trial, attempt(trial)
    except subprocess.CalledProcessError:
        return trial, None


def _written(tried: Iterable[tuple[Trial, Result | None]], results: Path) -> list[Trial]:
    """Write each result as it comes; gives the trials that have none."""
    failed = []
    for trial, result in tried:
        if result is None:
            failed.append(trial)
            continue
        results.mkdir(parents=True, exist_ok=True)
        fresh = _file(trial, results).with_suffix(".fresh")
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode(result)) + b"\n")
        os.replace(fresh, _file(trial, results))
    return failed


def read_results(results: Path) -> Iterator[Result]:
    """All that there are, in the order of their names."""
    for file in sorted(results.glob("*.json")):
        yield msgspec.json.decode(file.read_bytes(), type=Result)


def adapt_and_judge(trial: Trial, subject: Subject, *, results: Path) -> Result:
    """Adapt, or go on where a process was killed, and judge what came out; the model stays in results/NAME.

    Raises CalledProcessError when the adaptation fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        before = judged_by(load_embedder(_unadapted(trial.model, Path(folder)), threads=THREADS), subject.judged)
    out = results / trial.name
    options = [subject.folder, trial.model, out, trial.recipe, trial.minutes, trial.seed, THREADS]
    options += [] if subject.tracklets is None else [subject.tracklets]
    load, began = os.getloadavg()[0], time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.adapting.process", *map(str, options)], check=True, stdout=subprocess.PIPE
    )
    process_seconds = time.perf_counter() - began
    told = msgspec.json.decode(done.stdout.splitlines()[-1], type=Told)
    adapted = read_labelled_images(subject.folder)
    engine = load_embedder(find_model(str(out / "model.onnx"), task="embed"), threads=THREADS)
    return Result(
        trial=trial,
        model=told.model,
        people=len(set(adapted.people.tolist())),
        cameras=len(told.cameras),
        tracklets=told.tracklets,
        judged_people=len(set(subject.judged.people.tolist())),
        judged_images=len(subject.judged),
        before=before,
        after=judged_by(engine, subject.judged),
        guess=guess_quality(read_guess(out / "pseudo-labels.csv", adapted), adapted.people),
        steps=told.steps,
        seconds=told.seconds,
        process_seconds=process_seconds,
        load_before=load,
        cores=os.cpu_count() or 1,
    )


def _unadapted(model: str, folder: Path) -> ModelManifest:
    """What is there without an adaptation: the model of that name, or FILE.pth exported as it is."""
    if not model.endswith(".pth"):
        return find_model(model, task="embed")
    from training.export import export_backbone

    return export_backbone(Path(model), folder / f"{Path(model).stem}.onnx")


def _file(trial: Trial, results: Path) -> Path:
    return results / f"{trial.name}.json"

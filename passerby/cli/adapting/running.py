"""One adaptation from the snapshot to the verdict, in a process of its own; killed, it goes on where it was."""

import json
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import cv2
import msgspec
import numpy as np
from msgspec import structs

from hub.snapshotting import take_snapshot
from passerby.adaptation import Snapshot, read_snapshot
from passerby.adaptation.job import MODEL, PHASES, REPORT, SNAPSHOT, VERDICT, Job, JobProgress, Phase, State
from passerby.adaptation.snapshot import ARRAYS
from passerby.adaptation.verdict import Verdict, write_verdict
from passerby.arrays import Float32Array, Int64Array
from passerby.cli.adapting.budget import memory_guard
from passerby.cli.adapting.site_models import adapted_id, find_by_id, weights_of
from passerby.config import Site
from passerby.errors import ModelError, NotEnoughDataError, PasserbyError, StoppedError
from passerby.inference import EmbeddingEngine, load_embedder
from passerby.models import ModelManifest, read_model

if TYPE_CHECKING:
    from training.gate.guarding import GuardSet

_log = logging.getLogger("passerby.adapt")

HELD_OUT = 0.25
"""Of the people, as the hub has them, the share that is judged by and not learned from."""

_FAULTS = (ArithmeticError, AttributeError, ImportError, LookupError, RuntimeError, TypeError, ValueError)
"""What a fault of ours may raise: it ends the job, which says so."""

_LOOK_EVERY_S = 0.5
_AT_ONCE = 64
"""Crops that are embedded together."""

_JUDGING_S = 20.0
"""Expected of judging, on top of a share of the learning: for the ETA."""


class JobRun:
    """Does one job. `stop` is asked often: once it says so the job is left as it is, to go on another time."""

    def __init__(self, site: Site, job: Job, *, stop: Callable[[], bool]) -> None:
        self._site, self._job, self._stop = site, job, stop
        self._request = job.request
        self._check_memory = memory_guard(job.request.memory_mib)
        self._progress = JobProgress(state="running", at_ns=time.time_ns())
        self._told_at = self._looked_at = float("-inf")
        self._cancelled = False

    def run(self) -> JobProgress:
        """All that is left of it; gives how it ended, or how far it came. Nothing is raised for what the job met."""
        job = self._job
        try:
            verdict = self._phases()
        except StoppedError:
            if not job.is_cancelled:
                self._say(word="interrupted; it goes on by itself", eta_s=None)
                return self._progress
            job.end_cancelled()
            return job.progress()
        except NotEnoughDataError as error:
            self._end("refused", str(error))
        except (PasserbyError, OSError, MemoryError) as error:
            _log.error("adaptation %d: %s", job.number, error)
            self._end("failed", str(error) or type(error).__name__)
        except _FAULTS as error:
            _log.exception("adaptation %d fails", job.number)
            self._end("failed", f"a fault of ours ({type(error).__name__}: {error}); the log has the trace")
        else:
            state: State = "passed" if verdict.passed else "refused"
            self._end(state, "; ".join(verdict.reasons), model_id=adapted_id(job))
        return self._progress

    def _phases(self) -> Verdict:
        from training.gate.holding_out import hold_out

        parent = find_by_id(self._site, self._request.parent_id)
        snapshot = self._freeze(parent)
        learned, held_out = hold_out(snapshot, HELD_OUT, seed=self._request.seed)
        self._learn(snapshot, learned)
        return self._judge(snapshot, held_out, parent=parent)

    def _freeze(self, parent: ModelManifest) -> Snapshot:
        folder = self._job.folder / SNAPSHOT
        self._tell("freezing", 0.0, "the latest crops")
        if not (folder / ARRAYS).exists():
            take_snapshot(
                self._site.data,
                folder,
                site=self._site.site,
                model_id=parent.model_id,
                dimension=_dimension(parent),
                most_crops=self._request.most_crops,
                taken_at_ns=time.time_ns(),
                progress=lambda share: self._tell("freezing", share, "the latest crops"),
            )
        return read_snapshot(folder)

    def _learn(self, snapshot: Snapshot, rows: Int64Array) -> None:
        """Leave the adapted model in the job's folder, unless a former process has."""
        from training.adapting.order import Order
        from training.adapting.recipe import read_recipe
        from training.adapting.snapshots import adapt_snapshot

        out = self._job.folder / MODEL
        if (out / "report.json").exists():
            return
        phases: dict[str, Phase] = {"reading": "reading", "adapting": "learning", "exporting": "exporting"}
        order = Order(
            model=weights_of(self._site, self._request.parent),
            recipe_name=self._request.recipe,
            recipe=read_recipe(self._request.recipe),
            seed=self._request.seed,
            minutes=self._request.minutes,
            threads=self._request.threads,
        )
        adapt_snapshot(
            snapshot,
            rows,
            order,
            out=out,
            progress=lambda part, share, word: self._tell(phases[part], share, word),
            stop=self._must_stop,
        )

    def _judge(self, snapshot: Snapshot, held_out: Int64Array, *, parent: ModelManifest) -> Verdict:
        from passerby.cli.adapting.guard import guard_set
        from training.adapting.checkpoint import RoundReport
        from training.gate.judging import judge
        from training.gate.report import write_report

        made = self._job.folder / MODEL
        candidate = read_model(made / "model.onnx")
        guard = guard_set()
        everybody = np.arange(snapshot.crops)
        total = 2 * (len(guard.pictures) + snapshot.crops)
        done = 0

        def tell(more: int) -> None:
            nonlocal done
            done += more
            self._tell("judging", done / total, "before and after")

        seen: list[tuple[Float32Array, Float32Array]] = []
        for manifest in (parent, candidate):
            engine = load_embedder(manifest, engine=self._site.engine, threads=self._request.threads)
            try:
                known = snapshot.embeddings if manifest is parent else None
                crops = _embedded(engine, snapshot, everybody, known=known, tell=tell)
                seen.append((crops, _embedded_guard(engine, guard, tell=tell)))
            finally:
                engine.close()
        verdict = judge(
            snapshot,
            held_out,
            parent=seen[0][0],
            candidate=seen[1][0],
            guard=(guard, seen[0][1], seen[1][1]),
            seed=self._request.seed,
        )
        write_verdict(verdict, self._job.folder / VERDICT)
        write_report(
            self._job.folder / REPORT,
            verdict,
            title=f"{snapshot.site}: adaptation {self._job.number} of {parent.model_id}",
            sheet=np.asarray(cv2.imread(str(made / "clusters.jpg")), np.uint8),
            rounds=msgspec.convert(json.loads((made / "report.json").read_bytes())["rounds"], list[RoundReport]),
        )
        return verdict

    def _must_stop(self) -> bool:
        """Asked before every picture and step: what costs a look at the system is looked at now and then."""
        if time.monotonic() - self._looked_at >= _LOOK_EVERY_S:
            self._looked_at = time.monotonic()
            self._check_memory()
            self._cancelled = self._job.is_cancelled
        return self._cancelled or self._stop()

    def _pulse(self) -> None:
        if self._must_stop():
            raise StoppedError("the adaptation was stopped; started again it goes on from its last round")

    def _tell(self, phase: Phase, share: float, word: str) -> None:
        """Say how far it is, not more often than anybody looks."""
        self._pulse()
        if phase == self._progress.phase and time.monotonic() - self._told_at < _LOOK_EVERY_S:
            return
        self._told_at = time.monotonic()
        eta_s = _eta_s(phase, share, minutes=self._request.minutes)
        self._say(phase=phase, share=round(share, 4), word=word, eta_s=eta_s)

    def _say(self, **changes: Any) -> None:
        self._progress = structs.replace(self._progress, at_ns=time.time_ns(), **changes)
        self._job.tell(self._progress)

    def _end(self, state: State, reason: str, **more: Any) -> None:
        self._say(state=state, word="", eta_s=None, reason=reason, **more)


def _embedded(
    engine: EmbeddingEngine,
    snapshot: Snapshot,
    rows: Int64Array,
    *,
    known: Float32Array | None,
    tell: Callable[[int], None],
) -> Float32Array:
    """Raw embeddings (n, d) of the snapshot's crops `rows`; those that are `known` are not made again."""
    found = np.empty((len(rows), _dimension(engine.manifest)), np.float32)
    for begin in range(0, len(rows), _AT_ONCE):
        some = rows[begin : begin + _AT_ONCE]
        stored = None if known is None else known[some]
        if stored is None or not np.isfinite(stored).all():
            cameras = [snapshot.cameras[row] for row in snapshot.crop_cameras[some]]
            stored = engine.embed(snapshot.pictures(some), cameras)
        found[begin : begin + len(some)] = stored
        tell(len(some))
    return found


def _embedded_guard(engine: EmbeddingEngine, guard: "GuardSet", *, tell: Callable[[int], None]) -> Float32Array:
    """Raw embeddings (n, d) of labelled pictures, by cameras that no site's network knows."""
    found = []
    for begin in range(0, len(guard), _AT_ONCE):
        some = slice(begin, begin + _AT_ONCE)
        found.append(engine.embed(guard.pictures[some], guard.camera_ids[some]))
        tell(len(found[-1]))
    return np.concatenate(found)


def _dimension(manifest: ModelManifest) -> int:
    if manifest.embedding is None:
        raise ModelError(f"{manifest.name} is no re-ID network: its task is `{manifest.task}`")
    return manifest.embedding.dimension


def _eta_s(phase: Phase | None, share: float, *, minutes: float) -> float | None:
    """Seconds to the end: what is left of the learning, which keeps to its time, and what judging usually takes."""
    if phase is None:
        return None
    judging = _JUDGING_S + 6.0 * minutes
    at = PHASES.index(phase)
    learning = 60.0 * minutes if at < PHASES.index("learning") else 0.0
    if phase == "learning":
        learning = 60.0 * minutes * (1.0 - share)
    return round(learning + (judging * (1.0 - share) if phase == "judging" else judging), 1)

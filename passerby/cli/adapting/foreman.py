"""Who starts adaptations beside a running hub, keeps several models' embeddings up to date, and says who uses which."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from hub.camera_reports import camera_reports
from hub.model_offers import ModelOffers, WantedModels
from hub.reader import SiteReader
from hub.rollout import Rollout
from passerby.adaptation.job import Job, JobBook, JobProgress, Trigger
from passerby.adaptation.schedule import ScheduleBook, local_time
from passerby.cli.adapting.asking import Wishes, ask
from passerby.cli.adapting.site_models import find_by_id, find_site_model
from passerby.cli.supervising.children import Child
from passerby.config import Site
from passerby.errors import ConfigError, PasserbyError
from passerby.models import ModelManifest

_log = logging.getLogger("passerby.hub")

LOOK_S = 1.0
_PATIENCE_S = 20.0
"""How long a job may take to leave a checkpoint behind: a step of learning, or one round of guessing."""

_MOST_DEATHS = 3
"""A job whose process died so often is given up."""

_RARELY_S = 60.0
"""Between looks at the timetable and at drift."""

_BETWEEN_DRIFTS = timedelta(hours=6)


class Foreman:
    """Looks once a second, in a thread of its own from `__enter__` on: it never holds up the hub.

    Whatever it starts are processes that give way to all others. What it meets is logged, and tried again.
    """

    def __init__(self, site: Site, config: Path, *, offers: ModelOffers) -> None:
        self._site, self._config, self._offers = site, config, offers
        self._book = JobBook(site.data)
        self._schedule = ScheduleBook(site.data, site.adaptation)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="foreman", daemon=True)
        self._began = datetime.now(UTC).astimezone()
        self._rarely_at = 0.0
        self._job: tuple[Job, Child] | None = None
        self._embedding: tuple[tuple[str, ...], Child] | None = None
        self._followed = 0
        """Steps of the rollouts' log that are carried out; before the first, every edge has what it brings."""
        self._said: dict[str, str] = {}

    def __enter__(self) -> Self:
        self._look(self._tend_models)  # edges that come at once are told the right model
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        children = [one[1] for one in (self._job, self._embedding) if one is not None]
        for child in children:
            child.ask_to_stop()
        for child in children:
            child.stop(patience_s=_PATIENCE_S)

    def _work(self) -> None:
        while not self._stop.wait(LOOK_S):
            self._look(self._tend_job)
            self._look(self._tend_models)
            self._look(self._tend_schedule)
            if time.monotonic() >= self._rarely_at:
                self._rarely_at = time.monotonic() + _RARELY_S
                self._look(self._tend_timetable)

    def _look(self, at: Callable[[], None]) -> None:
        """Do one thing; what goes wrong with it is said once, until it changes."""
        try:
            at()
        except PasserbyError as error:
            said = str(error)
        except OSError as error:
            said = f"{type(error).__name__}: {error}"
        else:
            self._said.pop(at.__name__, None)
            return
        if self._said.get(at.__name__) != said:
            self._said[at.__name__] = said
            _log.error("%s", said)

    def _tend_job(self) -> None:
        if self._job is None:
            job = self._book.under_way()
            if job is not None and not self._book.is_done_now():
                if job.is_cancelled:
                    job.end_cancelled()
                    return
                _log.info("adaptation %d begins, or goes on", job.number)
                child = self._child("adaptation", "adapt", "run", str(job.number))
                child.start()
                self._job = (job, child)
            return
        job, child = self._job
        if child.has_ended():
            progress = job.progress()
            _log.info("adaptation %d: %s %s", job.number, progress.state, progress.reason)
            self._job = None
        elif child.restarts >= _MOST_DEATHS:
            child.stop(patience_s=_PATIENCE_S)
            self._give_up(job, f"its process {child.state}, repeatedly")
        else:
            try:
                child.keep_alive()
            except ConfigError as error:  # to try again would not help
                self._give_up(job, str(error))

    def _give_up(self, job: Job, reason: str) -> None:
        job.tell(JobProgress(state="failed", at_ns=time.time_ns(), reason=reason))
        _log.error("adaptation %d: failed: %s", job.number, reason)
        self._job = None

    def _tend_schedule(self) -> None:
        fresh = self._schedule.go_by(now_ns=time.time_ns())
        if fresh is not None:
            _log.info("adaptations by schedule: %s", fresh)

    def _tend_timetable(self) -> None:
        jobs = self._book.jobs()
        now = datetime.now(UTC).astimezone()
        with SiteReader(self._site.data) as reader:
            plan = self._schedule.plan(jobs, newest_tracklet=reader.last_tracklet_number(), now=now)
        if not plan.by_itself or plan.lacks or self._book.under_way() is not None:
            return
        last = local_time(jobs[-1].request.asked_at_ns) if jobs else self._began
        trigger: Trigger | None = "schedule" if plan.due is not None and plan.due <= now else None
        if trigger is None and plan.settings.on_drift and now - last > _BETWEEN_DRIFTS and self._drifts():
            trigger = "drift"
        if trigger is not None:
            job = ask(self._site, Wishes(seed=len(jobs) + 1), actor="hub", trigger=trigger)
            _log.info("adaptation %d is asked for by %s: %d new tracklets", job.number, trigger, plan.new_tracklets)

    def _drifts(self) -> bool:
        deployed = self._wanted(self._rollout()).default.model_id
        reports = camera_reports(self._site.data).get(deployed, ())
        return any(camera.alarm for camera in reports)

    def _tend_models(self) -> None:
        with SiteReader(self._site.data) as reader:
            history = reader.rollout_history()
        if len(history) != self._followed:
            # Once for each step of the log: to find a model means to read its file for its checksum.
            rollout = Rollout().after(history)
            self._offers.want(self._wanted(rollout))
            self._embed_by(tuple(sorted(self._answering(rollout))))
            self._followed = len(history)
        elif self._embedding is not None:
            self._embedding[1].keep_alive()

    def _embed_by(self, models: tuple[str, ...]) -> None:
        """Have everybody embedded by each of these models, where there are several."""
        if self._embedding is not None and self._embedding[0] != models:
            self._embedding[1].stop(patience_s=_PATIENCE_S)
            self._embedding = None
        if self._embedding is None and len(models) > 1:
            child = self._child("embedding", "adapt", "embed", *models)
            child.start()
            self._embedding = (models, child)

    def _rollout(self) -> Rollout:
        with SiteReader(self._site.data) as reader:
            return reader.rollout()

    def _wanted(self, rollout: Rollout) -> WantedModels:
        """Which model each camera is to be seen with."""
        default = self._deployed(rollout)
        if rollout.stage != "canary" or rollout.candidate is None:
            return WantedModels(default, {})
        candidate = find_by_id(self._site, rollout.candidate)
        return WantedModels(default, dict.fromkeys(rollout.cameras, candidate))

    def _deployed(self, rollout: Rollout) -> ModelManifest:
        if rollout.deployed is None:
            return find_site_model(self._site, self._site.models.reid)
        return find_by_id(self._site, rollout.deployed)

    def _answering(self, rollout: Rollout) -> set[str]:
        """The models in whose embeddings people are to be found: with more than one, each needs those of the others."""
        models = {self._deployed(rollout).model_id}
        if rollout.candidate is not None:
            models.add(rollout.candidate)
        if rollout.deployed is not None:
            before = rollout.former or find_site_model(self._site, self._site.models.reid).model_id
            models.add(before)
        return set(map(str, models))

    def _child(self, name: str, *arguments: str) -> Child:
        log = self._site.data / "logs" / f"{name}.log"
        return Child(name, [*arguments, "--config", str(self._config)], log=log)

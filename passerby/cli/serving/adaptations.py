"""Adaptations for who asks by way of the web: the same that `passerby adapt` does."""

import functools
import logging
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from hub.corrections.acts import Rollback
from hub.corrections.desk import request_correction
from hub.reader import SiteReader
from passerby.adaptation.job import REPORT, Job, JobBook
from passerby.adaptation.schedule import Plan, ScheduleBook
from passerby.cli.adapting.asking import Wishes, ask
from passerby.cli.adapting.needs import require_training
from passerby.cli.adapting.rollout import (
    embed_everybody,
    into_the_shadow,
    require_cameras,
    require_passed,
    to_the_cameras,
)
from passerby.config import Site
from passerby.errors import DataError, PasserbyError
from passerby.ids import CameraId, ModelId

_log = logging.getLogger("passerby.web")


class SiteAdaptations:
    """Implements `hub.services.Adaptations`. One promotion is under way at a time."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._book = JobBook(site.data)
        self._schedule = ScheduleBook(site.data, site.adaptation)
        self._promoting = threading.Lock()

    def start(self, *, actor: str, minutes: float | None = None, recipe: str | None = None) -> Job:
        require_training()
        return ask(self._site, Wishes(minutes=minutes, recipe=recipe), actor=actor, trigger="hand")

    def jobs(self) -> Sequence[Job]:
        return self._book.jobs()

    def job(self, number: int) -> Job:
        return self._book.job(number)

    def cancel(self, number: int, *, actor: str) -> None:
        self._book.cancel(number)
        _log.info("adaptation %d is cancelled by %s", number, actor)

    def compare(self, number: int) -> str:
        report = self._book.job(number).folder / REPORT
        if not report.exists():
            raise DataError(f"adaptation {number} has no report: it is {self._book.job(number).progress().state}")
        return report.read_text(encoding="utf-8")

    def promote(self, number: int, *, actor: str, cameras: Sequence[CameraId] = ()) -> str:
        job = self._book.job(number)
        require_passed(job, force=False, reason="")
        require_cameras(self._site, cameras)
        if not self._promoting.acquire(blocking=False):
            raise DataError("a model is on its way to the cameras already: wait until that is done")
        try:
            reason = f"by {actor}"
            model_id = into_the_shadow(self._site, job, reason=reason, behalf=actor)
            finish = functools.partial(self._finish, model_id, actor, tuple(cameras))
            threading.Thread(target=finish, name="promotion", daemon=True).start()
        except PasserbyError:
            self._promoting.release()
            raise
        where = f"camera {', '.join(cameras)} switches" if cameras else "the cameras switch"
        return f"{model_id}: everybody known is embedded anew, then {where}"

    def rollback(self, *, actor: str) -> str:
        request_correction(self._site.data, Rollback(reason=f"by {actor}"), behalf=actor)
        with SiteReader(self._site.data) as reader:
            deployed = reader.rollout().deployed
        return f"deployed: {deployed or 'the model of the site file'}"

    def plan(self, *, newest_tracklet: int) -> Plan:
        now = datetime.now(UTC).astimezone()
        return self._schedule.plan(self._book.jobs(), newest_tracklet=newest_tracklet, now=now)

    def tell_schedule(self, *, actor: str, schedule: str | None = None, min_new_tracklets: int | None = None) -> None:
        self._schedule.tell(actor=actor, at_ns=time.time_ns(), schedule=schedule, min_new_tracklets=min_new_tracklets)

    def forget_schedule(self) -> None:
        self._schedule.forget()

    def _finish(self, model_id: ModelId, actor: str, cameras: tuple[CameraId, ...]) -> None:
        """Interrupted, the model stays in the shadow: to promote it again goes on."""
        try:
            embed_everybody(self._site, model_id, show=lambda _done, _total: None)
            to_the_cameras(self._site, model_id, cameras=cameras, reason=f"by {actor}", force=False, behalf=actor)
            _log.info("%s goes to the cameras", model_id)
        except PasserbyError as error:
            _log.error("%s is not promoted: %s", model_id, error)
        finally:
            self._promoting.release()

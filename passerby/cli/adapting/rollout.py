"""From an adapted model that has passed to the cameras, step by step; interrupted, the same call goes on."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from hub.corrections.acts import Stage
from hub.corrections.desk import request_correction
from hub.ownership import is_owned
from hub.reader import SiteReader
from hub.site_hub import Hub
from hub.twins.inbox import TwinInbox
from hub.twins.making import TwinMaker
from passerby.adaptation.job import UNDER_WAY, Job
from passerby.cli.adapting.budget import threads_of
from passerby.cli.adapting.references import SiteReferences
from passerby.cli.adapting.site_models import enlist, find_by_id
from passerby.config import Site
from passerby.config.attached import site_cameras
from passerby.errors import ConfigError, DataError
from passerby.ids import CameraId, ModelId
from passerby.inference import load_embedder

_LOOK_S = 0.5
_STANDSTILL_S = 30.0
"""So long without one more who is embedded anew, and no more are expected."""


def require_passed(job: Job, *, force: bool, reason: str) -> None:
    """Raise DataError unless the gate has passed what the job made, or somebody says why to use it all the same."""
    progress = job.progress()
    if progress.state in UNDER_WAY:
        raise DataError(f"adaptation {job.number} is {progress.state}: wait for its verdict")
    if progress.state == "passed":
        return
    if progress.state != "refused" or progress.model_id is None:
        raise DataError(f"adaptation {job.number} left no model: it was {progress.state} ({progress.reason})")
    if not force:
        raise DataError(
            f"adaptation {job.number} was refused: {progress.reason}; `passerby adapt compare {job.number}` shows why, "
            "--force --reason WHY overrules it"
        )
    if not reason.strip():
        raise ConfigError("--force overrules the gate: say why with --reason, it is kept on record")


def require_cameras(site: Site, cameras: Sequence[CameraId]) -> None:
    """Raise DataError for a camera that the site has not."""
    known = site_cameras(site)
    unknown = [camera for camera in cameras if camera not in known]
    if unknown:
        raise DataError(f"there is no camera {unknown[0]}; the site has {', '.join(sorted(known))}")


def into_the_shadow(site: Site, job: Job, *, reason: str, behalf: str = "") -> ModelId:
    """Put the model among the site's, and let everybody be embedded by it too; nothing depends on that yet.

    `behalf`: for whom, if not for this process's own user.
    """
    model_id = enlist(site, job).model_id
    with SiteReader(site.data) as reader:
        rollout = reader.rollout()
    if model_id not in (rollout.deployed, rollout.candidate):
        request_correction(site.data, Stage(model=model_id, stage="shadow", reason=reason), behalf=behalf)
    return model_id


def embed_everybody(site: Site, model_id: ModelId, *, show: Callable[[int, int], None]) -> None:
    """Wait until those who stand for known people are embedded by a model, or those that are left have no pictures.

    The hub's process does it; where no hub runs, this one. `show` is told how many are, of how many.
    """
    if not is_owned(site.data):
        _embed_here(site, model_id)
    best, since = -1, time.monotonic()
    while True:
        with SiteReader(site.data) as reader:
            coverage = reader.coverage(model_id)
        known = coverage.native + coverage.from_crops + coverage.mapped
        show(known, coverage.prototypes)
        if known > best:
            best, since = known, time.monotonic()
        if known >= coverage.prototypes or time.monotonic() - since > _STANDSTILL_S:
            return
        time.sleep(_LOOK_S)


def to_the_cameras(
    site: Site, model_id: ModelId, *, cameras: tuple[CameraId, ...], reason: str, force: bool, behalf: str = ""
) -> None:
    """Let these cameras use it, or all where none is named. Raises DataError where too many would not be known."""
    stage: Literal["canary", "promoted"] = "canary" if cameras else "promoted"
    act = Stage(model=model_id, stage=stage, cameras=cameras, reason=reason, force=force)
    request_correction(site.data, act, behalf=behalf)


@contextlib.contextmanager
def twin_maker(site: Site, model_id: ModelId) -> Iterator[TwinMaker]:
    """What embeds kept crops by a model, with few threads."""
    threads = threads_of(site.adaptation.threads)
    engine = load_embedder(find_by_id(site, model_id), engine=site.engine, threads=threads)
    with contextlib.closing(engine), TwinMaker(site.data, engine) as maker:
        yield maker


def _embed_here(site: Site, model_id: ModelId) -> None:
    """Make what fits into the hub's inbox, take it in its place, until nothing is left to make."""
    made = True
    while made:
        made = False
        with twin_maker(site, model_id) as maker:
            while not maker.is_ahead() and maker.step():
                made = True
        with Hub.open(site.data, association=site.association, references=SiteReferences(site)) as hub:
            inbox = TwinInbox(hub, site.data)
            while inbox.serve():
                pass

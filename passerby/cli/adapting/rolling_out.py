"""`passerby adapt promote|rollback`: from a verdict to the cameras, and back."""

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from hub.corrections.acts import Rollback, Stage
from hub.corrections.desk import request_correction
from hub.ownership import is_owned
from hub.reader import SiteReader
from hub.site_hub import Hub
from hub.twins.inbox import TwinInbox
from hub.twins.making import POLL_S, TwinMaker
from passerby.adaptation.job import UNDER_WAY, Job, JobBook
from passerby.cli.adapting.budget import give_way, threads_of
from passerby.cli.adapting.site_models import enlist, find_by_id
from passerby.cli.place import CONFIG, DATA, data_folder
from passerby.cli.process import log_to_stderr, stop_on_signals
from passerby.config import Site, load_site
from passerby.errors import ConfigError, DataError
from passerby.ids import CameraId, ModelId
from passerby.inference import load_embedder

app = typer.Typer()

_SITE = typer.Option(..., "--config", help="The site file.")
_REASON = Annotated[str, typer.Option(help="Why, for the record.")]
_LOOK_S = 0.5
_STANDSTILL_S = 30.0
"""So long without one more who is embedded anew, and no more are expected."""


@app.command()
def promote(
    number: Annotated[int, typer.Argument(metavar="ID", help="The adaptation's number.")],
    *,
    config: Path = _SITE,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="Only embed everybody with it too; nothing depends on it.")
    ] = False,
    canary: Annotated[
        list[str] | None, typer.Option(metavar="CAMERA", help="Only this camera uses it; may be given several times.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Although the gate refused it; wants a --reason.")] = False,
    reason: _REASON = "",
) -> None:
    """Let the cameras use an adapted model: everybody known is embedded anew first, then the edges switch.

    Nothing stops meanwhile, and `passerby adapt rollback` takes it back in a moment.
    """
    site = load_site(config, secrets="left")
    job = JobBook(site.data).job(number)
    _must_have_passed(job, force=force, reason=reason)
    cameras = tuple(CameraId(one) for one in canary or ())
    unknown = [one for one in cameras if one not in site.cameras]
    if unknown:
        raise ConfigError(f"--canary {unknown[0]}: {config} has no such camera; it has {', '.join(site.cameras)}")
    model_id = enlist(site, job).model_id
    console = Console()
    with SiteReader(site.data) as reader:
        rollout = reader.rollout()
    if rollout.deployed == model_id:
        console.print(f"{model_id} is deployed already", highlight=False)
        return
    if rollout.candidate != model_id:
        request_correction(site.data, Stage(model=model_id, stage="shadow", reason=reason))
    _embed_everybody(site, model_id, console)
    if shadow:
        console.print(f"{model_id} is in the shadow: it sees everybody, and nothing depends on it", highlight=False)
        return
    stage = Stage(model=model_id, stage="canary" if cameras else "promoted", cameras=cameras, reason=reason)
    request_correction(site.data, stage)
    where = f"camera {', '.join(cameras)}" if cameras else "all cameras"
    console.print(
        f"{where}: {model_id}; edges switch as soon as they have it. `passerby adapt rollback` takes it back",
        highlight=False,
        soft_wrap=True,
    )


@app.command()
def rollback(*, config: Path | None = CONFIG, data: Path | None = DATA, reason: _REASON = "") -> None:
    """Go back to the model before: the one that is tried out goes first, else the deployed one."""
    folder = data_folder(config, data)
    request_correction(folder, Rollback(reason=reason))
    with SiteReader(folder) as reader:
        deployed = reader.rollout().deployed
    typer.echo(f"deployed: {deployed or 'the model of the site file'}")


@app.command(hidden=True)
def embed(
    models: Annotated[list[str], typer.Argument(metavar="MODEL...", help="Models as name@version.")],
    *,
    config: Path = _SITE,
) -> None:
    """Keep everybody embedded in each of these models, from kept crops: the hub calls this."""
    site = load_site(config, secrets="left")
    log_to_stderr()
    stop = stop_on_signals()
    give_way()
    with contextlib.ExitStack() as opened:
        makers = [opened.enter_context(_maker(site, ModelId(one))) for one in models]
        while not stop.is_set():
            worked = [maker.step() for maker in makers if not maker.is_ahead()]
            if not any(worked):
                stop.wait(POLL_S)


@contextlib.contextmanager
def _maker(site: Site, model_id: ModelId) -> Iterator[TwinMaker]:
    threads = threads_of(site.adaptation.threads)
    engine = load_embedder(find_by_id(site, model_id), engine=site.engine, threads=threads)
    with contextlib.closing(engine), TwinMaker(site.data, engine) as maker:
        yield maker


def _must_have_passed(job: Job, *, force: bool, reason: str) -> None:
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


def _embed_everybody(site: Site, model_id: ModelId, console: Console) -> None:
    """Wait until those who stand for people are embedded in a model: by the hub's process, or here where none runs."""
    bars = Progress(
        TextColumn("embedding everybody known"), BarColumn(), MofNCompleteColumn(), console=console, transient=True
    )
    with bars:
        task = bars.add_task("", total=None)

        def show() -> tuple[int, int]:
            with SiteReader(site.data) as reader:
                coverage = reader.coverage(model_id)
            known = coverage.native + coverage.from_crops + coverage.mapped
            bars.update(task, completed=known, total=coverage.prototypes)
            return known, coverage.prototypes

        if not is_owned(site.data):
            _embed_here(site, model_id)
        _wait(show)


def _embed_here(site: Site, model_id: ModelId) -> None:
    """Where no hub runs, in its place: make what fits into its inbox, take it, until nothing is left to make."""
    made = True
    while made:
        made = False
        with _maker(site, model_id) as maker:
            while not maker.is_ahead() and maker.step():
                made = True
        with Hub.open(site.data, association=site.association) as hub:
            inbox = TwinInbox(hub, site.data)
            while inbox.serve():
                pass


def _wait(show: Callable[[], tuple[int, int]]) -> None:
    """Until all are known, or those that are left have no pictures: then the hub decides whether it is enough."""
    best, since = -1, time.monotonic()
    while True:
        done, total = show()
        if done >= total:
            return
        if done > best:
            best, since = done, time.monotonic()
        if time.monotonic() - since > _STANDSTILL_S:
            return
        time.sleep(_LOOK_S)

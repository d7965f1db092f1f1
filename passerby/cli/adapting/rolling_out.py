"""`passerby adapt promote|rollback`: from a verdict to the cameras, and back."""

import contextlib
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from hub.corrections.acts import Rollback
from hub.corrections.desk import request_correction
from hub.reader import SiteReader
from hub.twins.making import POLL_S
from passerby.adaptation.job import JobBook
from passerby.cli.adapting.budget import give_way
from passerby.cli.adapting.rollout import (
    embed_everybody,
    into_the_shadow,
    require_cameras,
    require_passed,
    to_the_cameras,
    twin_maker,
)
from passerby.cli.place import CONFIG, DATA, data_folder
from passerby.cli.process import log_to_stderr, stop_on_signals
from passerby.config import load_site
from passerby.ids import CameraId, ModelId

app = typer.Typer()

_SITE = typer.Option(..., "--config", help="The site file.")
_REASON = Annotated[str, typer.Option(help="Why, for the record.")]


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
    require_passed(job, force=force, reason=reason)
    cameras = tuple(CameraId(one) for one in canary or ())
    require_cameras(site, cameras)
    console = Console(highlight=False, soft_wrap=True)
    model_id = into_the_shadow(site, job, reason=reason)
    columns = (TextColumn("embedding everybody known"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task("", total=None)
        embed_everybody(site, model_id, show=lambda done, total: bars.update(task, completed=done, total=total))
    if shadow:
        console.print(f"{model_id} is in the shadow: it sees everybody, and nothing depends on it")
        return
    to_the_cameras(site, model_id, cameras=cameras, reason=reason, force=force)
    where = f"camera {', '.join(cameras)}" if cameras else "all cameras"
    console.print(f"{where}: {model_id}; edges switch as soon as they have it. `passerby adapt rollback` takes it back")


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
        makers = [opened.enter_context(twin_maker(site, ModelId(one))) for one in models]
        while not stop.is_set():
            worked = [maker.step() for maker in makers if not maker.is_ahead()]
            if not any(worked):
                stop.wait(POLL_S)

"""`passerby adapt start|status|cancel|list|show|compare`: an adaptation of a site, from asking to the verdict."""

import json
import os
import shutil
import threading
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from hub.corrections.requests import user_name
from hub.ownership import is_owned
from hub.reader import SiteReader
from passerby.adaptation.job import REPORT, UNDER_WAY, VERDICT, Job, JobBook
from passerby.adaptation.verdict import read_verdict
from passerby.cli.adapting.asking import Estimate, Wishes, ask, estimate
from passerby.cli.adapting.budget import give_way
from passerby.cli.adapting.needs import require_training
from passerby.cli.adapting.running import JobRun
from passerby.cli.adapting.showing import details, follow, said, table_of
from passerby.cli.place import CONFIG, DATA, data_folder
from passerby.cli.process import log_to_stderr, stop_on_signals
from passerby.config import Site, load_site
from passerby.errors import DataError

app = typer.Typer()

_AS_JSON = typer.Option(False, "--json", help="Machine-readable.")
_SITE = typer.Option(..., "--config", help="The site file.")
_Number = Annotated[int, typer.Argument(metavar="ID", help="The adaptation's number.")]


@app.command()
def start(
    *,
    config: Path = _SITE,
    minutes: Annotated[
        float | None, typer.Option(min=0.1, help="Of learning.  [default: adaptation.minutes]", show_default=False)
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help="A recipe.  [default: adaptation.recipe]", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of all that is drawn.")] = 1,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would learn from, and take.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Show how it goes until it has ended.")] = False,
    as_json: bool = _AS_JSON,
) -> None:
    """Adapt the site's re-ID model to the site, in the background; nothing changes until it is promoted.

    The running hub does it; where none runs, this command does.
    """
    site = load_site(config, secrets="left")
    wishes = Wishes(minutes=minutes, recipe=recipe, seed=seed)
    if dry_run:
        _tell_estimate(estimate(site, wishes), as_json=as_json)
        return
    require_training()
    job = ask(site, wishes, actor=user_name(os.getuid()), trigger="hand")
    console = Console(stderr=as_json)
    here = not is_owned(site.data)
    if here:
        console.print("no hub runs on these data: the adaptation is done here; Ctrl-C interrupts it", highlight=False)
        stop = stop_on_signals()
        work = threading.Thread(target=_do, args=(site, job, stop), name="adaptation")
        work.start()
        follow(job, console, is_alive=work.is_alive)
        work.join()
    elif wait:
        follow(job, console, is_alive=lambda: is_owned(site.data))
    _tell_one(job, JobBook(site.data), as_json=as_json)
    if job.progress().state in ("failed", "refused"):
        raise typer.Exit(1)


@app.command()
def status(
    *,
    config: Path | None = CONFIG,
    data: Path | None = DATA,
    wait: Annotated[bool, typer.Option("--wait", help="Show how it goes until it has ended.")] = False,
    as_json: bool = _AS_JSON,
) -> None:
    """How the latest adaptation stands, and which model is deployed."""
    folder = data_folder(config, data)
    book = JobBook(folder)
    jobs = book.jobs()
    if wait and jobs:
        follow(jobs[-1], Console(stderr=as_json), is_alive=lambda: is_owned(folder))
    if jobs:
        _tell_one(jobs[-1], book, as_json=as_json)
    elif as_json:
        typer.echo("null")
    else:
        typer.echo("nothing was adapted here yet; `passerby adapt start --config SITE` begins")
    if not as_json:
        typer.echo(_rollout(folder))


@app.command()
def cancel(number: _Number, *, config: Path | None = CONFIG, data: Path | None = DATA) -> None:
    """End an adaptation that is under way, and leave nothing of it but its record."""
    JobBook(data_folder(config, data)).cancel(number)
    typer.echo(f"adaptation {number} is cancelled")


@app.command("list")
def list_jobs(*, config: Path | None = CONFIG, data: Path | None = DATA, as_json: bool = _AS_JSON) -> None:
    """All adaptations of a site."""
    folder = data_folder(config, data)
    jobs = JobBook(folder).jobs()
    if as_json:
        typer.echo(json.dumps([_facts(job) for job in jobs]))
    else:
        Console().print(table_of(jobs, deployed=_deployed(folder)))


@app.command()
def show(number: _Number, *, config: Path | None = CONFIG, data: Path | None = DATA, as_json: bool = _AS_JSON) -> None:
    """All that is known of one adaptation: what was asked, how it went, every figure of the gate."""
    job = JobBook(data_folder(config, data)).job(number)
    if as_json:
        typer.echo(json.dumps(_facts(job)))
    else:
        Console().print(details(job))


@app.command()
def compare(
    number: _Number,
    *,
    config: Path | None = CONFIG,
    data: Path | None = DATA,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Also put it there.", show_default=False)
    ] = None,
) -> None:
    """Where the report of an adaptation is: one HTML file, the model before and after in figures and pictures."""
    job = JobBook(data_folder(config, data)).job(number)
    report = job.folder / REPORT
    if not report.exists():
        raise DataError(f"adaptation {number} has no report: it {_why_none(job)}")
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(report, out)
        report = out
    typer.echo(str(report.resolve()))


@app.command(hidden=True)
def run(number: _Number, *, config: Path = _SITE) -> None:
    """Do an adaptation that was asked for: the hub calls this."""
    require_training()
    log_to_stderr()
    site = load_site(config, secrets="left")
    stop = stop_on_signals()
    give_way()
    _do(site, JobBook(site.data).job(number), stop)


def _do(site: Site, job: Job, stop: threading.Event) -> None:
    with JobBook(site.data).doing():
        if job.progress().state in UNDER_WAY:  # it may have been cancelled while this process started
            JobRun(site, job, stop=stop.is_set).run()


def _tell_estimate(found: Estimate, *, as_json: bool) -> None:
    size = found.size
    if as_json:
        facts = {
            "people": size.people,
            "tracklets": size.tracklets,
            "crops": size.crops,
            "cameras": list(size.cameras),
            "minutes": round(found.minutes, 1),
            "disk_mib": found.disk_mib,
        }
        typer.echo(json.dumps(facts))
        return
    typer.echo(
        f"it would learn from {size.crops} crops of {size.tracklets} tracklets of {size.people} people, as the hub has "
        f"them, in {len(size.cameras)} cameras; take about {found.minutes:.1f} minutes and {found.disk_mib} MiB of disk"
    )


def _tell_one(job: Job, book: JobBook, *, as_json: bool) -> None:
    typer.echo(json.dumps(_facts(job)) if as_json else said(job, job.progress(), book))


def _facts(job: Job) -> dict[str, Any]:
    verdict = job.folder / VERDICT
    return {
        **msgspec.to_builtins(job.request),
        **msgspec.to_builtins(job.progress()),
        "verdict": msgspec.to_builtins(read_verdict(verdict)) if verdict.exists() else None,
    }


def _deployed(folder: Path) -> str | None:
    with SiteReader(folder) as reader:
        return reader.rollout().deployed


def _rollout(folder: Path) -> str:
    with SiteReader(folder) as reader:
        rollout = reader.rollout()
    if rollout.candidate is not None:
        return f"{rollout.candidate} is tried out ({rollout.stage})"
    return f"deployed: {rollout.deployed or 'the model of the site file'}"


def _why_none(job: Job) -> str:
    progress = job.progress()
    return f"is {progress.state}" if progress.state in UNDER_WAY else f"was {progress.state} ({progress.reason})"

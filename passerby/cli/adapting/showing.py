"""How adaptations are shown on a terminal: a line each, one in full, and one that is under way."""

import time
from collections.abc import Callable
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from passerby.adaptation.job import PHASES, UNDER_WAY, VERDICT, Job, JobBook, JobProgress
from passerby.adaptation.verdict import Figure, Verdict, read_verdict

STYLES = {"passed": "green", "refused": "yellow", "failed": "red", "cancelled": "dim", "running": "cyan", "queued": ""}
_LOOK_S = 0.5


def table_of(jobs: list[Job], *, deployed: str | None) -> Table:
    """A line for each job."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("no.", "asked", "by", "state", "model", "why"):
        table.add_column(title, overflow="fold")
    for job in jobs:
        progress = job.progress()
        model = "" if progress.model_id is None else str(progress.model_id)
        table.add_row(
            str(job.number),
            _clock(job.request.asked_at_ns),
            job.request.actor if job.request.trigger == "hand" else job.request.trigger,
            Text(progress.state, style=STYLES[progress.state]),
            f"{model} (deployed)" if model and model == deployed else model,
            progress.reason if progress.state not in UNDER_WAY else _phase(progress),
        )
    return table


def details(job: Job) -> RenderableType:
    """All that is known of one job."""
    progress, request = job.progress(), job.request
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_row("asked", f"{_clock(request.asked_at_ns)} by {request.actor} ({request.trigger})")
    table.add_row("starts from", str(request.parent_id))
    table.add_row(
        "recipe", f"{request.recipe}, {request.minutes:g} minutes, {request.threads} threads, seed {request.seed}"
    )
    table.add_row("state", Text(progress.state, style=STYLES[progress.state]))
    if progress.reason:
        table.add_row("why", progress.reason)
    if progress.model_id is not None:
        table.add_row("made", str(progress.model_id))
    verdict = job.folder / VERDICT
    return Group(table, "", figures(read_verdict(verdict))) if verdict.exists() else table


def figures(verdict: Verdict) -> Table:
    """The gate's figures, before and after."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("figure", "before", "after", "change", "95%", ""):
        table.add_column(title, justify="left" if title in ("figure", "") else "right")
    for figure in verdict.figures:
        table.add_row(
            figure.name,
            _number(figure.before),
            _number(figure.after),
            _number(figure.change, sign=True),
            f"{_number(figure.low, sign=True)} .. {_number(figure.high, sign=True)}",
            _judged(figure),
        )
    return table


def follow(job: Job, console: Console, *, is_alive: Callable[[], bool]) -> JobProgress:
    """Show a job until it ends, or nobody does it any more: bars on a terminal, else a line for each phase."""
    bars = Progress(
        TextColumn("{task.description:9}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[word]}"),
        console=console,
    )
    tasks = {phase: bars.add_task(phase, total=1.0, word="", visible=console.is_terminal) for phase in PHASES}
    said = ""
    with bars:
        while True:
            progress = job.progress()
            for phase in PHASES:
                share = _share(progress, PHASES.index(phase))
                word = f"{progress.word}{_eta(progress)}" if phase == progress.phase else ""
                bars.update(tasks[phase], completed=share, word=word)
            if not console.is_terminal and progress.phase is not None and progress.phase != said:
                said = progress.phase
                console.print(f"{said}: {progress.word}{_eta(progress)}", highlight=False)
            if progress.state not in UNDER_WAY or not is_alive():
                return progress
            time.sleep(_LOOK_S)


def said(job: Job, progress: JobProgress, book: JobBook) -> str:
    """How a job stands, in a sentence."""
    match progress.state:
        case "queued":
            return f"adaptation {job.number} is queued: the hub begins it"
        case "running" if not book.is_done_now():
            return f"adaptation {job.number} was interrupted while {progress.phase}; it goes on as soon as the hub runs"
        case "running":
            return f"adaptation {job.number}: {_phase(progress)}"
        case "passed":
            return f"adaptation {job.number} made {progress.model_id}, which is better: {progress.reason}".rstrip(": ")
        case _:
            return f"adaptation {job.number} was {progress.state}: {progress.reason}".replace("was failed", "failed")


def _share(progress: JobProgress, number: int) -> float:
    if progress.phase is None:
        return 0.0
    at = PHASES.index(progress.phase)
    ended = progress.state in ("passed", "refused")
    return 1.0 if number < at or ended else progress.share if number == at else 0.0


def _phase(progress: JobProgress) -> str:
    if progress.phase is None:
        return ""
    return f"{progress.phase} {progress.share:.0%} {progress.word}{_eta(progress)}"


def _eta(progress: JobProgress) -> str:
    if progress.eta_s is None:
        return ""
    left = max(0.0, progress.eta_s - (time.time_ns() - progress.at_ns) / 1e9)
    return f", about {left:.0f} s left" if left < 90 else f", about {left / 60:.0f} min left"


def _judged(figure: Figure) -> Text:
    if not figure.enough:
        return Text("too little to say", style="dim")
    if figure.regressed:
        return Text("worse", style="red")
    return Text("better", style="green") if figure.improved else Text("")


def _number(value: float | None, *, sign: bool = False) -> str:
    if value is None:
        return "-"
    return f"{value:+.3f}" if sign else f"{value:.3f}"


def _clock(at_ns: int) -> str:
    return f"{datetime.fromtimestamp(at_ns / 1e9).astimezone():%Y-%m-%d %H:%M}"

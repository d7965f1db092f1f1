"""`passerby adapt schedule`: when a site adapts by itself."""

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.corrections.requests import user_name
from hub.database.opening import FILE_NAME
from hub.ownership import is_owned
from hub.reader import SiteReader
from passerby.adaptation.job import JobBook
from passerby.adaptation.schedule import Plan, ScheduleBook, in_words, local_time
from passerby.config import load_site
from passerby.errors import ConfigError

app = typer.Typer()


@app.command()
def schedule(
    *,
    config: Annotated[Path, typer.Option("--config", help="The site file; it is never rewritten.")],
    set_to: Annotated[
        str | None, typer.Option("--set", metavar="WHEN", help="`daily 03:30` (local time) or `every 12 h`.")
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="By no schedule.")] = False,
    min_new_tracklets: Annotated[
        int | None, typer.Option(metavar="N", help="Only once so many are new since the last one.")
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="As the site file has it again.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """Show or set when the site adapts by itself; nothing is promoted by itself.

    A running hub takes it up within a second.
    """
    if (set_to is not None) + off + reset > 1 or (reset and min_new_tracklets is not None):
        raise ConfigError("--set, --off and --reset exclude each other, and --reset takes no --min-new-tracklets")
    site = load_site(config, secrets="left")
    book = ScheduleBook(site.data, site.adaptation)
    if reset:
        book.forget()
    elif off or set_to is not None or min_new_tracklets is not None:
        book.tell(
            actor=user_name(os.getuid()),
            at_ns=time.time_ns(),
            schedule="manual" if off else set_to,
            min_new_tracklets=min_new_tracklets,
        )
    now = datetime.now(UTC).astimezone()
    plan = book.plan(JobBook(site.data).jobs(), newest_tracklet=_newest(site.data), now=now)
    if as_json:
        typer.echo(json.dumps(_facts(plan)))
        return
    typer.echo("\n".join(_lines(plan, now=now)))
    if plan.by_itself and not is_owned(site.data):
        typer.echo("no hub runs on these data: nothing begins by itself until one does")


def _newest(data: Path) -> int:
    """The latest tracklet's number; 0 where no hub has run yet."""
    if not (data / FILE_NAME).exists():
        return 0
    with SiteReader(data) as reader:
        return reader.last_tracklet_number()


def _lines(plan: Plan, *, now: datetime) -> list[str]:
    lines = [f"adapts {in_words(plan.settings)}"]
    if plan.told is not None:
        at = f"{local_time(plan.told.at_ns):%Y-%m-%d %H:%M}"
        lines.append(f"set by {plan.told.actor}, {at}; the site file says: {in_words(plan.written)}")
    if plan.due is not None:
        lines.append(f"{'next' if plan.due > now else 'was due'}: {plan.due:%Y-%m-%d %H:%M}")
    if plan.by_itself:
        least = plan.settings.min_new_tracklets
        more = f": {plan.lacks:,} more are needed" if plan.lacks else ""
        lines.append(f"new sightings: {plan.new_tracklets:,} of {least:,}{more}")
    return lines


def _facts(plan: Plan) -> dict[str, Any]:
    return {
        "schedule": plan.settings.schedule,
        "min_new_tracklets": plan.settings.min_new_tracklets,
        "on_drift": plan.settings.on_drift,
        "told_by": plan.told.actor if plan.told else None,
        "due_at": plan.due.isoformat() if plan.due else None,
        "new_tracklets": plan.new_tracklets,
        "lacks": plan.lacks,
    }

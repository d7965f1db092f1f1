"""`passerby watch`: who is who, as it is decided."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from hub.export import event_json
from hub.narration import clock, details, sentence
from hub.reader import SiteReader
from hub.records import Event, EventKind
from passerby.cli.place import CONFIG, DATA, data_folder
from passerby.cli.process import stop_on_signals

_POLL_S = 0.2
_COLOURS = {
    EventKind.CREATED: "green",
    EventKind.LINKED: "cyan",
    EventKind.CANDIDATE: "yellow",
    EventKind.MERGED: "magenta",
    EventKind.SPLIT: "red",
}


def command(
    *,
    config: Path | None = CONFIG,
    data: Path | None = DATA,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    since: Annotated[
        int | None, typer.Option(help="Begin after this event (0: from the first).  [default: what comes now]", min=0)
    ] = None,
    for_s: Annotated[float | None, typer.Option("--for", help="End after so many seconds.", min=0.0)] = None,
) -> None:
    """Show associations as they are decided, until Ctrl-C. The hub need not run yet, but must have run once."""
    stop = stop_on_signals()
    deadline = None if for_s is None else time.monotonic() + for_s
    console = Console(soft_wrap=True, highlight=False)
    with SiteReader(data_folder(config, data)) as reader:
        after = reader.last_event_id() if since is None else since
        while True:
            over = stop.is_set() or (deadline is not None and time.monotonic() >= deadline)
            page = reader.events(after=after)
            for event in page:
                _show(event, reader, console=console, as_json=as_json)
                after = event.event_id
            if page:
                sys.stdout.flush()
            elif over:
                return  # the last look came after the end, so that nothing before it is missed
            else:
                stop.wait(_POLL_S)


def _show(event: Event, reader: SiteReader, *, console: Console, as_json: bool) -> None:
    if as_json:
        typer.echo(event_json(event, **details(event, reader)))
        return
    line = Text(f"{clock(event.at_ns)} ", style="dim")
    line.append(sentence(event, reader), style=_COLOURS.get(event.kind, ""))
    console.print(line)

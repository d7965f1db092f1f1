"""`passerby notify`: telling an MQTT broker and webhooks what happens at a site."""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from hub.narration import clock
from passerby.cli.process import log_to_stderr, stop_on_signals
from passerby.config import Site, load_site
from passerby.config.attached import camera_names
from passerby.config.outgoing import require_secrets, tells_anybody
from passerby.errors import ConfigError

app = typer.Typer()

_Config = Annotated[Path, typer.Option("--config", help="The site file.")]
_AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable.")]


@app.callback()
def _group() -> None:
    """Tell an MQTT broker and webhooks what happens at a site."""


@app.command()
def run(*, config: _Config) -> None:
    """Tell everybody whom the site file names under `mqtt` and `webhooks`, beside a running hub.

    `passerby up` starts it too. The first Ctrl-C or SIGTERM stops it in order, the second at once.
    """
    from hub.outgoing.running import tell_all

    site = _site(config)
    log_to_stderr()
    stop = stop_on_signals()
    tell_all(site, folder=config.parent, cameras=lambda: camera_names(site), stop=stop)


@app.command("test")
def try_command(*, config: _Config, as_json: _AsJson = False) -> None:
    """Send everybody a message that says it is a test, and say whether they took it; exit code 1 if anybody did not."""
    from hub.outgoing.trying import try_all

    trials = []
    for trial in try_all(_site(config), folder=config.parent):
        trials.append(trial)
        if not as_json:
            typer.echo(f"{trial.name}: {'taken' if trial.taken else 'not taken'}, {trial.words}")
    if as_json:
        typer.echo(json.dumps([asdict(trial) for trial in trials]))
    if not all(trial.taken for trial in trials):
        raise typer.Exit(1)


@app.command()
def status(*, config: _Config, as_json: _AsJson = False) -> None:
    """Show who is told, who is away and why, and what waits for them."""
    from hub.outgoing.report import read_report

    site = load_site(config, secrets="left")
    receivers = read_report(site.data, now_ns=time.time_ns())
    if as_json:
        typer.echo(msgspec.json.encode(receivers).decode())
        return
    if not receivers:
        typer.echo("nobody is told now: `passerby notify run` does not run")
        return
    table = Table(box=None, pad_edge=False)
    for title in ("name", "host", "state", "since", "taken", "waiting", "dropped", ""):
        table.add_column(title)
    for one in receivers:
        counts = (one.delivered, one.waiting, one.dropped)
        table.add_row(one.name, one.host, one.state, clock(one.since_ns), *map(str, counts), one.reason)
    Console(soft_wrap=True).print(table, highlight=False)


def _site(config: Path) -> Site:
    site = load_site(config, secrets="left")
    if not tells_anybody(site):
        raise ConfigError(f"{config}: nobody is to be told; name an MQTT broker under `mqtt`, or `webhooks`")
    require_secrets(site)
    return site

"""The root of the `passerby` command: joins the groups, and turns errors into one line and an exit code."""

import importlib
import sys
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperGroup
from typer.main import get_group

from passerby import __version__
from passerby.errors import PasserbyError
from passerby.redaction import redact


class _LazyCommands(TyperGroup):
    """Imports a command when it is called: `passerby --version` needs neither networks nor a database."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All names, in the order of the help text."""
        del ctx
        return sorted({*_GROUPS, *_COMMANDS})

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, or None."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"passerby.cli.{cmd_name}")
        parent = typer.Typer()
        parent.callback()(lambda: None)  # With a callback, a single command keeps its name.
        if cmd_name in _GROUPS:
            parent.add_typer(module.app, name=cmd_name, help=_GROUPS[cmd_name], no_args_is_help=True)
        else:
            parent.command(cmd_name)(module.command)
        return get_group(parent).get_command(ctx, cmd_name)


app = typer.Typer(
    name="passerby",
    cls=_LazyCommands,
    help="One identity per person across all cameras of a site.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_GROUPS = {
    "adapt": "Adapt a re-ID network to a site, without labels.",
    "calibration": "What looks are worth on this site, and from which probability on links are made.",
    "camera": "Look at a camera before it is attached.",
    "config": "Check and describe the site file.",
    "dataset": "Make training sets without labels, out of videos.",
    "eval": "Measure a model on labelled data.",
    "export": "Tracks, tracklets, events and embeddings as files for other programs.",
    "identities": "Who was seen, where and when; corrections of it.",
    "keys": "Make keys for edges, and say which ones the hub listens to.",
    "models": "List, fetch, describe and export models.",
    "normalization": "What was learned of each camera's colours and light.",
    "notify": "Tell an MQTT broker and webhooks what happens.",
    "tape": "Record simulated sites as wire messages, or send them live.",
    "topology": "How people get from camera to camera: what was learned, and what you know better.",
    "train": "Train networks.",
    "users": "Who may look at the site by the web, and change it.",
}
"""Command group -> help. Each is `passerby.cli.<group>` with a Typer called `app`."""

_COMMANDS: tuple[str, ...] = (
    "cluster",
    "demo",
    "edge",
    "enroll",
    "hub",
    "identify",
    "replay",
    "review",
    "search",
    "simulate",
    "up",
    "verify",
    "watch",
    "web",
)
"""Single commands. Each is `passerby.cli.<name>` with a function `command`."""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"passerby {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print it."),
) -> None:
    """One identity per person across all cameras of a site."""


def main() -> None:
    """Run the command line; a user's mistake is one line on stderr, never a stack trace."""
    try:
        app()
    except PasserbyError as error:
        Console(stderr=True, soft_wrap=True).print(f"[bold red]error:[/] {escape(redact(str(error)))}", highlight=False)
        sys.exit(error.exit_code)

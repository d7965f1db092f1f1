"""The root of the `passerby` command: joins the groups, and turns errors into one line and an exit code."""

import importlib
import sys

import typer
from rich.console import Console
from rich.markup import escape

from passerby import __version__
from passerby.errors import PasserbyError
from passerby.redaction import redact

app = typer.Typer(
    name="passerby",
    help="One identity per person across all cameras of a site.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_GROUPS = {
    "config": "Check and describe the site file.",
    "eval": "Measure a model on labelled data.",
    "identities": "Who was seen, where and when.",
    "keys": "Make keys for edges, and say which ones the hub listens to.",
    "models": "List, fetch, describe and export models.",
}
"""Command group -> help. Each is `passerby.cli.<group>` with a Typer called `app`."""

_COMMANDS: tuple[str, ...] = ("edge", "hub", "replay", "up", "watch")
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


for _name, _help in _GROUPS.items():
    app.add_typer(importlib.import_module(f"passerby.cli.{_name}").app, name=_name, help=_help, no_args_is_help=True)
for _name in _COMMANDS:
    app.command(_name)(importlib.import_module(f"passerby.cli.{_name}").command)


def main() -> None:
    """Run the command line; a user's mistake is one line on stderr, never a stack trace."""
    try:
        app()
    except PasserbyError as error:
        Console(stderr=True, soft_wrap=True).print(f"[bold red]error:[/] {escape(redact(str(error)))}", highlight=False)
        sys.exit(error.exit_code)

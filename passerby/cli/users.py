"""`passerby users`: who may look at the site by the web, and change it."""

import getpass
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from hub.access.records import Role
from hub.access.store import AccessStore
from hub.corrections.requests import user_name
from hub.narration import clock
from passerby.cli.place import CONFIG, DATA, data_folder
from passerby.errors import DataError
from passerby.ids import CameraId

app = typer.Typer()

_Name = Annotated[str, typer.Argument(help="The user's name.")]
_FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
_AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable.")]


@app.command()
def add(
    name: _Name,
    *,
    role: Annotated[
        Role, typer.Option(help="viewer looks, operator corrects, admin erases and manages.")
    ] = Role.VIEWER,
    camera: Annotated[
        list[str], typer.Option(help="See this camera alone; may be given several times.  [default: all]")
    ] = [],  # noqa: B006 - typer reads the default and makes a list of its own
    password_stdin: _FromStdin = False,
    config: Path | None = CONFIG,
    data: Path | None = DATA,
) -> None:
    """Let somebody in; asks for their password."""
    with AccessStore(data_folder(config, data)) as access:
        password = _password(password_stdin)
        cameras = [CameraId(one) for one in camera] or None
        access.add_user(name, password, role=role, cameras=cameras)
        access.audit.put("users.add", actor=_actor(), objects=[f"user:{name}"], detail=role.value)
    typer.echo(f"{name}: {role.value}, sees {_scope(cameras)}")


@app.command("list")
def list_command(*, config: Path | None = CONFIG, data: Path | None = DATA, as_json: _AsJson = False) -> None:
    """List users and their tokens."""
    with AccessStore(data_folder(config, data)) as access:
        users, tokens = access.users(), access.tokens()
    if as_json:
        told: list[dict[str, Any]] = [
            {
                **asdict(user),
                "cameras": None if user.cameras is None else sorted(user.cameras),
                "tokens": [asdict(token) for token in tokens if token.user == user.name],
            }
            for user in users
        ]
        typer.echo(json.dumps(told))
        return
    table = Table(box=None, pad_edge=False)
    for title in ("user", "role", "cameras", "since", "tokens"):
        table.add_column(title)
    for user in users:
        mine = [
            f"{t.token_id}: {t.name} ({t.role.value}, until {_day(t.expires_at_ns)})"
            for t in tokens
            if t.user == user.name
        ]
        scope = None if user.cameras is None else sorted(user.cameras)
        role = f"{user.role.value}, disabled" if user.disabled else user.role.value
        table.add_row(user.name, role, _scope(scope), _day(user.created_at_ns), "\n".join(mine))
    Console().print(table)


@app.command()
def disable(name: _Name, *, config: Path | None = CONFIG, data: Path | None = DATA) -> None:
    """Let somebody in no more until they are enabled: their sessions end, their tokens are worth nothing meanwhile."""
    _let_in(data_folder(config, data), name, disabled=True)
    typer.echo(f"{name}: disabled")


@app.command()
def enable(name: _Name, *, config: Path | None = CONFIG, data: Path | None = DATA) -> None:
    """Let somebody in again, with the password, role and tokens that they had."""
    _let_in(data_folder(config, data), name, disabled=False)
    typer.echo(f"{name}: enabled")


@app.command()
def remove(name: _Name, *, config: Path | None = CONFIG, data: Path | None = DATA) -> None:
    """Let somebody in no more; their sessions and tokens end at once."""
    with AccessStore(data_folder(config, data)) as access:
        access.remove_user(name)
        access.audit.put("users.remove", actor=_actor(), objects=[f"user:{name}"])
    typer.echo(f"{name}: removed")


@app.command()
def password(
    name: _Name, *, password_stdin: _FromStdin = False, config: Path | None = CONFIG, data: Path | None = DATA
) -> None:
    """Give somebody a new password; their sessions end."""
    with AccessStore(data_folder(config, data)) as access:
        access.set_password(name, _password(password_stdin))
        access.audit.put("users.password", actor=_actor(), objects=[f"user:{name}"])
    typer.echo(f"{name}: has a new password")


@app.command()
def token(
    name: _Name,
    *,
    called: Annotated[str, typer.Option("--name", help="What the token is for.")] = "token",
    role: Annotated[Role, typer.Option(help="At most the user's own.")] = Role.VIEWER,
    days: Annotated[float, typer.Option(min=0.0, max=3650.0, help="It is worth nothing after so long.")] = 90.0,
    revoke: Annotated[int | None, typer.Option(metavar="ID", help="Let this token be worth nothing, instead.")] = None,
    config: Path | None = CONFIG,
    data: Path | None = DATA,
) -> None:
    """Make a token for a program, which sends it as `Authorization: Bearer TOKEN`; it is shown this once."""
    with AccessStore(data_folder(config, data)) as access:
        if revoke is not None:
            access.remove_token(revoke, user=name)
            access.audit.put("tokens.remove", actor=_actor(), objects=[f"token:{revoke}"])
            typer.echo(f"token {revoke}: worth nothing any more")
            return
        made, word = access.add_token(name, called, role=role, days=days)
        access.audit.put("tokens.add", actor=_actor(), objects=[f"token:{made.token_id}"], detail=role.value)
    typer.echo(word)
    typer.echo(f"token {made.token_id} of {name}: {role.value}, until {_day(made.expires_at_ns)}", err=True)


def _let_in(folder: Path, name: str, *, disabled: bool) -> None:
    with AccessStore(folder) as access:
        user = access.disable_user(name, disabled=disabled)
        detail = "disabled" if disabled else user.role.value
        access.audit.put("users.change", actor=_actor(), objects=[f"user:{name}"], detail=detail)


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise DataError("no terminal to ask for the password at; use --password-stdin")
    first, second = getpass.getpass("password: "), getpass.getpass("again: ")
    if first != second:
        raise DataError("the two passwords are not the same")
    return first


def _actor() -> str:
    return f"{user_name(os.getuid())} (command)"


def _scope(cameras: Sequence[str] | None) -> str:
    return "all cameras" if cameras is None else ", ".join(cameras)


def _day(at_ns: int) -> str:
    return clock(at_ns, date=True).split()[0]

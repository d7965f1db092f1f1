"""`passerby camera`: look at a camera, attach it, change it, let it go, while the site runs or before."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from edge.finding import RTSP_PORT, find_stream
from hub.camera_list import camera_lines
from passerby.cli.cameras.probing import look, plain, show, write_picture
from passerby.cli.cameras.telling import tell
from passerby.cli.cameras.wishes import host_of, login_of, settings_of
from passerby.config import CameraSettings, load_site
from passerby.config import attaching as saving
from passerby.config.attached import CameraFolder, site_cameras
from passerby.config.changing import changed_settings
from passerby.config.credentials import with_login
from passerby.config.secrets import fill_secrets
from passerby.errors import ConfigError, SourceError
from passerby.ids import CameraId
from passerby.redaction import redact

app = typer.Typer()

Name = Annotated[str, typer.Argument(help="The camera's name.")]
Config = Annotated[Path, typer.Option("--config", help="The site file; it is never rewritten.")]
Fps = Annotated[float | None, typer.Option(help="Frames looked at per second, at most.")]
Zones = Annotated[
    list[str] | None,
    typer.Option("--zone", help="Only people whose feet are in it count: 'X,Y X,Y X,Y ...', fractions."),
]
Masks = Annotated[list[str] | None, typer.Option("--mask", help="People whose feet are in it do not count.")]
Others = Annotated[list[str] | None, typer.Option("--set", help="Any other setting of a camera, KEY=VALUE.")]
User = Annotated[str | None, typer.Option(help="The camera's user, together with --password-stdin.")]
PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
Edge = Annotated[str | None, typer.Option(help="The edge that is to have it.  [default: one that may]")]
_PAGE_WIDTH = 200
"""Columns where it is not a terminal that is written to."""

_SECONDS = typer.Option(15.0, min=1.0, max=300.0, help="How long to look at most.")


@app.callback()
def _group() -> None:
    """Look at a camera, attach it, change it, let it go."""


@app.command("probe")
def probe_command(
    url: str = typer.Argument(help="rtsp://, http(s)://, a file or a folder; {NAME} is taken from the environment."),
    *,
    as_json: bool = typer.Option(False, "--json", help="Machine-readable."),
    detector: str = typer.Option("person-detection-retail-0013", help="The detector that measures people."),
    seconds: float = _SECONDS,
    transport: Literal["tcp", "udp"] = typer.Option("tcp", help="RTSP over tcp or udp."),
) -> None:
    """Say what the stream is, and whether the people in it are large enough.

    Write secrets as {NAME}, as in 'rtsp://{CAM_USER}:{CAM_PASS}@10.0.0.5/sub': what stands in the command itself can
    be read by every user of the machine. Exit code 0: usable; 3: it works, but not for re-ID; 1: it cannot be read.
    """
    if not url:
        raise ConfigError("the URL is empty; expected rtsp://, http(s)://, a video file or a folder")
    settings = CameraSettings(
        url=fill_secrets(url, os.environ, missing=_missing),
        fps=2.0,
        open_timeout_s=min(10.0, seconds),
        rtsp_transport=transport,
    )
    try:
        report = look(settings, detector=detector, seconds=seconds)
    except SourceError as error:
        if as_json:
            typer.echo(json.dumps({"usable": False, "error": type(error).__name__, "verdict": redact(str(error))}))
            raise typer.Exit(error.exit_code) from None
        raise
    if as_json:
        typer.echo(json.dumps({"url": redact(settings.url), **plain(report)}))
    else:
        show(settings.url, report)
    if not report.usable:
        raise typer.Exit(3)


@app.command()
def add(
    name: Name,
    where: Annotated[str, typer.Argument(help="A URL as for `probe`, or only the camera's host: HOST or HOST:PORT.")],
    *,
    config: Config,
    fps: Fps = None,
    zone: Zones = None,
    mask: Masks = None,
    others: Others = None,
    transport: Annotated[Literal["tcp", "udp"] | None, typer.Option(help="RTSP over tcp (default) or udp.")] = None,
    user: User = None,
    password_stdin: PasswordStdin = False,
    edge: Edge = None,
    picture: Annotated[Path | None, typer.Option(help="Write a picture of it to this JPEG file.")] = None,
    seconds: float = _SECONDS,
    force: Annotated[bool, typer.Option("--force", help="Attach it even if it does not work now.")] = False,
) -> None:
    """Attach a camera, now if a hub runs, else with the next start. It is looked at first.

    With a host alone the paths of common makers are tried. What cannot work is refused, unless --force. The password
    is kept in the data folder, mode 600, apart from all else.
    """
    site = load_site(config, secrets="left")
    camera_id = CameraId(name)
    if camera_id in site_cameras(site):
        raise ConfigError(f"camera {name} is there already; `passerby camera edit {name}` changes it")
    settings = {
        **settings_of(fps=fps, zones=zone, masks=mask, others=others, transport=transport),
        "url": fill_secrets(where, os.environ, missing=_missing),
    }
    login = login_of(user, password_stdin=password_stdin)
    host = host_of(where)
    if host is not None:
        found = find_stream(host[0], port=host[1] or RTSP_PORT, login=login, transport=transport or "tcp")
        typer.echo(f"{redact(found.url)} answers (a path of {found.known.makers}); large: {redact(found.main_url)}")
        settings["url"] = found.url
    elif login is not None:
        settings["url"] = with_login(settings["url"], *login)
    wanted = changed_settings(camera_id, None, settings)
    try:
        report = look(wanted, detector=site.models.detector, seconds=seconds)
    except SourceError as error:
        if not force:
            raise
        typer.echo(f"it does not work now: {redact(str(error))}", err=True)
    else:
        show(wanted.url, report)
        if picture is not None:
            write_picture(report, picture)
        if not report.usable and not force:
            raise ConfigError(f"camera {name}: not attached: {report.verdict}; or --force")
    # As it was written: what stands there as {NAME} keeps that name.
    written = settings["url"] if host is not None or login is not None else where
    tell(
        site, camera_id, saving.attach(site, camera_id, {**settings, "url": written}, edge=edge, environment=os.environ)
    )


@app.command("list")
def list_command(
    *, config: Config, as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False
) -> None:
    """Show the cameras of the site file and those attached at run time, and how they are."""
    lines = camera_lines(load_site(config, secrets="left"))
    if as_json:
        typer.echo(json.dumps([asdict(line) for line in lines], ensure_ascii=False))
        return
    table = Table("camera", "from", "state", "edge", "change", "url", box=None, pad_edge=False)
    for line in lines:
        state = "paused" if not line.enabled else line.state
        table.add_row(line.camera, line.origin, state, line.edge, line.word, line.url)
    console = Console()
    if not console.is_terminal:
        console.width = _PAGE_WIDTH
    console.print(table)


@app.command()
def edit(
    name: Name,
    *,
    config: Config,
    url: Annotated[str | None, typer.Option(help="Another URL, as for `probe`.")] = None,
    fps: Fps = None,
    zone: Zones = None,
    mask: Masks = None,
    others: Others = None,
    user: User = None,
    password_stdin: PasswordStdin = False,
    edge: Edge = None,
) -> None:
    """Change a camera: what is not named stays. `--zone none` takes all zones away, `--mask none` all masks."""
    site = load_site(config, secrets="left")
    changes = settings_of(fps=fps, zones=zone, masks=mask, others=others)
    if url is not None:
        changes["url"] = url
    login = login_of(user, password_stdin=password_stdin)
    if not changes and login is None and edge is None:
        raise ConfigError("nothing to change; see `passerby camera edit --help`")
    known = {**os.environ, **CameraFolder(site.data).secrets_of(CameraId(name))}
    saved = saving.edit(site, CameraId(name), changes, edge=edge, login=login, environment=known)
    tell(site, CameraId(name), saved)


@app.command()
def pause(name: Name, *, config: Config) -> None:
    """Let go of a camera until `resume`, also over restarts."""
    site = load_site(config, secrets="left")
    tell(site, CameraId(name), saving.edit(site, CameraId(name), {"enabled": False}))


@app.command()
def resume(name: Name, *, config: Config) -> None:
    """Connect to a paused camera again."""
    site = load_site(config, secrets="left")
    tell(site, CameraId(name), saving.edit(site, CameraId(name), {"enabled": True}))


@app.command()
def remove(name: Name, *, config: Config) -> None:
    """Take a camera away, for all starts to come; whom it has seen stays known. Its password is forgotten."""
    site = load_site(config, secrets="left")
    tell(site, CameraId(name), saving.remove(site, CameraId(name)))


def _missing(name: str) -> NoReturn:
    raise ConfigError(f"the URL needs the environment variable {name}, which is not set")

"""`passerby keys`: make a key for an edge, and say at the hub which edges it listens to."""

import json
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from passerby.config import load_site
from passerby.config.attached import site_cameras
from passerby.errors import ConfigError
from passerby.transport.allow_list import ANY_CAMERA, AllowList
from passerby.transport.keys import (
    create_pair,
    key_directory,
    load_hub_keys,
    parse_public_key,
    require_name,
)

app = typer.Typer()

_DIRECTORY = typer.Option(..., "--dir", help="Folder for NAME.secret and NAME.public.")
_CAMERAS = typer.Option(..., "--camera", help='A camera it may speak for; repeat it, or "*" for any.')
_CONFIG = typer.Option(..., "--config", "-c", help="The hub's site file.")


@app.command()
def create(
    name: str = typer.Argument(help="The edge's name: letters, digits, `-`, `_`, `.`."),
    directory: Path = _DIRECTORY,
) -> None:
    """Make the key pair of an edge, on the edge's own machine: the secret never travels."""
    pair = create_pair(name, directory=directory)
    typer.echo(f"secret key  {directory / f'{name}.secret'}  (mode 600; it stays on this machine)")
    typer.echo(f"public key  {pair.public.hex()}")
    typer.echo(f"next, on the hub's machine: passerby keys allow {name} {pair.public.hex()} --camera CAM --config SITE")
    typer.echo(f"and copy hub.public from the `keys` folder of the hub's data to {directory}")


@app.command()
def allow(
    name: str = typer.Argument(help="The edge's name."),
    public_key: str = typer.Argument(help="64 hexadecimal digits, or the path of its NAME.public file."),
    camera: list[str] = _CAMERAS,
    config: Path = _CONFIG,
) -> None:
    """Let an edge speak to this hub, for the named cameras. A running hub notices by itself."""
    require_name(name)
    site = load_site(config)
    cameras = site_cameras(site)
    unknown = sorted(set(camera) - set(cameras) - {ANY_CAMERA})
    if unknown:
        known = ", ".join(sorted(cameras))
        raise ConfigError(f"{config}: no camera {', '.join(unknown)}; it has: {known}")
    directory = site.data / "keys"
    path = load_hub_keys(directory).allow_list
    key = parse_public_key(public_key)
    with key_directory(directory):
        AllowList.read(path).allow(name, key, camera).write(path)
    typer.echo(f"{name} may speak for {', '.join(sorted(set(camera)))}; the hub's public key is {directory}/hub.public")


@app.command("list")
def list_edges(config: Path = _CONFIG, as_json: bool = typer.Option(False, "--json", help="Machine-readable.")) -> None:
    """Show the edges that this hub listens to."""
    edges = AllowList.read(load_hub_keys(load_site(config).data / "keys").allow_list).edges()
    if as_json:
        rows = [
            {"name": edge.name, "public_key": edge.public_key.hex(), "cameras": sorted(edge.cameras)} for edge in edges
        ]
        typer.echo(json.dumps(rows))
        return
    if not edges:
        typer.echo("no edge is allowed yet; see `passerby keys allow --help`")
        return
    table = Table("edge", "cameras", "public key", box=None, pad_edge=False)
    for edge in edges:
        table.add_row(edge.name, ", ".join(sorted(edge.cameras)), f"{edge.public_key.hex()[:16]}...")
    Console().print(table)


@app.command()
def revoke(name: str = typer.Argument(help="The edge's name."), config: Path = _CONFIG) -> None:
    """Stop listening to an edge; a running hub ends its session within a second."""
    directory = load_site(config).data / "keys"
    path = load_hub_keys(directory).allow_list
    with key_directory(directory):
        AllowList.read(path).revoke(name).write(path)
    typer.echo(f"{name} is no longer allowed")

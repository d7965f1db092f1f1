"""`passerby config`: check a site file, print its schema."""

import json
from pathlib import Path

import typer

from passerby.config import load_site, site_json_schema
from passerby.redaction import redact

app = typer.Typer()


@app.command()
def check(file: Path, as_json: bool = typer.Option(False, "--json", help="Machine-readable.")) -> None:
    """Say whether FILE is a valid site file, and what it describes."""
    site = load_site(file)
    cameras = {name: redact(camera.url) for name, camera in site.cameras.items()}
    if as_json:
        typer.echo(json.dumps({"valid": True, "site": site.site, "cameras": cameras, "data": str(site.data)}))
        return
    typer.echo(f"{file}: valid. Site {site.site!r}, {len(cameras)} camera(s), data in {site.data}")
    for name, url in cameras.items():
        typer.echo(f"  {name:<16} {url}")


@app.command()
def schema() -> None:
    """Print the JSON schema of the site file, for editors."""
    typer.echo(json.dumps(site_json_schema(), indent=2))

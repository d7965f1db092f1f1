"""`passerby normalization`: what was learned of each camera, and beginning anew with one that was moved."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from hub.camera_reports import camera_reports
from hub.corrections.acts import ResetCamera
from hub.corrections.desk import request_correction
from hub.narration import clock
from passerby.cli.place import CONFIG, DATA, data_folder
from passerby.features.normalization import CameraReport
from passerby.ids import CameraId

app = typer.Typer()

_TITLES = ("camera", "people", "believed", "removed", "regime", "since", "drift")
_NUMBERS = {"people", "believed", "removed", "drift"}


@app.command()
def show(
    *,
    config: Path | None = CONFIG,
    data: Path | None = DATA,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """Show how far each camera's own statistics are believed, what they take away, and how fast it changes."""
    reports = camera_reports(data_folder(config, data))
    if as_json:
        rows = [{"model_id": model_id, **asdict(one)} for model_id, cameras in reports.items() for one in cameras]
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for model_id, cameras in reports.items():
        table = Table(title=model_id, title_justify="left", box=None, pad_edge=False)
        for title in _TITLES:
            table.add_column(title, justify="right" if title in _NUMBERS else "left")
        for camera in cameras:
            table.add_row(*_row(camera))
        Console().print(table)


@app.command()
def reset(
    camera: Annotated[str, typer.Argument(metavar="CAMERA", help="Its name.")],
    *,
    config: Path | None = CONFIG,
    data: Path | None = DATA,
) -> None:
    """Begin anew with a camera that was moved or replaced: what was learned of it holds no more from now on."""
    folder = data_folder(config, data)
    request_correction(folder, ResetCamera(camera=CameraId(camera)))
    typer.echo(f"camera {camera}: statistics begin anew")


def _row(camera: CameraReport) -> tuple[str, ...]:
    return (
        camera.camera_id,
        str(camera.people),
        f"{camera.belief:.0%}",
        f"{camera.removed_share:.0%}",
        f"{camera.regime} of {camera.regimes}" if camera.regimes > 1 else str(camera.regime),
        "" if camera.since_ns is None else clock(camera.since_ns, date=True),
        "" if camera.drift is None else f"{camera.drift:.1f}" + (" drifts" if camera.alarm else ""),
    )

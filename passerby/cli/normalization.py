"""`passerby normalization`: what was learned of each camera, and beginning anew with one that was moved."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from hub.camera_reports import LEAST_PAIRS, Worth, camera_reports, normalization_worth
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
    """Show how far each camera's own statistics are believed, what they take away, how fast it changes, and its worth.

    The worth is measured with pairs of tracklets of which place or operators tell whether they are one person.
    """
    folder = data_folder(config, data)
    reports, worth = camera_reports(folder), normalization_worth(folder)
    if as_json:
        rows = [{"model_id": model_id, **asdict(one)} for model_id, cameras in reports.items() for one in cameras]
        told = [{"model_id": model_id, **_figures(one)} for model_id, one in worth.items()]
        typer.echo(json.dumps({"cameras": rows, "worth": told}, ensure_ascii=False))
        return
    console = Console(soft_wrap=True, highlight=False, markup=False)
    for model_id, cameras in reports.items():
        table = Table(title=model_id, title_justify="left", box=None, pad_edge=False)
        for title in _TITLES:
            table.add_column(title, justify="right" if title in _NUMBERS else "left")
        for camera in cameras:
            table.add_row(*_row(camera))
        Console().print(table)
        if model_id in worth:
            console.print(_said(worth[model_id]))


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


def _said(worth: Worth) -> str:
    if worth.benefit is not None:
        found = worth.benefit
        return (
            f"worth: one person in two cameras is more alike than two people in {found.with_normalization:.1%} of "
            f"comparisons, without normalization in {found.without:.1%}: {found.gain:+.1%}, give or take "
            f"{found.standard_error:.1%} (standard error), by {found.genuine_pairs} pairs of one person and "
            f"{found.impostor_pairs} of two"
        )
    if not worth.normalizes:
        return "worth: nothing is normalized so far"
    return (
        f"worth: not measured yet: {worth.genuine_pairs} genuine pairs of two cameras and {worth.impostor_pairs} "
        f"impostor pairs of the same cameras are known by other means than looks, at least {LEAST_PAIRS} of each are "
        "needed; they come from views that share a floor, and from merges by operators"
    )


def _figures(worth: Worth) -> dict[str, Any]:
    found = worth.benefit
    return {
        "normalizes": worth.normalizes,
        "genuine_pairs": worth.genuine_pairs,
        "impostor_pairs": worth.impostor_pairs,
        "least_pairs": LEAST_PAIRS,
        "camera_pairs": worth.cameras,
        "without": None if found is None else round(found.without, 6),
        "with": None if found is None else round(found.with_normalization, 6),
        "gain": None if found is None else round(found.gain, 6),
        "standard_error": None if found is None else round(found.standard_error, 6),
    }

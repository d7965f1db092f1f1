"""`passerby train`: networks made by this repository's own code."""

import json
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from passerby.errors import ModelError

app = typer.Typer()


@app.callback()
def _group() -> None:
    """Train networks."""


@app.command()
def embedded(
    out: Annotated[Path, typer.Option(help="Folder for the two .onnx files and their manifests.")],
    *,
    recipe: Annotated[Path | None, typer.Option(help="Another recipe than the shipped recipes/embedded.yaml.")] = None,
    processes: Annotated[int, typer.Option(min=1, help="Sites rendered at a time.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object on the last line.")] = False,
) -> None:
    """Make the small detector and the small re-ID network that come with Passerby, from rendered people alone."""
    for module in ("torch", "onnx"):
        if find_spec(module) is None:
            raise ModelError(f"training needs {module}, which is not installed; `pip install 'passerby[training]'`")
    from passerby.cli.embedded.making import make_embedded
    from passerby.cli.embedded.recipe import read_recipe

    chosen = read_recipe(recipe)
    folder = out.expanduser().resolve()
    began = time.monotonic()
    with _bars() as bars:
        tasks: dict[str, TaskID] = {}

        def show(part: str, done: int, total: int, word: str) -> None:
            if part not in tasks:
                tasks[part] = bars.add_task(part, total=total, word=word)
            bars.update(tasks[part], completed=done, word=word)

        made = make_embedded(chosen, folder, processes=processes, progress=show)
    seconds = round(time.monotonic() - began)
    if as_json:
        report = {
            "detector": made.detector.model_id,
            "reid": made.reid.model_id,
            "seconds": seconds,
            "mAP": made.plain,
            "mAP_camera": made.normalized,
        }
        typer.echo(json.dumps(report))
        return
    typer.echo(
        f"{made.detector.model_id} and {made.reid.model_id} are in {folder}, "
        f"after {seconds // 60} min {seconds % 60} s\n"
        f"people of sites held out, mAP: {made.plain:.3f} plain, {made.normalized:.3f} with a z-score per camera"
    )


def _bars() -> Progress:
    """Bars on stderr, where they do not get between a pipe and its reader."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[word]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )

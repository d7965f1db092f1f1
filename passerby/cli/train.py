"""`passerby train`: networks made by this repository's own code."""

import json
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

import typer

from passerby.cli.adapt import images
from passerby.cli.showing.parts import parts_shown
from passerby.errors import ConfigError, ModelError

app = typer.Typer()


@app.callback(invoke_without_command=True)
def by_recipe(
    context: typer.Context,
    *,
    recipe: Annotated[str | None, typer.Option(help="A shipped recipe, or FILE.yaml.")] = None,
    data: Annotated[Path | None, typer.Option(help="Labelled images, an archive of crops, or a site's images.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for model.onnx, model.json, model.pth, report.json.")] = None,
    model: Annotated[str | None, typer.Option(help="Weights to start from: a backbone's by name, or FILE.pth.")] = None,
    backbone: Annotated[
        str | None, typer.Option(metavar="NAME", help="Start from nothing: osnet_x0_25, resnet50, timm:NAME, ...")
    ] = None,
    protocol: Annotated[
        Literal["market", "msmt17", "cuhk03", "folders", "all-vs-all"],
        typer.Option(help="How labelled images lie in --data."),
    ] = "market",
    seed: Annotated[int, typer.Option(min=0, help="The same seed and threads give the same network.")] = 1,
    minutes: Annotated[float | None, typer.Option(min=0.1, help="Time for an adaptation.")] = None,
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0: the machine decides.")] = 0,
    device: Annotated[
        Literal["auto", "cpu", "cuda"], typer.Option(help="auto: a GPU where torch can use one.")
    ] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object on the last line.")] = False,
) -> None:
    """Train a network by a recipe, on people with names, on tracklets, or on a site without labels."""
    if context.invoked_subcommand is not None:
        return
    if recipe is None or data is None or out is None:
        missing = next(name for name, value in (("recipe", recipe), ("data", data), ("out", out)) if value is None)
        raise ConfigError(f"--{missing} is missing; expected passerby train --recipe R --data DIR --out DIR")
    _require_installed()
    from training.recipes import MocoTraining, SourceTraining, read_any_recipe

    chosen = read_any_recipe(recipe)
    if not isinstance(chosen, SourceTraining | MocoTraining):
        if model is None or backbone is not None:
            raise ConfigError(f"{recipe} adapts trained weights; name them with --model, without --backbone")
        images(
            data,
            model,
            out,
            recipe=recipe,
            minutes=minutes,
            seed=seed,
            tracklets=None,
            threads=threads,
            device=device,
            as_json=as_json,
        )
        return
    if minutes is not None:
        raise ConfigError(f"--minutes is for adaptations; how long {recipe} takes is its `steps`, {chosen.steps}")
    if (model is None) == (backbone is None):
        raise ConfigError("name either weights to start from with --model, or a network without any with --backbone")
    from training.running import Task, run_moco, run_source
    from training.starting import trainable, untrained

    start = trainable(model) if model is not None else untrained(backbone or "", seed=seed)
    root, folder = data.expanduser().resolve(), out.expanduser().resolve()
    with parts_shown() as show:
        task = Task(recipe, start, folder, seed=seed, threads=threads, device=device)
        if isinstance(chosen, SourceTraining):
            report = run_source(task, chosen, root=root, protocol=protocol, progress=show)
        else:
            report = run_moco(task, chosen, root=root, progress=show)
    if as_json:
        typer.echo(json.dumps(report))
    else:
        typer.echo(f"{report['model']} is in {folder}, after {report['steps']} steps; loss {report['loss']:.3f}")


@app.command()
def embedded(
    out: Annotated[Path, typer.Option(help="Folder for the two .onnx files and their manifests.")],
    *,
    recipe: Annotated[Path | None, typer.Option(help="Another recipe than the shipped recipes/embedded.yaml.")] = None,
    processes: Annotated[int, typer.Option(min=1, help="Sites rendered at a time.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object on the last line.")] = False,
) -> None:
    """Make the small detector and the small re-ID network that come with Passerby, from rendered people alone."""
    _require_installed()
    from passerby.cli.embedded.making import make_embedded
    from passerby.cli.embedded.recipe import read_recipe

    chosen = read_recipe(recipe)
    folder = out.expanduser().resolve()
    began = time.monotonic()
    with parts_shown() as show:
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


def _require_installed() -> None:
    for module in ("torch", "onnx"):
        if find_spec(module) is None:
            raise ModelError(f"training needs {module}, which is not installed; `pip install 'passerby[training]'`")

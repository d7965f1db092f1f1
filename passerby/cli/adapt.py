"""`passerby adapt`: a network learns a site without labels."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from passerby.cli.adapting.commands import app as commands
from passerby.cli.adapting.needs import require_training
from passerby.cli.adapting.rolling_out import app as rolling_out
from passerby.cli.adapting.rows import app as rows
from passerby.cli.adapting.scheduling import app as scheduling
from passerby.cli.showing.parts import parts_shown

app = typer.Typer()
app.add_typer(commands)
app.add_typer(scheduling)
app.add_typer(rolling_out)
app.add_typer(rows)


@app.callback()
def _group() -> None:
    """Adapt the site's re-ID model to the site, without labels."""


@app.command()
def images(
    root: Annotated[Path, typer.Option(help="Folder of images named as Market-1501's: 0003_c1s1_000001_00.png.")],
    model: Annotated[str, typer.Option(help="What to start from: the name of a backbone's weights, or FILE.pth.")],
    out: Annotated[Path, typer.Option(help="Folder for the result; an interrupted adaptation there goes on.")],
    *,
    recipe: Annotated[str, typer.Option(help="A shipped recipe, or FILE.yaml.")] = "passerby",
    minutes: Annotated[
        float | None, typer.Option(min=0.1, help="Time for all of it; without, as many steps as the recipe says.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, steps and threads give the same model.")] = 1,
    tracklets: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="Columns image, tracklet: images of one walk are one person."),
    ] = None,
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0: the machine decides.")] = 0,
    device: Annotated[
        Literal["auto", "cpu", "cuda"], typer.Option(help="auto: a GPU where torch can use one.")
    ] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object on the last line.")] = False,
) -> None:
    """Adapt a re-ID network to a folder of images; who is on them is neither known nor looked up in their names."""
    require_training()
    from training.adapting.images import adapt_images
    from training.adapting.order import Order
    from training.adapting.recipe import read_recipe
    from training.team import is_first

    chosen = read_recipe(recipe)
    target = out.expanduser().resolve()
    with parts_shown() as show:
        report = adapt_images(
            root.expanduser().resolve(),
            Order(
                model=model,
                recipe_name=recipe,
                recipe=chosen,
                seed=seed,
                minutes=minutes,
                threads=threads,
                device=device,
            ),
            out=target,
            tracklets=None if tracklets is None else tracklets.expanduser().resolve(),
            progress=lambda part, share, word: show(part, share, 1.0, word),
        )
    if not is_first():
        return
    if as_json:
        typer.echo(json.dumps(report))
    else:
        Console().print(_table(report))
        typer.echo(f"{report['model']} is in {target}; look at clusters.jpg: each row should be one person")


def _table(report: dict[str, Any]) -> Table:
    table = Table(title=f"{report['people']} people guessed in {report['images']} images, {report['steps']} steps")
    for name in ("round", "people", "nobody's", "cut", "same as before", "one camera", "loss", "seconds"):
        table.add_column(name, justify="right")
    for each in report["rounds"]:
        table.add_row(
            str(each["number"]),
            str(each["clusters"]),
            str(each["outliers"]),
            f"{each['cut']:.2f}",
            "-" if each["agreement"] is None else f"{each['agreement']:.3f}",
            f"{each['camera_purity']:.2f}",
            f"{each['loss']:.2f}",
            f"{each['seconds']:.0f}",
        )
    return table

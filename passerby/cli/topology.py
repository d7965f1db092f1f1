"""`passerby topology`: how people get from camera to camera, as it was learned, and what operators know better."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from hub.association.overrides import says_nothing
from hub.association.topology import STEPS_S
from hub.association.ways import ViewPair, Way, strangers_an_hour, view_pairs, ways
from hub.corrections.acts import SetTransit
from hub.corrections.desk import request_correction
from hub.reader import SiteReader
from passerby.cli.place import CONFIG, DATA, data_folder
from passerby.cli.showing.bars import bars
from passerby.config import TransitSettings, load_site
from passerby.errors import DataError

app = typer.Typer()

_PAGE_WIDTH = 160
"""Columns where it is not a terminal that is written to."""


@app.command()
def show(
    *,
    config: Path | None = CONFIG,
    data: Path | None = DATA,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """Show where people go from each camera and how long that takes, which views overlap, how many strangers come."""
    with SiteReader(data_folder(config, data)) as reader:
        knowledge = reader.knowledge()
    topology, floor = knowledge.topology, knowledge.floor
    if config is not None:
        topology.overrides.written = load_site(config).association.topology  # perhaps newer than what the hub knows
    gone, views, strangers = ways(topology), view_pairs(floor, topology), strangers_an_hour(topology)
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "version": topology.version,
                    "steps_from_s": list(STEPS_S),
                    "ways": [_way_json(way) for way in gone],
                    "views": [asdict(pair) for pair in views],
                    "strangers_per_hour": strangers,
                },
                ensure_ascii=False,
            )
        )
        return
    console = Console()
    if not console.is_terminal:
        console.width = _PAGE_WIDTH
    console.print(_ways_table(gone))
    typer.echo("how long: steps from 0, 1, 2, 4, 8 s and so on, each twice as long; without those at once\n")
    console.print(_views_table(views))
    typer.echo()
    table = _table(("camera", "left"), ("strangers an hour", "right"))
    for name, an_hour in strangers.items():
        table.add_row(name, f"{an_hour:.1f}")
    console.print(table)


@app.command("set")
def set_command(
    before: Annotated[str, typer.Argument(metavar="FROM", help="The camera where somebody was last seen.")],
    after: Annotated[str, typer.Argument(metavar="TO", help="The camera where they are seen next.")],
    *,
    config: Path | None = CONFIG,
    data: Path | None = DATA,
    never: Annotated[bool, typer.Option("--never", help="Nobody goes straight from the one to the other.")] = False,
    overlap: Annotated[
        Literal["yes", "no"] | None, typer.Option(help="Whether both can see one person at once.")
    ] = None,
    transit: Annotated[
        str | None, typer.Option(metavar="SECONDS..SECONDS", help="At least and at most so long it takes.")
    ] = None,
    learned: Annotated[bool, typer.Option("--learned", help="As it was learned: what was said holds no more.")] = False,
) -> None:
    """Say how people get from one camera to another: it outweighs what was learned, and all that was said before."""
    said: dict[str, Any] = {}
    if never:
        said["never"] = True
    if overlap is not None:
        said["overlap"] = overlap == "yes"
    if transit is not None:
        said["transit"] = _seconds(transit)
    if learned == bool(said):
        raise DataError("say --never, --overlap yes|no, --transit SECONDS..SECONDS, or else --learned")
    try:
        word = msgspec.convert({"from": before, "to": after, **said}, TransitSettings)
    except msgspec.ValidationError as error:
        raise DataError(f"{before} to {after}: {error}") from error
    request_correction(data_folder(config, data), SetTransit(word=word))
    typer.echo(f"{before} to {after}: {_in_words(word)}")


def _seconds(text: str) -> list[float]:
    try:
        shortest, longest = (float(part) for part in text.split(".."))
    except ValueError:
        raise DataError(f"--transit is {text!r}; expected two times in seconds, as in 20..90") from None
    return [shortest, longest]


def _ways_table(gone: Sequence[Way]) -> Table:
    spoken = any(way.word is not None for way in gone)
    columns = [("from", "left"), ("to", "left"), ("times", "right"), ("share", "right"), ("at once", "right")]
    columns += [("median (10-90%)", "right"), ("how long", "left")]
    table = _table(*columns, *([("said", "left")] if spoken else []))
    # Steps that nobody took so long for, on any way, are left out.
    used = max((step for way in gone for step, count in enumerate(way.steps) if count), default=0)
    for way in gone:
        table.add_row(
            way.before,
            way.after,
            f"{way.appearances:.0f}",
            f"{way.share:.0%}",
            f"{way.at_once:.0%}",
            "" if way.transit_s is None else _durations(*way.transit_s),
            "" if way.transit_s is None else bars(way.steps[1 : used + 1]),
            *(["" if way.word is None else _in_words(way.word)] if spoken else []),
        )
    return table


def _views_table(views: Sequence[ViewPair]) -> Table:
    spoken = any(pair.said is not None for pair in views)
    columns = [("views", "left"), ("", "left"), ("overlap", "left"), ("map fits", "right"), ("points", "right")]
    table = _table(*columns, *([("said", "left")] if spoken else []))
    for pair in views:
        table.add_row(
            pair.first,
            pair.second,
            "yes" if pair.overlap else "",
            "" if pair.fitting_share is None else f"{pair.fitting_share:.0%}",
            str(pair.points),
            *([{None: "", True: "overlap", False: "do not overlap"}[pair.said]] if spoken else []),
        )
    return table


def _table(*columns: tuple[str, str]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title, side in columns:
        table.add_column(title, justify="right" if side == "right" else "left", no_wrap=title != "said")
    return table


def _durations(low_s: float, middle_s: float, high_s: float) -> str:
    """`26 (8.7-57) s`, in the unit that suits the median."""
    unit, seconds = next((one for one in (("s", 1.0), ("min", 60.0)) if middle_s < 300.0 * one[1]), ("h", 3600.0))
    low, middle, high = (
        f"{value / seconds:.1f}" if value < 9.95 * seconds else f"{value / seconds:.0f}"
        for value in (low_s, middle_s, high_s)
    )
    return f"{middle} ({low}-{high}) {unit}"


def _in_words(word: TransitSettings) -> str:
    if says_nothing(word):
        return "as learned"
    parts = ["never"] if word.never else []
    if word.overlap is not None:
        parts.append("overlap" if word.overlap else "do not overlap")
    if word.transit is not None:
        parts.append(f"{word.transit[0]:g} to {word.transit[1]:g} s")
    return ", ".join(parts)


def _way_json(way: Way) -> dict[str, Any]:
    word = None if way.word is None else msgspec.to_builtins(way.word)
    transit = None if way.transit_s is None else dict(zip(("p10", "p50", "p90"), way.transit_s, strict=True))
    return {
        "from": way.before,
        "to": way.after,
        "appearances": way.appearances,
        "share": way.share,
        "at_once": way.at_once,
        "transit_s": transit,
        "steps": list(way.steps),
        "said": word,
    }

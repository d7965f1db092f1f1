"""`passerby search`: who of all that the site has seen does a picture show?"""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from hub.crops import CropStore
from hub.enrolment.search import Found, Search, Where, search
from hub.narration import clock
from hub.reader import SiteReader
from hub.records import Tracklet
from passerby.cli.looking.choosing import Choice, choose, told_box
from passerby.cli.looking.options import BoxOption, JsonOption, LargestOption, WholeOption, choice, material, place
from passerby.cli.looking.people import Person
from passerby.cli.looking.session import open_eyes
from passerby.cli.looking.sheet import Cell, write_sheet
from passerby.cli.looking.times import moment_ns
from passerby.cli.place import CONFIG, DATA
from passerby.errors import ConfigError
from passerby.ids import CameraId


def command(
    *,
    image: Annotated[str, typer.Option("--image", metavar="FILE", help="The picture.")],
    box: BoxOption = None,
    largest: LargestOption = False,
    whole: WholeOption = False,
    camera: Annotated[list[str], typer.Option(help="Seen by this camera; may be given several times.")] = [],  # noqa: B006
    since: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Seen then or later.")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Seen then or earlier.")] = None,
    most: Annotated[int, typer.Option(min=1, max=100, help="Identities that are shown of each person.")] = 5,
    out: Annotated[Path | None, typer.Option(help="Write the crops, side by side, into this folder.")] = None,
    config: Path | None = CONFIG,
    data: Path | None = DATA,
    as_json: JsonOption = False,
) -> None:
    """Search the site's identities for whom a picture shows: for everybody in it, or by --box or --largest for one.

    Each identity seen there and then is equally likely before, and nobody of them as likely as all of them together.
    """
    what = material(None, [image], whole=whole)
    who = choice(box, largest)
    where = Where(
        cameras=tuple(CameraId(one) for one in camera),
        from_ns=None if since is None else moment_ns(since, option="--from"),
        to_ns=None if until is None else moment_ns(until, option="--to"),
    )
    if where.from_ns is not None and where.to_ns is not None and where.to_ns < where.from_ns:
        raise ConfigError(f"--to {until} is before --from {since}")
    site = place(config, data)
    with SiteReader(site.data) as reader:  # says what is wrong where there are no data, before networks are loaded
        with open_eyes(site) as eyes:
            people = eyes.view(what)[0].people
            chosen = people if who == Choice() else [choose(people, who, source=what.name)]
            answers = [
                (one, search(site.data, eyes.known(one), likeness=eyes.likeness, where=where, most=most))
                for one in chosen
            ]
        sheets = [
            None if out is None else _sheet(person, answer, reader, data=site.data, file=out / f"person-{number}.jpg")
            for number, (person, answer) in enumerate(answers, 1)
        ]
    if as_json:
        told = [_described(one, answer, sheet) for (one, answer), sheet in zip(answers, sheets, strict=True)]
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    for (person, answer), sheet in zip(answers, sheets, strict=True):
        _print(what.name, person, answer, sheet)


def _print(source: str, person: Person, answer: Search, sheet: Path | None) -> None:
    where = told_box(person.typical_box).removeprefix("--")
    shown = "" if sheet is None else f", shown in {sheet}"
    typer.echo(f"{source} {where}: among {answer.searched} identities, nobody of them {answer.nobody:.3f}{shown}")
    table = Table(box=None, pad_edge=False)
    for title in ("person", "name", "probability", "camera", "from", "to", "tracklets"):
        table.add_column(title, justify="right" if title in {"person", "probability", "tracklets"} else "left")
    for found in answer.found:
        named = (str(found.identity.identity_id), found.identity.name or "", f"{found.probability:.3f}")
        for row, (camera, seen) in enumerate(_by_camera(found).items()):
            begin, end = min(t.started_at_ns for t in seen), max(t.ended_at_ns for t in seen)
            other_day = clock(begin, date=True).split()[0] != clock(end, date=True).split()[0]
            times = (clock(begin, date=True), clock(end, date=other_day), str(len(seen)))
            table.add_row(*(named if row == 0 else ("", "", "")), camera, *times)
    Console().print(table)


def _by_camera(found: Found) -> dict[CameraId, list[Tracklet]]:
    cameras: dict[CameraId, list[Tracklet]] = {}
    for tracklet in found.sightings:
        cameras.setdefault(tracklet.camera_id, []).append(tracklet)
    return cameras


def _sheet(person: Person, answer: Search, reader: SiteReader, *, data: Path, file: Path) -> Path:
    cells = [Cell(person.pictures[0].jpeg, ("searched",))]
    with CropStore.open_for_reading(data) as crops:
        for found in answer.found:
            best = max(found.sightings, key=lambda t: (t.quality, -t.number))
            lines = (f"person {found.identity.identity_id}: {found.probability:.3f}", best.camera_id[:18])
            cells.append(Cell(_crop(best, reader, crops), (*lines, clock(best.started_at_ns, date=True))))
    write_sheet(cells, file)
    return file


def _crop(tracklet: Tracklet, reader: SiteReader, crops: CropStore) -> bytes | None:
    stored = (crops.get(tracklet.number, exemplar.crop_id) for exemplar in reader.exemplars(tracklet.number))
    return next((jpeg for jpeg in stored if jpeg is not None), None)


def _described(person: Person, answer: Search, sheet: Path | None) -> dict[str, Any]:
    return {
        "box_xyxy": [round(float(value), 1) for value in person.typical_box],
        "searched": answer.searched,
        "nobody": round(answer.nobody, 6),
        "found": [
            {
                "identity": found.identity.identity_id,
                "name": found.identity.name,
                "probability": round(found.probability, 6),
                "sightings": [
                    {"camera": t.camera_id, "tracklet": t.number, "from_ns": t.started_at_ns, "to_ns": t.ended_at_ns}
                    for t in found.sightings
                ],
            }
            for found in answer.found
        ],
        **({} if sheet is None else {"sheet": str(sheet)}),
    }

"""`passerby enroll`: give a person a name by pictures, to be recognized from then on."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from hub.enrolment.records import Enrolment, checked_name, checked_reason
from hub.enrolment.store import EnrolmentStore, delete_expired, read_enrolments
from hub.narration import clock
from passerby.cli.looking import answering
from passerby.cli.looking.choosing import choose
from passerby.cli.looking.options import (
    BoxOption,
    FromFrameOption,
    ImagesOption,
    JsonOption,
    LargestOption,
    Material,
    Place,
    ToFrameOption,
    VideoOption,
    WholeOption,
    choice,
    material,
    place,
)
from passerby.cli.looking.session import open_eyes
from passerby.cli.place import CONFIG, DATA, data_folder
from passerby.errors import ConfigError, DataError


def command(
    name: Annotated[str | None, typer.Argument(help="Whom the pictures show.")] = None,
    *,
    video: VideoOption = None,
    image: ImagesOption = [],  # noqa: B006 - typer reads the default and makes a list of its own
    from_frame: FromFrameOption = None,
    to_frame: ToFrameOption = None,
    box: BoxOption = None,
    largest: LargestOption = False,
    whole: WholeOption = False,
    reason: Annotated[str, typer.Option(help="Why they are to be recognized; kept with the pictures.")] = "",
    days: Annotated[
        float, typer.Option(min=0.0, max=36_500.0, help="Kept for so long, then deleted; 0: until removed.")
    ] = 90.0,
    crops: Annotated[Path | None, typer.Option(help="Write the pictures that were kept into this folder.")] = None,
    as_list: Annotated[bool, typer.Option("--list", help="List who is enrolled, and end.")] = False,
    remove: Annotated[str | None, typer.Option(metavar="NAME", help="Delete a name with its pictures.")] = None,
    config: Path | None = CONFIG,
    data: Path | None = DATA,
    as_json: JsonOption = False,
) -> None:
    """Enroll a person from a film or pictures: find them, keep the best crops with their raw embeddings under a name.

    Several enrolments of a name add up. `--list` says who is enrolled, `--remove NAME` deletes for good.
    """
    if as_list or remove is not None:
        if name is not None or video is not None or image or (as_list and remove is not None):
            raise ConfigError("--list and --remove NAME stand alone")
        folder = data_folder(config, data)
        if remove is None:
            _list(folder, as_json=as_json)
        else:
            _remove(folder, remove, as_json=as_json)
        return
    if name is None:
        raise ConfigError("say who it is: passerby enroll NAME --video FILE (or --image FILE)")
    name, reason = checked_name(name), checked_reason(reason)
    what = material(video, image, from_frame=from_frame, to_frame=to_frame, whole=whole)
    who = choice(box, largest)
    if box is not None and len(what.images) > 1:
        raise ConfigError("--box is about one picture; enroll the pictures one by one, or crop them and say --whole")
    site = place(config, data)
    with open_eyes(site) as eyes:
        people = [choose(one.people, who, source=one.source) for one in eyes.view(what)]
        enrolment = answering.enroll(eyes, people, name=name, reason=reason, days=days)
    if crops is not None:
        _write(enrolment, crops)
    _tell(enrolment, what, site, as_json=as_json)


def _tell(enrolment: Enrolment, what: Material, site: Place, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_described(enrolment), ensure_ascii=False))
        return
    everything = [
        one for one in read_enrolments(site.data, now_ns=enrolment.enrolled_at_ns) if one.name == enrolment.name
    ]
    total = sum(len(one.pictures) for one in everything)
    added = f"; with those of before {total} pictures" if len(everything) > 1 else ""
    typer.echo(
        f"{enrolment.name}: {len(enrolment.pictures)} pictures of {what.name} enrolled ({enrolment.model_id}), "
        f"kept {_until(enrolment)}{added}"
    )


def _list(folder: Path, *, as_json: bool) -> None:
    now_ns = time.time_ns()
    delete_expired(folder, now_ns=now_ns)
    enrolments = read_enrolments(folder, now_ns=now_ns)
    if as_json:
        typer.echo(json.dumps([_described(one) for one in enrolments], ensure_ascii=False))
        return
    table = Table(box=None, pad_edge=False)
    for title in ("name", "enrolled", "kept", "pictures", "quality", "reason", "model"):
        table.add_column(title, justify="right" if title in {"pictures", "quality"} else "left")
    for one in enrolments:
        table.add_row(
            one.name,
            _day(one.enrolled_at_ns),
            _until(one),
            str(len(one.pictures)),
            f"{one.pictures[0].quality:.2f}",
            one.reason,
            one.model_id.split("@", maxsplit=1)[0],
        )
    Console().print(table)


def _remove(folder: Path, name: str, *, as_json: bool) -> None:
    if not read_enrolments(folder, now_ns=0):
        raise DataError(f"nobody is enrolled in {folder}")  # and no database is made for saying so
    with EnrolmentStore(folder, now_ns=time.time_ns()) as store:
        gone = store.remove(name)
    if as_json:
        typer.echo(json.dumps({"name": name, "removed": gone}, ensure_ascii=False))
    else:
        typer.echo(f"{name}: gone for good, {gone} enrolment(s) with their pictures and embeddings")


def _write(enrolment: Enrolment, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for rank, picture in enumerate(enrolment.pictures, 1):
            (folder / f"enrolment-{enrolment.enrolment_id}-{rank:02d}.jpg").write_bytes(picture.jpeg)
    except OSError as error:
        raise DataError(f"{folder}: cannot write the pictures: {error.strerror}") from error


def _until(one: Enrolment) -> str:
    return "until removed" if one.expires_at_ns is None else f"until {_day(one.expires_at_ns)}"


def _day(at_ns: int) -> str:
    return clock(at_ns, date=True).split()[0]


def _described(one: Enrolment) -> dict[str, Any]:
    qualities: Sequence[float] = [round(picture.quality, 4) for picture in one.pictures]
    return {
        "enrolment": one.enrolment_id,
        "name": one.name,
        "reason": one.reason,
        "enrolled_at_ns": one.enrolled_at_ns,
        "expires_at_ns": one.expires_at_ns,
        "model_id": one.model_id,
        "looks": len(one.looks),
        "pictures": len(qualities),
        "quality": qualities,
    }

"""`passerby identify`: who of the enrolled is each person in a film or picture, or is it nobody who is known?"""

import json
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from hub.enrolment.posterior import SURE
from passerby.cli.looking.answering import NamedPerson, name_everybody
from passerby.cli.looking.choosing import told_box
from passerby.cli.looking.claimed import everybody
from passerby.cli.looking.options import (
    FromFrameOption,
    ImagesOption,
    JsonOption,
    SureOption,
    ToFrameOption,
    VideoOption,
    WholeOption,
    material,
    place,
)
from passerby.cli.looking.session import open_eyes
from passerby.cli.place import CONFIG, DATA

_RANKED = 3
"""Names that are shown of each person; as JSON there are all."""


def command(
    *,
    video: VideoOption = None,
    image: ImagesOption = [],  # noqa: B006 - typer reads the default and makes a list of its own
    from_frame: FromFrameOption = None,
    to_frame: ToFrameOption = None,
    whole: WholeOption = False,
    sure: SureOption = SURE,
    config: Path | None = CONFIG,
    data: Path | None = DATA,
    as_json: JsonOption = False,
) -> None:
    """Rank the enrolled for every person seen, with probabilities; that it is nobody known is an outcome of its own.

    Before looking, each of the enrolled is equally likely, and nobody known as likely as all of them together. People
    who are seen at the same moment have different names.
    """
    what = material(video, image, from_frame=from_frame, to_frame=to_frame, whole=whole)
    site = place(config, data)
    with open_eyes(site) as eyes:
        everybody(site.data, eyes.likeness)  # says so at once where nobody is known
        answers = name_everybody(eyes, eyes.view(what))
    if as_json:
        typer.echo(json.dumps([_described(one, sure) for one in answers], ensure_ascii=False))
        return
    console = Console(soft_wrap=True, highlight=False, markup=False)
    for one in answers:
        who = one.identification
        ranked = ", ".join(f"{name} {probability:.3f}" for name, probability in who.ranking[:_RANKED])
        where = f"{one.source} {one.person.when}{told_box(one.person.typical_box).removeprefix('--')}"
        console.print(f"{where}: {who.said(sure)} ({ranked}, nobody known {who.nobody:.3f})")


def _described(one: NamedPerson, sure: float) -> dict[str, Any]:
    first, last = one.person.frames
    who = one.identification
    return {
        "source": one.source,
        **({"from_frame": first, "to_frame": last} if one.person.in_film else {}),
        "box_xyxy": [round(float(value), 1) for value in one.person.typical_box],
        "verdict": who.said(sure),
        "nobody_known": round(who.nobody, 6),
        "ranking": [{"name": name, "probability": round(probability, 6)} for name, probability in who.ranking],
    }

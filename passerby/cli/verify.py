"""`passerby verify`: is this the person whom somebody claims it is?"""

import json
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from hub.enrolment.posterior import SURE, Verdict, verdict, verified
from hub.enrolment.records import checked_name
from passerby.cli.looking.answering import compare
from passerby.cli.looking.choosing import choose
from passerby.cli.looking.claimed import one_of
from passerby.cli.looking.options import (
    BoxOption,
    FromFrameOption,
    ImagesOption,
    JsonOption,
    LargestOption,
    SureOption,
    ToFrameOption,
    VideoOption,
    WholeOption,
    choice,
    material,
    place,
)
from passerby.cli.looking.session import open_eyes
from passerby.cli.place import CONFIG, DATA
from passerby.errors import PasserbyError

_EXIT_CODES: dict[Verdict, int] = {"same": 0, "unsure": 1, "another": 2}


class _NoAnswerError(PasserbyError):
    """Whatever went wrong: it must not be read as a verdict."""

    exit_code: ClassVar[int] = 3


def command(
    name: Annotated[str, typer.Argument(help="Who it is said to be; `passerby enroll --list` shows who is known.")],
    *,
    video: VideoOption = None,
    image: ImagesOption = [],  # noqa: B006 - typer reads the default and makes a list of its own
    from_frame: FromFrameOption = None,
    to_frame: ToFrameOption = None,
    box: BoxOption = None,
    largest: LargestOption = False,
    whole: WholeOption = False,
    sure: SureOption = SURE,
    config: Path | None = CONFIG,
    data: Path | None = DATA,
    as_json: JsonOption = False,
) -> None:
    """Say how probable it is that a film or pictures show an enrolled person, if that was as likely as not before.

    Exit code 0: the same (probability at least --sure); 1: unsure; 2: another; 3: there is no answer.
    """
    try:
        name = checked_name(name)
        what = material(video, image, from_frame=from_frame, to_frame=to_frame, whole=whole)
        who = choice(box, largest)
        site = place(config, data)
        with open_eyes(site) as eyes:
            one_of(site.data, name, likeness=eyes.likeness)  # says so at once where nobody is known so
            people = [choose(one.people, who, source=one.source) for one in eyes.view(what)]
            evidence = compare(eyes, people, name=name)
    except PasserbyError as error:
        raise _NoAnswerError(str(error)) from error
    probability = verified(evidence)
    said = verdict(probability, sure=sure)
    if as_json:
        answer = {"name": name, "verdict": said, "probability": round(probability, 6), "evidence": round(evidence, 4)}
        typer.echo(json.dumps(answer, ensure_ascii=False))
    else:
        whom = {"same": f"the same as {name}", "unsure": f"perhaps {name}", "another": f"another than {name}"}[said]
        typer.echo(f"{said}: {what.name} shows {whom} (probability {probability:.3f})")
    raise typer.Exit(_EXIT_CODES[said])

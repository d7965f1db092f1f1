"""`passerby identify`: who of the enrolled is each person in a film or picture, or is it nobody who is known?"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import typer
from rich.console import Console

from hub.association.appearance import Known
from hub.enrolment.joint import identified_together
from hub.enrolment.posterior import SURE
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
from passerby.cli.looking.people import Person
from passerby.cli.looking.session import Eyes, Viewed, open_eyes
from passerby.cli.place import CONFIG, DATA

_RANKED = 3
"""Names that are shown of each person; as JSON there are all."""


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    """Whom one person may be: `ranking` of (name, probability), best first."""

    source: str
    person: Person
    ranking: Sequence[tuple[str, float]]
    nobody: float
    rival: float
    """The greatest probability of the first name's being that of somebody else who was seen at the same moment."""

    def said(self, sure: float) -> str:
        """In a word: a name, `nobody known`, or `unsure`. No two who were seen at once are given one name."""
        name, probability = self.ranking[0]
        if probability >= sure and probability > self.rival:
            return name
        return "nobody known" if self.nobody >= sure else "unsure"


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
        known = everybody(site.data, eyes.likeness)
        answers = [answer for one in eyes.view(what) for answer in _answers(one, known, eyes=eyes)]
    if as_json:
        typer.echo(json.dumps([_described(one, sure) for one in answers], ensure_ascii=False))
        return
    console = Console(soft_wrap=True, highlight=False, markup=False)
    for one in answers:
        ranked = ", ".join(f"{name} {probability:.3f}" for name, probability in one.ranking[:_RANKED])
        where = f"{one.source} {one.person.when}{told_box(one.person.typical_box).removeprefix('--')}"
        console.print(f"{where}: {one.said(sure)} ({ranked}, nobody known {one.nobody:.3f})")


def _answers(viewed: Viewed, known: Mapping[str, list[Known]], *, eyes: Eyes) -> list[_Answer]:
    """Of everybody in one film or picture, who are considered together."""
    names, people = list(known), viewed.people
    seen = [eyes.known(person) for person in people]
    evidence = np.array([[eyes.likeness.evidence(known[name], one) for name in names] for one in seen])
    at_once = np.array([[one is not other and one.seen_with(other) for other in people] for one in people])
    outcomes = identified_together(evidence, at_once)
    probability = np.stack([one.known for one in outcomes])
    answers = []
    for row, person in enumerate(people):
        order = sorted(range(len(names)), key=lambda column: (-probability[row, column], names[column]))
        ranking = [(names[column], float(probability[row, column])) for column in order]
        rival = float(probability[at_once[row], order[0]].max(initial=0.0))
        answers.append(_Answer(viewed.source, person, ranking, outcomes[row].nobody, rival))
    return answers


def _described(one: _Answer, sure: float) -> dict[str, Any]:
    first, last = one.person.frames
    return {
        "source": one.source,
        **({"from_frame": first, "to_frame": last} if one.person.in_film else {}),
        "box_xyxy": [round(float(value), 1) for value in one.person.typical_box],
        "verdict": one.said(sure),
        "nobody_known": round(one.nobody, 6),
        "ranking": [{"name": name, "probability": round(probability, 6)} for name, probability in one.ranking],
    }

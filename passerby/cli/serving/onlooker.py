"""The process that looks at a film for the web: `python -m passerby.cli.serving.onlooker`.

Each line of standard input says in JSON what is looked at (`Errand`); standard output has a line of JSON each time that
it is further (`hub.films.records.Word`), the last one with the answer or an error. It gives way to everything else on
the machine, and ends with its standard input, so that it does not outlive who asked.
"""

import contextlib
import os
import queue
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import msgspec
from msgspec import Struct

from hub.enrolment.posterior import verdict, verified
from hub.films.records import (
    MOST_CROPS,
    Answer,
    Asked,
    Compared,
    Enrolled,
    Identified,
    Named,
    Phase,
    Several,
    Shown,
    Word,
)
from passerby.cli.adapting.budget import give_way
from passerby.cli.looking.answering import compare, enroll, name_everybody
from passerby.cli.looking.choosing import Choice, choose
from passerby.cli.looking.claimed import everybody, one_of
from passerby.cli.looking.options import Place
from passerby.cli.looking.people import Person
from passerby.cli.looking.session import Eyes, likeness_of, open_eyes
from passerby.config import AssociationSettings
from passerby.config.settings import ModelSettings
from passerby.errors import DataError, PasserbyError
from passerby.redaction import redact

_TELL_EVERY_S = 0.1


class Errand(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A film, `name` as its owner calls it, what is asked about it, and on behalf of which site (`Place`)."""

    film: str
    name: str
    frames: int
    asked: Asked
    data: str
    models: ModelSettings
    engine: str
    threads: int
    association: AssociationSettings
    nice: int
    """How far it gives way, 0-19."""

    @property
    def place(self) -> Place:
        """The site."""
        return Place(
            data=Path(self.data),
            models=self.models,
            engine=self.engine,
            threads=self.threads,
            association=self.association,
        )


class Teller:
    """Says how far it is, not too often."""

    def __init__(self, of_frames: int) -> None:
        self._of_frames = of_frames
        self._told_at = float("-inf")

    def phase(self, phase: Phase) -> None:
        """Something else begins."""
        self._told_at = time.monotonic()
        self._say(
            Word(phase=phase, frame=self._of_frames * (phase in ("describing", "comparing")), of_frames=self._of_frames)
        )

    def frame(self, number: int) -> None:
        """A frame is looked at."""
        if time.monotonic() - self._told_at >= _TELL_EVERY_S:
            self._told_at = time.monotonic()
            self._say(Word(phase="watching", frame=number, of_frames=self._of_frames))

    def end(self, answer: Answer | None, error: str = "") -> None:
        """The answer, or why there is none."""
        self._say(Word(phase="comparing", answer=answer, error=error))

    def _say(self, word: Word) -> None:
        sys.stdout.buffer.write(msgspec.json.encode(word) + b"\n")
        sys.stdout.buffer.flush()


def answer(errand: Errand, eyes: Eyes, teller: Teller) -> Answer:
    """Look, and answer. Raises SourceError, DataError, StoreError."""
    asked = errand.asked
    if asked.what == "verify":
        one_of(eyes.data, asked.name, likeness=eyes.likeness)  # says so at once where nobody is known so
    elif asked.what == "identify":
        everybody(eyes.data, eyes.likeness)
    teller.phase("watching")
    viewed = eyes.film(
        Path(errand.film),
        first=asked.first,
        last=asked.last,
        name=errand.name,
        on_frame=teller.frame,
        on_last=lambda: teller.phase("describing"),
    )
    teller.phase("comparing")
    if asked.what == "identify":
        named = name_everybody(eyes, [viewed])
        return Identified(
            people=tuple(
                Named(
                    said=one.identification.said(asked.sure),
                    nobody=one.identification.nobody,
                    ranking=tuple(one.identification.ranking),
                    shown=shown(one.person),
                )
                for one in named
            )
        )
    person = _meant(viewed.people, asked, source=viewed.source)
    if person is None:
        return Several(people=tuple(map(shown, viewed.people)))
    if asked.what == "verify":
        evidence = compare(eyes, [person], name=asked.name)
        probability = verified(evidence)
        said = verdict(probability, sure=asked.sure)
        return Compared(name=asked.name, verdict=said, probability=probability, evidence=evidence, shown=shown(person))
    kept = enroll(eyes, [person], name=asked.name, reason=asked.reason, days=asked.days)
    return Enrolled(
        enrolment_id=kept.enrolment_id,
        name=kept.name,
        pictures=len(kept.pictures),
        expires_at_ns=kept.expires_at_ns,
        shown=shown(person),
    )


def shown(person: Person) -> Shown:
    """What is shown of somebody."""
    first, last = person.frames
    x1, y1, x2, y2 = (round(float(value), 1) for value in person.typical_box)
    crops = tuple(picture.jpeg for picture in person.pictures[:MOST_CROPS])
    return Shown(from_frame=first, to_frame=last, box_xyxy=(x1, y1, x2, y2), crops=crops)


def _meant(people: list[Person], asked: Asked, *, source: str) -> Person | None:
    """Who is asked about; None where that is not clear. Raises DataError where there is no such person."""
    if asked.person is not None:
        if not 1 <= asked.person <= len(people):
            raise DataError(f"there is no person {asked.person} in {source}: {len(people)} are seen")
        return people[asked.person - 1]
    if len(people) > 1 and not asked.largest:
        return None
    return choose(people, Choice(largest=True), source=source)


class Onlooker:
    """Keeps the networks from one errand to the next, while they are the same."""

    def __init__(self) -> None:
        self._open = contextlib.ExitStack()
        self._place: Place | None = None
        self._eyes: Eyes | None = None

    def eyes(self, place: Place) -> Eyes:
        """The networks of a site, with what it knows now. Raises ModelError, EngineError, StoreError."""
        if self._eyes is None or place != self._place:
            self._open.close()
            self._eyes = self._open.enter_context(open_eyes(place))
            self._place = place
        else:
            self._eyes = replace(self._eyes, likeness=likeness_of(place))
        return self._eyes

    def do(self, errand: Errand) -> None:
        """Tell how it goes, and at the end the answer, or why there is none."""
        teller = Teller(errand.asked.last or errand.frames)
        teller.phase("loading")
        try:
            said = answer(errand, self.eyes(errand.place), teller)
        except PasserbyError as error:
            told = str(error).replace(errand.film, errand.name).replace(errand.data, "the site's data")
            teller.end(None, redact(told))
        else:
            teller.end(said)


def main() -> None:
    """Do errands until the end of standard input, which ends this process at once, whatever it does."""
    errands: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def listen() -> None:
        for line in sys.stdin.buffer:
            errands.put(line)
        os._exit(0)

    threading.Thread(target=listen, name="stdin", daemon=True).start()
    onlooker, niceness = Onlooker(), 0
    while True:
        errand = msgspec.json.decode(errands.get(), type=Errand)
        if errand.nice > niceness:
            niceness = give_way(errand.nice)
        onlooker.do(errand)


if __name__ == "__main__":
    main()

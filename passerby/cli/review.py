"""`passerby review`: what the hub is not sure of, for a person to say."""

import contextlib
import json
import tempfile
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from hub.corrections.acts import Answer, AnswerWord
from hub.corrections.candidates import Candidate, candidate_of, open_candidates
from hub.corrections.desk import request_correction
from hub.crops import CropStore
from hub.narration import clock, similarity
from hub.reader import SiteReader
from hub.records import EventId, Evidence
from passerby.cli.place import CONFIG, DATA, data_folder
from passerby.cli.reviewing.changed import tell
from passerby.cli.reviewing.sheet import write_sheet
from passerby.errors import DataError

_KEYS: dict[str, AnswerWord] = {"s": "same", "d": "different", "u": "unsure"}


def command(
    *,
    config: Path | None = CONFIG,
    data: Path | None = DATA,
    as_list: Annotated[bool, typer.Option("--list", help="List what is asked, and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable, with --list or --answer.")] = False,
    answer: Annotated[
        tuple[int, str] | None,
        typer.Option(help="Answer one by its number: same, different or unsure.", metavar="ID WORD"),
    ] = None,
    unsure: Annotated[bool, typer.Option("--unsure", help="Also those where somebody was unsure.")] = False,
    out: Annotated[Path | None, typer.Option(help="Where the pictures go.  [default: a new folder]")] = None,
) -> None:
    """Go through the candidates: two people who may be one. Their crops are written side by side, a key answers.

    What is answered binds for ever, and can be undone: passerby identities undo EVENT.
    """
    folder = data_folder(config, data)
    if answer is not None:
        _answer(folder, EventId(answer[0]), answer[1], as_json=as_json)
        return
    with SiteReader(folder) as reader:
        asked = open_candidates(reader, unsure=unsure)
        if as_list:
            if as_json:
                typer.echo(json.dumps([_described(one) for one in asked], ensure_ascii=False))
            else:
                for one in asked:
                    typer.echo(_line(one))
                typer.echo(f"{len(asked)} to be answered", err=True)
            return
        pictures = out or Path(tempfile.mkdtemp(prefix="passerby-review-"))
        _go_through([one.event.event_id for one in asked], reader, folder=folder, pictures=pictures)


def _go_through(asked: list[EventId], reader: SiteReader, *, folder: Path, pictures: Path) -> None:
    if not asked:
        typer.echo("nothing to be answered")
        return
    typer.echo(f"pictures in {pictures}")
    for place, event_id in enumerate(asked, 1):
        candidate = candidate_of(reader, event_id)
        if candidate is None or reader.constraints().cannot_be_one(candidate.identity, candidate.other):
            continue  # settled by an answer before this one
        with _crop_store(folder) as crops:
            picture = write_sheet(candidate, reader, crops=crops, folder=pictures)
        typer.echo(f"\n{place} of {len(asked)}: {picture}\n{_line(candidate)}")
        word = _key()
        if word == "quit":
            return
        if word != "next":
            _answer(folder, event_id, word, as_json=False)


@contextlib.contextmanager
def _crop_store(folder: Path) -> Any:
    # Opened for one picture at a time: an answer may be carried out in this very process.
    with CropStore.open_for_reading(folder) as store:
        yield store


def _key() -> str:
    while True:
        typer.echo("same person? s(ame) d(ifferent) u(nsure) n(ext) q(uit) ", nl=False)
        try:
            key = typer.getchar().lower()
        except OSError as error:
            raise DataError("no terminal to press keys at; use --list and --answer ID WORD") from error
        typer.echo(key)
        if key in _KEYS:
            return _KEYS[key]
        if key == "n":
            return "next"
        if key in {"q", "\x03", "\x04"}:
            return "quit"


def _answer(folder: Path, event_id: EventId, word: str, *, as_json: bool) -> None:
    if word not in _KEYS.values():
        raise DataError(f"{word!r} is no answer; say same, different or unsure")
    outcome = request_correction(folder, Answer(candidate=event_id, answer=cast(AnswerWord, word)))
    tell(outcome, folder, as_json=as_json)


def _line(candidate: Candidate) -> str:
    seen, tracklet = candidate.event.evidence, candidate.tracklet
    why = ", ".join(part for part in _why(seen) if part)
    said = "" if candidate.answer is None else f" (so far: {candidate.answer})"
    return (
        f"{candidate.event.event_id}: is person {candidate.identity} person {candidate.other}? "
        f"{tracklet.camera_id} tracklet {tracklet.number} at {clock(tracklet.started_at_ns, date=True)}; {why}{said}"
    )


def _why(seen: Evidence) -> list[str]:
    terms = seen.terms
    return [
        "" if seen.probability is None else f"probability {similarity(seen.probability)}",
        "" if seen.boundary is None else f"linked from {similarity(seen.boundary)}",
        "" if seen.similarity is None else f"similarity {similarity(seen.similarity)}",
        "" if seen.threshold is None else f"threshold {similarity(seen.threshold)}",
        "" if seen.runner_up is None else f"next best {similarity(seen.runner_up)}",
        "" if terms is None or terms.appearance is None else f"appearance {terms.appearance:+.1f}",
        "" if terms is None or terms.movement is None else f"movement {terms.movement:+.1f}",
        "" if terms is None or not terms.place else f"place {terms.place:+.1f}",
        "" if seen.candidates is None else f"among {seen.candidates}",
    ]


def _described(candidate: Candidate) -> dict[str, Any]:
    seen = candidate.event.evidence
    return {
        "candidate": candidate.event.event_id,
        "identity": candidate.identity,
        "other_identity": candidate.other,
        "tracklet": candidate.tracklet.number,
        "camera": candidate.tracklet.camera_id,
        "from_ns": candidate.tracklet.started_at_ns,
        "to_ns": candidate.tracklet.ended_at_ns,
        "similarity": seen.similarity,
        "probability": seen.probability,
        "answer": candidate.answer,
    }

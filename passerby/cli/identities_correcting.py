"""`passerby identities merge|split|reject|rename|undo|erase`: an operator's word, carried out by the one writer."""

from pathlib import Path
from typing import Annotated

import typer

from hub.corrections.acts import Act, Answer, Erase, Merge, Reject, Rename, Split, Undo
from hub.corrections.archive import standing
from hub.corrections.desk import request_correction
from hub.reader import SiteReader
from hub.records import EventId, TrackletNumber
from passerby.cli.place import CONFIG, DATA, data_folder
from passerby.cli.reviewing.changed import tell
from passerby.errors import DataError
from passerby.ids import IdentityId

app = typer.Typer()

_AS_JSON = typer.Option(False, "--json", help="Machine-readable.")
_Person = Annotated[int, typer.Argument(metavar="ID", help="The person's number.")]


@app.command()
def merge(
    survivor: Annotated[int, typer.Argument(metavar="ID", help="The number that stays.")],
    absorbed: Annotated[int, typer.Argument(metavar="OTHER", help="The number that goes into it.")],
    *,
    config: Path | None = CONFIG,
    data: Path | None = DATA,
    as_json: bool = _AS_JSON,
) -> None:
    """Say that two are one person, for ever."""
    act = Merge(survivor=IdentityId(survivor), absorbed=IdentityId(absorbed))
    _carry_out(act, data_folder(config, data), as_json=as_json)


@app.command()
def split(
    identity: _Person,
    tracklets: Annotated[list[int], typer.Argument(metavar="TRACKLET...", help="Those that are somebody else.")],
    *,
    config: Path | None = CONFIG,
    data: Path | None = DATA,
    as_json: bool = _AS_JSON,
) -> None:
    """Say that some tracklets of a person are another person, for ever."""
    act = Split(identity=IdentityId(identity), tracklets=tuple(TrackletNumber(number) for number in tracklets))
    _carry_out(act, data_folder(config, data), as_json=as_json)


@app.command()
def reject(
    what: Annotated[int, typer.Argument(metavar="CANDIDATE|TRACKLET", help="A candidate, or with ID a tracklet.")],
    identity: Annotated[int | None, typer.Argument(metavar="[ID]", help="Who the tracklet is not.")] = None,
    *,
    config: Path | None = CONFIG,
    data: Path | None = DATA,
    as_json: bool = _AS_JSON,
) -> None:
    """Say that two are not the same, for ever: the two of a candidate, or a tracklet and a person."""
    act: Act = (
        Answer(candidate=EventId(what), answer="different")
        if identity is None
        else Reject(tracklet=TrackletNumber(what), identity=IdentityId(identity))
    )
    _carry_out(act, data_folder(config, data), as_json=as_json)


@app.command()
def rename(
    identity: _Person,
    name: Annotated[str | None, typer.Argument(help="The name.")] = None,
    *,
    config: Path | None = CONFIG,
    data: Path | None = DATA,
    none: Annotated[bool, typer.Option("--none", help="Take the name away.")] = False,
    as_json: bool = _AS_JSON,
) -> None:
    """Give a person a name."""
    if (name is None) != none:
        raise DataError("say which name, or --none to take it away (one of the two)")
    _carry_out(Rename(identity=IdentityId(identity), name=name), data_folder(config, data), as_json=as_json)


@app.command()
def undo(
    event: Annotated[int, typer.Argument(metavar="EVENT", help="Its number, as `identities show` tells it.")],
    *,
    config: Path | None = CONFIG,
    data: Path | None = DATA,
    whole: Annotated[bool, typer.Option("--whole", help="With all that one consolidation decided.")] = False,
    as_json: bool = _AS_JSON,
) -> None:
    """Take a decision back, an operator's or the hub's own. What the hub decided is then wrong, for ever."""
    _carry_out(Undo(event=EventId(event), whole=whole), data_folder(config, data), as_json=as_json)


@app.command()
def erase(
    identity: _Person,
    *,
    config: Path | None = CONFIG,
    data: Path | None = DATA,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: bool = _AS_JSON,
) -> None:
    """Let nothing be left of a person but the number: pictures, embeddings, sightings and names go for good."""
    folder = data_folder(config, data)
    with SiteReader(folder) as reader:
        person = standing(reader, IdentityId(identity))
        tracklets = reader.tracklets_of(person.identity_id)
    if not yes:
        named = f" ({person.name})" if person.name else ""
        cameras = ", ".join(sorted({tracklet.camera_id for tracklet in tracklets}))
        typer.echo(f"person {identity}{named}: {len(tracklets)} tracklets in {cameras}")
        typer.confirm("erase all of it? It cannot be undone", abort=True)
    _carry_out(Erase(identity=IdentityId(identity)), folder, as_json=as_json)


def _carry_out(act: Act, folder: Path, *, as_json: bool) -> None:
    tell(request_correction(folder, act), folder, as_json=as_json)

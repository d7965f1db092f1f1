"""`passerby export`: what a site's data say, as files for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from hub.export import write_mot
from hub.export_rows import ALL
from hub.export_tables import Export, Form, TableName, write_table
from hub.listing import Wanted
from hub.reader import SiteReader
from passerby.cli.looking.times import moment_ns
from passerby.cli.place import CONFIG, DATA, data_folder
from passerby.errors import ConfigError, DataError
from passerby.ids import CameraId
from passerby.whole_files import whole_file

app = typer.Typer()

_FORMS: dict[str, Form] = {".parquet": "parquet", ".jsonl": "jsonl"}

_Out = Annotated[Path, typer.Option("--out", metavar="FILE", help="FILE.parquet or FILE.jsonl.")]


@app.command()
def tracks(
    *,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="A file per camera is written here.")],
    as_decided: Annotated[
        bool, typer.Option("--as-decided", help="Identities as known two seconds after each frame.")
    ] = False,
    config: Path | None = CONFIG,
    data: Path | None = DATA,
) -> None:
    """Where everybody was, frame by frame, in MOT format: `frame,identity,x,y,w,h,confidence,-1,-1,-1`."""
    try:
        written = write_mot(data_folder(config, data), out, as_decided=as_decided)
    except OSError as error:
        raise DataError(f"{out}: cannot be written: {error.strerror}") from error
    typer.echo(f"{out}: {len(written)} cameras")


@app.command()
def tracklets(
    *,
    out: _Out,
    camera: Annotated[str | None, typer.Option(help="Seen by this camera alone.")] = None,
    since: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Seen then or later.")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Seen then or earlier.")] = None,
    config: Path | None = CONFIG,
    data: Path | None = DATA,
) -> None:
    """One row a tracklet: camera, person, times, quality."""
    wanted = Wanted(
        camera=None if camera is None else CameraId(camera),
        from_ns=None if since is None else moment_ns(since, option="--from"),
        to_ns=None if until is None else moment_ns(until, option="--to"),
    )
    _write("tracklets", out, data_folder(config, data), wanted=wanted)


@app.command()
def events(*, out: _Out, config: Path | None = CONFIG, data: Path | None = DATA) -> None:
    """The log of all decisions, one row an event, with its evidence."""
    _write("events", out, data_folder(config, data))


@app.command()
def embeddings(
    *,
    out: _Out,
    model: Annotated[
        str | None, typer.Option(help="Whose, by id or name.  [default: that of the latest tracklet]")
    ] = None,
    config: Path | None = CONFIG,
    data: Path | None = DATA,
) -> None:
    """One row a tracklet: the raw embedding, as the network gives it, without normalization."""
    _write("embeddings", out, data_folder(config, data), model=model)


def _write(table: TableName, out: Path, folder: Path, *, wanted: Wanted = ALL, model: str | None = None) -> None:
    form = _FORMS.get(out.suffix)
    if form is None:
        raise ConfigError(f"--out is {str(out)!r}, expected a name that ends in .parquet or .jsonl")
    export = Export(table=table, form=form, wanted=wanted, model=model)
    with SiteReader(folder) as reader:
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(out) as file:
                count = write_table(reader, export, file)
        except OSError as error:
            raise DataError(f"{out}: cannot be written: {error.strerror}") from error
    typer.echo(f"{out}: {count} {table}")

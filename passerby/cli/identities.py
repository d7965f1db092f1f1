"""`passerby identities`: who was seen, where and when, and operators' corrections."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from hub.corrections.archive import standing
from hub.corrections.placing import placed_by
from hub.crops import CropStore
from hub.export import event_json
from hub.narration import clock, placement, sentence
from hub.reader import IdentitySummary, SiteReader, StoredExemplar
from hub.records import Event, Identity, IdentityState, Tracklet
from passerby.cli.identities_correcting import app as correcting
from passerby.cli.place import CONFIG, DATA, data_folder
from passerby.errors import DataError
from passerby.ids import CameraId, IdentityId

app = typer.Typer()
app.add_typer(correcting)

_AS_JSON = typer.Option(False, "--json", help="Machine-readable.")
_SECOND_NS = 1_000_000_000


@app.command("list")
def list_command(
    *,
    config: Path | None = CONFIG,
    data: Path | None = DATA,
    as_json: bool = _AS_JSON,
    everyone: Annotated[bool, typer.Option("--all", help="Also those who are forgotten.")] = False,
) -> None:
    """List the identities: their cameras, when they were first and last seen, how many tracklets they have."""
    states = (IdentityState.ACTIVE, IdentityState.EXPIRED) if everyone else (IdentityState.ACTIVE,)
    with SiteReader(data_folder(config, data)) as reader:
        summaries = reader.summaries(states=states)
    if as_json:
        typer.echo(json.dumps([_summary(summary) for summary in summaries], ensure_ascii=False))
        return
    table = Table(box=None, pad_edge=False)
    for title in ("person", "name", "tracklets", "first seen", "last seen", "cameras"):
        table.add_column(title, justify="right" if title in {"person", "tracklets"} else "left")
    for summary in summaries:
        table.add_row(
            str(summary.identity.identity_id),
            summary.identity.name or "",
            str(summary.tracklets),
            clock(summary.first_seen_at_ns, date=True),
            clock(summary.last_seen_at_ns, date=True),
            ", ".join(summary.cameras),
        )
    Console().print(table)


@app.command()
def show(
    identity: Annotated[int, typer.Argument(metavar="ID", help="The person's number.")],
    *,
    config: Path | None = CONFIG,
    data: Path | None = DATA,
    as_json: bool = _AS_JSON,
    crops: Annotated[Path | None, typer.Option(help="Write the best crops into this folder, as JPEG.")] = None,
) -> None:
    """Show one identity: where it was when, camera by camera, and why we think so."""
    folder = data_folder(config, data)
    with SiteReader(folder) as reader:
        person = reader.identity(IdentityId(identity))
        if person is None:
            raise DataError(f"there is no person {identity}; `passerby identities list` shows who there is")
        tracklets = reader.tracklets_of(person.identity_id)
        events = reader.events_of(person.identity_id)
        if as_json:
            typer.echo(
                json.dumps(
                    {
                        **_identity(person),
                        "timeline": [_sighting(tracklet) for tracklet in tracklets],
                        "events": [json.loads(event_json(event, crop_pair=_pair(event, reader))) for event in events],
                    },
                    ensure_ascii=False,
                )
            )
        else:
            _print_timeline(person, tracklets)
            typer.echo("\nevidence")
            for event in events:
                typer.echo(f"  {clock(event.at_ns)} event {event.event_id}: {sentence(event, reader)}")
                if (pair := reader.crops_most_alike(event)) is not None:
                    typer.echo(f"    crops most alike: {_named(pair[0], reader)} and {_named(pair[1], reader)}")
        if crops is not None:
            written = _write_crops(reader, folder, tracklets, out=crops)
            typer.echo(f"{written} crops written to {crops}", err=True)


@app.command()
def timeline(
    identity: Annotated[int, typer.Argument(metavar="ID", help="The person's number.")],
    *,
    config: Path | None = CONFIG,
    data: Path | None = DATA,
    as_json: bool = _AS_JSON,
) -> None:
    """Show where one identity was, sighting by sighting, and by which decision each is taken for theirs."""
    with SiteReader(data_folder(config, data)) as reader:
        person = standing(reader, IdentityId(identity))
        tracklets = reader.tracklets_of(person.identity_id)
        placed = placed_by(reader, person.identity_id)
        if as_json:
            rows = [{**_sighting(one), "decided_by": json.loads(event_json(placed[one.number]))} for one in tracklets]
            typer.echo(json.dumps(rows, ensure_ascii=False))
            return
        table = Table(box=None, pad_edge=False)
        for title in ("camera", "from", "to", "tracklet", "event", "how it was linked"):
            table.add_column(title, justify="right" if title in {"tracklet", "event"} else "left")
        for one in tracklets:
            event = placed[one.number]
            table.add_row(
                one.camera_id,
                clock(one.started_at_ns, date=True),
                clock(one.ended_at_ns),
                str(one.number),
                str(event.event_id),
                placement(event, reader),
            )
        Console().print(table)


def _print_timeline(person: Identity, tracklets: Sequence[Tracklet]) -> None:
    named = f" ({person.name})" if person.name else ""
    into = f" into person {person.merged_into}" if person.merged_into is not None else ""
    typer.echo(f"person {person.identity_id}{named}: {person.state.value}{into}, {len(tracklets)} tracklets")
    for camera_id in dict.fromkeys(tracklet.camera_id for tracklet in tracklets):
        typer.echo(f"\n{camera_id}")
        for tracklet in (one for one in tracklets if one.camera_id == camera_id):
            seconds = (tracklet.ended_at_ns - tracklet.started_at_ns) / _SECOND_NS
            still = ", still there" if tracklet.open else ""
            typer.echo(
                f"  {clock(tracklet.started_at_ns)} to {clock(tracklet.ended_at_ns)}  "
                f"tracklet {tracklet.number}, {seconds:.1f} s, quality {tracklet.quality:.2f}{still}"
            )


def _write_crops(reader: SiteReader, folder: Path, tracklets: Sequence[Tracklet], *, out: Path) -> int:
    out.mkdir(parents=True, exist_ok=True)
    written = 0
    with CropStore.open_for_reading(folder) as store:
        for tracklet in tracklets:
            for exemplar in reader.exemplars(tracklet.number):
                jpeg = store.get(tracklet.number, exemplar.crop_id)
                if jpeg is not None:
                    (out / f"{_crop_name(tracklet.camera_id, exemplar)}.jpg").write_bytes(jpeg)
                    written += 1
    return written


def _crop_name(camera_id: CameraId, crop: StoredExemplar) -> str:
    return f"{camera_id}-{crop.tracklet:06d}-{crop.rank}"


def _named(crop: StoredExemplar, reader: SiteReader) -> str:
    """A crop as `--crops` names its file."""
    tracklet = reader.tracklet(crop.tracklet)
    return f"tracklet {crop.tracklet}" if tracklet is None else _crop_name(tracklet.camera_id, crop)


def _pair(event: Event, reader: SiteReader) -> list[dict[str, int]] | None:
    """The two crops most alike of those whom an event is about; None where that is not known any more."""
    pair = reader.crops_most_alike(event)
    return pair and [{"tracklet": one.tracklet, "crop": one.crop_id, "rank": one.rank} for one in pair]


def _identity(person: Identity) -> dict[str, Any]:
    return {
        "identity": person.identity_id,
        "state": person.state.value,
        "name": person.name,
        "merged_into": person.merged_into,
    }


def _summary(summary: IdentitySummary) -> dict[str, Any]:
    return {
        **_identity(summary.identity),
        "tracklets": summary.tracklets,
        "cameras": list(summary.cameras),
        "first_seen_at_ns": summary.first_seen_at_ns,
        "last_seen_at_ns": summary.last_seen_at_ns,
    }


def _sighting(tracklet: Tracklet) -> dict[str, Any]:
    return {
        "camera": tracklet.camera_id,
        "tracklet": tracklet.number,
        "from_ns": tracklet.started_at_ns,
        "to_ns": tracklet.ended_at_ns,
        "quality": round(tracklet.quality, 4),
        "exemplars": tracklet.exemplars,
        "open": tracklet.open,
        "model_id": tracklet.model_id,
    }

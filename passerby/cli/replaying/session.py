"""One replay from start to end: an empty hub, the messages, the results as files."""

import contextlib
import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from edge.frames import Frame
from hub.database.deferred import DeferredStorage
from hub.export import tracks, write_events, write_mot
from hub.playback import Playback, batches
from hub.reader import SiteReader
from hub.site_hub import Hub
from passerby.cli.adapting.references import SiteReferences
from passerby.cli.replaying.footage import NS_PER_SECOND, START_NS, load_networks, messages_of, recorded_cameras
from passerby.cli.replaying.picture import write_video
from passerby.cli.scratch import fresh_folder
from passerby.config import CameraSettings, Site
from passerby.errors import ConfigError
from passerby.ids import CameraId
from passerby.inference import DetectionEngine, EmbeddingEngine
from passerby.tape import TapeRecord, TapeWriter, read_tape

_STATE = "hub-data"
"""A file in the folder that a replay made, and the next one may delete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the results should be."""

    out: Path
    as_decided: bool
    video: bool
    record: Path | None
    as_json: bool


def replay_site(site: Site, wishes: Wishes) -> None:
    """Replay the recordings of a site. Raises ConfigError, ModelError, EngineError, SourceError, StoreError."""
    console = Console(stderr=wishes.as_json)
    cameras = recorded_cameras(site)
    detector, embedder = load_networks(site)
    console.print(f"detector {detector.manifest.model_id} on {detector.device}", highlight=False, soft_wrap=True)
    console.print(f"re-ID {embedder.manifest.model_id} on {embedder.device}", highlight=False, soft_wrap=True)
    state = _fresh_state(wishes.out, site)
    with contextlib.closing(detector), contextlib.closing(embedder), contextlib.ExitStack() as stack:
        playback = Playback(stack.enter_context(_open_hub(state, site)))
        tape = stack.enter_context(TapeWriter(wishes.record)) if wishes.record else None
        progress = stack.enter_context(_progress(console))
        for records in _footage_records(cameras, detector, embedder, progress=progress):
            if tape is not None:
                _record(tape, records)
            for batch in batches(records):
                playback.take(batch)
        playback.finish()
    write_mot(state, wishes.out, as_decided=wishes.as_decided, cameras=cameras)
    if wishes.video:
        _write_videos(site, state, wishes, console)
    _tell(console, state, playback, wishes)


def replay_tape(tape: Path, site: Site | None, wishes: Wishes) -> None:
    """Replay a tape: the hub alone, on recorded messages; `site` says how it associates, else the defaults do.

    Raises ConfigError, DataError, MalformedMessageError, StoreError.
    """
    console = Console(stderr=wishes.as_json)
    next(iter(read_tape(tape)), None)  # what is no tape replaces no former results
    state = _fresh_state(wishes.out, site)
    with contextlib.ExitStack() as stack:
        playback = Playback(stack.enter_context(_open_hub(state, site)))
        progress = stack.enter_context(_progress(console))
        for batch in batches(_tape_records(tape, progress)):
            playback.take(batch)
        playback.finish()
    write_mot(state, wishes.out, as_decided=wishes.as_decided)
    _tell(console, state, playback, wishes)


def _record(tape: TapeWriter, records: Sequence[TapeRecord]) -> None:
    for record in records:
        tape.write(record.received_at_ns, record.edge_id, parts=record.parts)


def _fresh_state(out: Path, site: Site | None) -> Path:
    """An empty folder for the hub's data under `out`; never the data of a living site."""
    if site is not None and out.resolve() in {site.data, *site.data.parents}:
        raise ConfigError(f"--out {out} is or holds the site's own data ({site.data}); choose another folder")
    return fresh_folder(out / _STATE, made_by="replay")


def _open_hub(state: Path, site: Site | None) -> Hub:
    """A hub that decides as that of the site does."""
    storage = DeferredStorage(state)
    if site is None:
        return Hub.on(storage)
    return Hub.on(storage, association=site.association, references=SiteReferences(site))


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, TextColumn("{task.fields[note]}"), console=console)


def _footage_records(
    cameras: Mapping[CameraId, CameraSettings],
    detector: DetectionEngine,
    embedder: EmbeddingEngine,
    *,
    progress: Progress,
) -> Iterator[list[TapeRecord]]:
    task = progress.add_task(f"{len(cameras)} camera(s)", total=None, note="")

    def show(frames: list[Frame]) -> None:
        seconds = (frames[0].captured_at_ns - START_NS) / NS_PER_SECOND
        progress.update(task, advance=len(frames), note=f"frames, {seconds:.0f} s of site")

    yield from messages_of(cameras, detector=detector, embedder=embedder, on_frames=show)
    _complete(progress, task)


def _tape_records(tape: Path, progress: Progress) -> Iterator[TapeRecord]:
    task = progress.add_task(tape.name, total=None, note="messages")
    for record in read_tape(tape):
        yield record
        progress.update(task, advance=1)
    _complete(progress, task)


def _write_videos(site: Site, state: Path, wishes: Wishes, console: Console) -> None:
    seen = tracks(state)
    with _progress(console) as progress:
        for name, settings in recorded_cameras(site).items():
            task = progress.add_task(f"{name}.mp4", total=None, note="frames")
            write_video(
                wishes.out / f"{name}.mp4",
                name,
                settings,
                tracks=seen.get(name),
                as_decided=wishes.as_decided,
                on_frame=functools.partial(progress.advance, task),
            )
            _complete(progress, task)


def _complete(progress: Progress, task: TaskID) -> None:
    """How many there are is known only at the end."""
    progress.update(task, total=progress.tasks[task].completed)


def _tell(console: Console, state: Path, playback: Playback, wishes: Wishes) -> None:
    events = write_events(state, wishes.out / "events.jsonl")
    with SiteReader(state) as reader:
        people = reader.summaries()
    for person in people:
        cameras = ", ".join(person.cameras)
        console.print(
            f"person {person.identity.identity_id}: {person.tracklets} tracklet(s) in {cameras}", highlight=False
        )
    console.print(
        f"{playback.messages} messages, {events} events, {len(people)} identities. Results in {wishes.out}",
        highlight=False,
    )
    if wishes.as_json:
        found = {
            "messages": playback.messages,
            "refused": playback.refused,
            "events": events,
            "identities": len(people),
        }
        typer.echo(json.dumps({**found, "out": str(wishes.out)}))

"""`passerby dataset`: training sets without labels, out of videos."""

import json
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from passerby.cli.collecting.building import collect
from passerby.cli.collecting.videos import Video, videos_of
from passerby.config.settings import ModelSettings
from passerby.errors import SourceError
from passerby.inference import DetectionEngine, load_detector
from passerby.models import find_model
from training.datasets.crops import CropWriter
from training.datasets.records import ArchiveSettings, VideoRecord

app = typer.Typer()


@app.callback()
def _group() -> None:
    """Make training sets without labels."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of one video."""

    video: str
    camera: str
    state: Literal["read", "known", "cut-short", "failed"]
    problem: str = ""
    frames: int = 0
    tracklets: int = 0
    crops: int = 0


@app.command()
def build(
    videos: Annotated[list[str], typer.Argument(metavar="VIDEO...", help="Video files, each of one camera.")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="The archive; one that is there grows.")],
    *,
    detector: Annotated[str, typer.Option(help="A model's name, or its file.")] = ModelSettings().detector,
    engine: Annotated[str, typer.Option(help="auto, tensorrt, openvino or onnxruntime.")] = "auto",
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0: the machine decides.")] = 0,
    fps: Annotated[float, typer.Option(min=0.1, max=120.0, help="Frames looked at per second of video.")] = 5.0,
    crops: Annotated[int, typer.Option(min=1, max=64, help="Crops kept of one tracklet, at most.")] = 16,
    min_height: Annotated[int, typer.Option(min=8, max=100_000, help="Smaller people, in pixels, are left out.")] = 64,
    min_confidence: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="Of a detection that begins a tracklet.")
    ] = None,
    camera_of: Annotated[
        Literal["file", "folder"], typer.Option(help="A camera's name is that of its video, or of the folder.")
    ] = "file",
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object on the last line.")] = False,
) -> None:
    """Cut the people out of videos into an archive of crops that training reads, by camera and tracklet.

    Videos that the archive has already are not read again, so that a run that was stopped goes on.
    """
    began = time.monotonic()
    chosen = videos_of(videos, camera_of=camera_of)
    model = find_model(detector, task="detect")
    how = ArchiveSettings(
        detector=model.model_id,
        fps=fps,
        crops_per_tracklet=crops,
        min_person_height=min_height,
        min_confidence=min_confidence,
    )
    folder = out.expanduser()
    with CropWriter(folder, how) as writer:
        known = [writer.finished(fingerprint=video.fingerprint) for video in chosen]
        network = load_detector(model, engine=engine, threads=threads)
        with closing(network), _bar() as bar:
            unread = [video.frames for video, record in zip(chosen, known, strict=True) if record is None]
            task = bar.add_task("", total=None if None in unread else sum(filter(None, unread)))
            outcomes = [
                _outcome(video, record, "known")
                if record is not None
                else _read(video, writer, detector=network, how=how, bar=bar, task=task)
                for video, record in zip(chosen, known, strict=True)
            ]
    _tell(outcomes, folder, seconds=time.monotonic() - began, as_json=as_json)
    failed = [outcome for outcome in outcomes if outcome.state == "failed"]
    if failed:
        raise SourceError(f"{len(failed)} of {len(outcomes)} videos could not be read: {failed[0].problem}")


def _read(
    video: Video, writer: CropWriter, *, detector: DetectionEngine, how: ArchiveSettings, bar: Progress, task: TaskID
) -> _Outcome:
    before = bar.tasks[task].completed
    bar.update(task, description=video.file.name)

    def on_frame(number: int) -> None:
        bar.update(task, completed=before + number)

    try:
        record = collect(video, writer, detector=detector, how=how, on_frame=on_frame)
    except SourceError as error:
        return _Outcome(video.file.name, video.camera, "failed", str(error))
    finally:
        bar.update(task, completed=before + (video.frames or 0))
    return _outcome(video, record, "cut-short" if record.cut_short else "read")


def _outcome(video: Video, record: VideoRecord, state: Literal["read", "known", "cut-short"]) -> _Outcome:
    return _Outcome(
        video.file.name, video.camera, state, record.cut_short, record.frames, record.tracklets, record.crops
    )


def _tell(outcomes: list[_Outcome], folder: Path, *, seconds: float, as_json: bool) -> None:
    if as_json:
        totals = {name: sum(getattr(one, name) for one in outcomes) for name in ("frames", "tracklets", "crops")}
        videos = [asdict(one) for one in outcomes]
        report = {"archive": str(folder), **totals, "seconds": round(seconds, 1), "videos": videos}
        typer.echo(json.dumps(report, ensure_ascii=False))
        return
    table = Table(box=None, pad_edge=False)
    for title in ("video", "camera", "state", "frames", "tracklets", "crops"):
        table.add_column(title, justify="right" if title in {"frames", "tracklets", "crops"} else "left")
    for one in outcomes:
        numbers = (str(one.frames), str(one.tracklets), str(one.crops))
        table.add_row(one.video, one.camera, one.state, *numbers)
    console = Console(soft_wrap=True, markup=False, highlight=False)
    console.print(table)
    for one in outcomes:
        if one.problem:
            console.print(f"{one.video}: {one.problem}")
    console.print(f"{sum(one.crops for one in outcomes)} crops are in {folder}")


def _bar() -> Progress:
    """On stderr, where it does not get between a pipe and its reader."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)

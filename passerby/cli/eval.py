"""`passerby eval`: how well a model, or a whole site, does on labelled data."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from passerby.inference import load_embedder
from passerby.models import find_model

app = typer.Typer()


@app.command()
def reid(
    root: Annotated[Path, typer.Option(help="Folder of images named as Market-1501's: 0003_c1s1_000001_00.png.")],
    model: Annotated[str, typer.Option(help="Name of a re-ID model, or FILE.onnx with its manifest beside it.")],
    *,
    normalize: Annotated[
        Literal["camera", "none"], typer.Option(help="camera: z-score of the raw embeddings of each camera.")
    ] = "camera",
    protocol: Annotated[
        Literal["all-vs-all", "market"],
        typer.Option(help="all-vs-all: each image queries all others; market: query/ against bounding_box_test/."),
    ] = "all-vs-all",
    ap: Annotated[
        Literal["torchreid", "sklearn", "layumi"], typer.Option(help="Whose definition of average precision.")
    ] = "torchreid",
    engine: Annotated[str, typer.Option(help="auto, tensorrt, openvino or onnxruntime.")] = "auto",
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0: the machine decides.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object on the last line.")] = False,
) -> None:
    """Find people again across cameras in labelled images, and say how often that works."""
    from training.evaluate import compare, embed_images, read_split

    split = read_split(root, protocol=protocol)
    embedder = load_embedder(find_model(model, task="embed"), engine=engine, threads=threads)
    try:
        with _progress() as progress:
            task = progress.add_task("embedding", total=len(split.images))
            embeddings = embed_images(embedder, split.images, progress=lambda done: progress.advance(task, done))
    finally:
        embedder.close()
    found = compare(split, embeddings, normalize=normalize, ap=ap)
    report: dict[str, Any] = {
        "mAP": found.mean_average_precision,
        "rank1": found.rank(1),
        "rank5": found.rank(5),
        "rank10": found.rank(10),
        "mINP": found.mean_inverse_negative_penalty,
        "queries": found.queries,
        "skipped_queries": found.skipped_queries,
        "gallery": found.gallery,
        "protocol": protocol,
        "normalize": normalize,
        "ap": ap,
        "model": embedder.manifest.model_id,
        "device": embedder.device,
    }
    if as_json:
        typer.echo(json.dumps(report))
    else:
        Console().print(_table(report))


@app.command()
def tracks(
    truth: Annotated[Path, typer.Option("--gt", help="Folder of CAMERA.txt or CAMERA/gt/gt.txt, in MOT format.")],
    predicted: Annotated[Path, typer.Option("--pred", help="Folder of CAMERA.txt, in MOT format.")],
    *,
    min_visibility: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="People of whom less is visible are ignored.")
    ] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object on the last line.")] = False,
) -> None:
    """Compare who was tracked with the truth, in each camera and over all: HOTA, AssA, IDF1, MOTA."""
    from training.evaluate.mot_files import read_predictions, read_truth
    from training.evaluate.tracks import evaluate_tracks

    found = evaluate_tracks(read_truth(truth, min_visibility=min_visibility), read_predictions(predicted))
    if as_json:
        cameras = {name: asdict(quality) for name, quality in found.cameras.items()}
        typer.echo(json.dumps({**asdict(found.site), "cameras": cameras}))
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("camera")
    for name, _ in _TRACK_COLUMNS:
        table.add_column(name, justify="right")
    for camera, quality in [*found.cameras.items(), ("all", found.site)]:
        table.add_row(camera, *(_number(getattr(quality, field)) for _, field in _TRACK_COLUMNS))
    Console().print(table)


_TRACK_COLUMNS = (
    ("HOTA", "hota"),
    ("AssA", "assa"),
    ("DetA", "deta"),
    ("IDF1", "idf1"),
    ("MOTA", "mota"),
    ("switches", "id_switches"),
    ("misses", "misses"),
    ("false", "false_positives"),
    ("boxes", "true_boxes"),
    ("people", "true_ids"),
    ("identities", "predicted_ids"),
)
"""Heading -> field of TrackingQuality."""


def _progress() -> Progress:
    """A bar on stderr, where it does not get between a pipe and its reader."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def _number(value: float | int | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _table(report: dict[str, Any]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in report.items():
        table.add_row(name, value if isinstance(value, str) else _number(value))
    return table

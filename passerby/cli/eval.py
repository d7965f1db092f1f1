"""`passerby eval`: how well a model, or a whole site, does on labelled data."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from passerby.inference import load_embedder
from passerby.models import find_model

if TYPE_CHECKING:
    from training.evaluate import Verification

app = typer.Typer()


@app.command()
def reid(
    root: Annotated[Path, typer.Option(help="Folder of labelled images, laid out as --protocol says.")],
    model: Annotated[str, typer.Option(help="Name of a re-ID model, or FILE.onnx with its manifest beside it.")],
    *,
    normalize: Annotated[
        Literal["camera", "none"], typer.Option(help="camera: z-score of the raw embeddings of each camera.")
    ] = "camera",
    protocol: Annotated[
        Literal["all-vs-all", "market", "msmt17", "cuhk03", "folders"],
        typer.Option(
            help="market, msmt17, cuhk03: those data sets' queries in their gallery; all-vs-all: each image of a"
            " folder, named as Market-1501's (0003_c1s1_000001_00.png), queries all others; folders: the same with"
            " PERSON/CAMERA/picture, or query/ in gallery/."
        ),
    ] = "all-vs-all",
    ap: Annotated[
        Literal["torchreid", "sklearn", "layumi"], typer.Option(help="Whose definition of average precision.")
    ] = "torchreid",
    rerank: Annotated[
        Literal["none", "zhong", "layumi", "faiss"],
        typer.Option(help="Whose k-reciprocal re-ranking (k1 20, k2 6, .7 Jaccard + .3 original distance)."),
    ] = "none",
    multi_query: Annotated[
        bool,
        typer.Option("--multi-query", help="Images of one person in one camera search together, as their mean."),
    ] = False,
    roc: Annotated[bool, typer.Option("--roc", help="Also: are two images the same person? TPR at FPR, area.")] = False,
    curves: Annotated[Path | None, typer.Option(help="Folder for pictures of CMC and ROC; implies --roc.")] = None,
    engine: Annotated[str, typer.Option(help="auto, tensorrt, openvino or onnxruntime.")] = "auto",
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0: the machine decides.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object on the last line.")] = False,
) -> None:
    """Find people again across cameras in labelled images, and say how often that works."""
    from training.evaluate import embed_images, read_split, search

    split = read_split(root, protocol=protocol, multi_query=multi_query)
    embedder = load_embedder(find_model(model, task="embed"), engine=engine, threads=threads)
    try:
        with _progress() as progress:
            task = progress.add_task("embedding", total=len(split.images))
            embeddings = embed_images(embedder, split.images, progress=lambda done: progress.advance(task, done))
    finally:
        embedder.close()
    searched = search(split, embeddings, normalize=normalize, rerank=rerank, multi_query=multi_query)
    found = searched.retrieval(ap=ap)
    verified = searched.verification() if roc or curves is not None else None
    report: dict[str, Any] = {
        "mAP": found.mean_average_precision,
        "rank1": found.rank(1),
        "rank5": found.rank(5),
        "rank10": found.rank(10),
        "mINP": found.mean_inverse_negative_penalty,
        **({} if verified is None else _verification(verified)),
        "queries": found.queries,
        "skipped_queries": found.skipped_queries,
        "gallery": found.gallery,
        "dataset": split.dataset,
        "protocol": protocol,
        "normalize": normalize,
        "ap": ap,
        "rerank": rerank,
        "multi_query": "mean" if multi_query else "none",
        "model": embedder.manifest.model_id,
        "device": embedder.device,
    }
    if curves is not None and verified is not None:
        from training.evaluate.curves import draw_curves

        draw_curves(curves, found, verified)
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


def _verification(found: "Verification") -> dict[str, Any]:
    from training.evaluate import FALSE_POSITIVE_RATES

    points = {f"fpr_1e{np.log10(rate):.0f}": found.at(rate) for rate in FALSE_POSITIVE_RATES}
    return {
        "AUC": found.area_under_curve,
        **{f"tpr_at_{rate}": point.true_positive_rate for rate, point in points.items()},
        **{f"distance_at_{rate}": point.distance for rate, point in points.items()},
        "matching_pairs": found.matching_pairs,
        "other_pairs": found.other_pairs,
    }


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

"""`passerby models`: which there are, fetch one, describe one, make one from torch weights."""

import json
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from passerby.errors import DataError, ModelError
from passerby.models import find_model, known_model
from passerby.models.download import pull_model
from passerby.models.find import model_file
from passerby.models.inventory import Listing, describe_model, list_models
from passerby.models.manifest import ModelManifest
from passerby.models.places import MODEL_DIR_VARIABLE, operator_folder, registry_folder

app = typer.Typer()

_PICTURES = (".jpg", ".jpeg", ".png")

_AS_JSON = typer.Option(False, "--json", help="Machine-readable.")


@app.command("list")
def list_command(as_json: bool = _AS_JSON) -> None:
    """List the known models and those on this machine: where each lies, its hash, its licence."""
    listings = list_models()
    if as_json:
        typer.echo(json.dumps(msgspec.to_builtins(listings)))
        return
    table = Table(box=None, pad_edge=False)
    for title in ("name", "task", "where", "version", "bytes"):
        table.add_column(title, no_wrap=True)
    table.add_column("licence of the weights")
    for listing in listings:
        table.add_row(
            listing.name,
            listing.task or "?",
            listing.place,
            "[red]unusable[/]" if listing.problem else listing.version or "-",
            _whose(listing),
            escape(listing.weights_licence),
        )
    console = Console(soft_wrap=False)
    console.print(table)
    for listing in listings:
        if listing.problem:
            console.print(f"[red]{escape(listing.problem)}[/]", soft_wrap=True)
    console.print(
        f"operator: {operator_folder() or f'{MODEL_DIR_VARIABLE} is not set'}\nregistry: {registry_folder()}",
        soft_wrap=True,
        markup=False,
    )


@app.command()
def show(name: str, as_json: bool = _AS_JSON) -> None:
    """Describe one model by NAME or file: input, output, files with their hashes, licences, where it came from."""
    listing = describe_model(name)
    manifest = find_model(name) if listing.version else None
    if as_json:
        known = msgspec.to_builtins(listing)
        known["input"] = msgspec.to_builtins(manifest.input) if manifest else None
        known["detection"] = msgspec.to_builtins(manifest.detection) if manifest else None
        known["embedding"] = msgspec.to_builtins(manifest.embedding) if manifest else None
        typer.echo(json.dumps(known))
        return
    console = Console(soft_wrap=True, highlight=False)
    for key, value in _facts(listing, manifest):
        console.print(f"[bold]{key:<24}[/]{escape(value)}")


@app.command()
def pull(name: str) -> None:
    """Fetch the published files of NAME into the registry folder and verify their checksums."""
    entry = known_model(name)
    own = operator_folder()
    if own is not None and (file := model_file(own, name)) is not None:
        typer.echo(f"{file} is used before the registry ({MODEL_DIR_VARIABLE})")
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as bars:
        tasks: dict[str, TaskID] = {}

        def advance(file_name: str, done: int, total: int) -> None:
            if file_name not in tasks:
                tasks[file_name] = bars.add_task(file_name, total=total)
            bars.update(tasks[file_name], completed=done)

        manifest = pull_model(entry, registry_folder(), progress=advance)
    typer.echo(f"{manifest.model_id} is in {registry_folder()}; licence of the weights: {manifest.weights_licence}")


@app.command()
def export(
    source: Annotated[str, typer.Argument(help="An Ultralytics .pt or .yaml, or a re-ID state dict .pth.")],
    out: Annotated[Path, typer.Option(help="The .onnx to write; its manifest is written beside it.")],
    size: Annotated[int, typer.Option(help="Height and width of an Ultralytics detector's input, in pixels.")] = 640,
    person_class: Annotated[int | None, typer.Option(help="The class of people, if none is called person.")] = None,
    crops: Annotated[
        Path | None, typer.Option(help="A folder of pictures of people on which a .pth is compared with torch as well.")
    ] = None,
) -> None:
    """Make an ONNX file that every engine runs from torch weights, checked against torch."""
    suffix = Path(source).suffix
    if suffix not in {".pt", ".yaml", ".pth"}:
        raise ModelError(f"cannot export {source!r}; expected an Ultralytics .pt or .yaml, or a re-ID state dict .pth")
    target = out.expanduser().resolve()
    local = Path(source).expanduser()
    if suffix == ".pth":
        manifest = _export_backbone(local, target, crops=crops)
    else:
        resolved = str(local.resolve()) if local.exists() or "/" in source else source
        manifest = _export_ultralytics(resolved, target, size=size, person_class=person_class)
    typer.echo(f"{target}: {manifest.model_id}, agrees with torch; manifest in {target.with_suffix('.json').name}")


def _export_backbone(weights: Path, out: Path, *, crops: Path | None) -> ModelManifest:
    _require_torch("training")
    from training.evaluate.labelled import read_image
    from training.export import export_backbone

    files = [] if crops is None else sorted(file for file in crops.glob("*") if file.suffix.lower() in _PICTURES)
    if crops is not None and not files:
        raise DataError(f"{crops}: no pictures ({', '.join(_PICTURES)}) in it to compare the networks on")
    return export_backbone(weights, out, crops=[read_image(file) for file in files])


def _export_ultralytics(source: str, out: Path, *, size: int, person_class: int | None) -> ModelManifest:
    _require_torch("ultralytics")
    from training.export_ultralytics import export_ultralytics

    return export_ultralytics(source, out, size=size, person_class=person_class)


def _require_torch(extra: str) -> None:
    from importlib.util import find_spec

    for module in ("torch", "onnx"):
        if find_spec(module) is None:
            raise ModelError(f"exporting needs {module}, which is not installed; `pip install 'passerby[{extra}]'`")


def _whose(listing: Listing) -> str:
    if not listing.version:
        return "-"
    if listing.published:
        return "published"
    return "Passerby's" if listing.place == "embedded" else "own"


def _not_published(listing: Listing) -> str:
    return "come with Passerby" if listing.place == "embedded" else "the operator's own"


def _facts(listing: Listing, manifest: ModelManifest | None) -> list[tuple[str, str]]:
    facts = [("name", listing.name), ("task", listing.task or "?"), ("where", listing.place)]
    if listing.problem:
        facts.append(("problem", listing.problem))
    if listing.place == "absent":
        facts.append(("to get it", listing.obtain))
    if manifest is not None:
        how = manifest.input
        facts += [
            ("version", listing.version),
            ("bytes", f"as published, {listing.published}" if listing.published else _not_published(listing)),
            ("input", f"{how.height}x{how.width} (height x width) {how.colour}, {how.resize}"),
        ]
        if manifest.detection is not None:
            facts.append(("output", f"{manifest.detection.layout}, people are class {manifest.detection.person_class}"))
        if manifest.embedding is not None:
            facts.append(("output", f"embedding of {manifest.embedding.dimension} numbers"))
            if manifest.embedding.cameras:
                facts.append(("batch norm of", f"{', '.join(manifest.embedding.cameras)}; the site for others"))
    for file in listing.files:
        facts += [("file", f"{file.path} ({file.size} bytes)"), ("SHA-256", file.sha256), ("SHA-384", file.sha384)]
    return [
        *facts,
        ("source", listing.source),
        ("licence", listing.licence),
        ("licence of the weights", listing.weights_licence),
        ("trained on", listing.trained_on),
    ]

"""What models there are: the known ones and those on this machine, with where they lie and what their bytes are."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from msgspec import Struct

from passerby.errors import ModelError
from passerby.models.catalogue import CatalogueEntry, catalogue
from passerby.models.checksum import file_digest
from passerby.models.find import SUFFIXES, find_model, model_file
from passerby.models.manifest import Task
from passerby.models.places import embedded_folder, operator_folder, registry_folder

Place = Literal["operator", "registry", "embedded", "elsewhere", "absent"]
"""In the folder of PASSERBY_MODEL_DIR, in the registry folder, among those that come with Passerby, at a path that was
named, or not on this machine."""


class FileBytes(Struct, frozen=True, kw_only=True):
    """One file of a model."""

    path: str
    size: int
    sha256: str
    sha384: str


class Listing(Struct, frozen=True, kw_only=True):
    """One model, for a table or as JSON."""

    name: str
    task: Task | None
    place: Place
    version: str = ""
    files: tuple[FileBytes, ...] = ()
    published: str = ""
    """Which published variant the bytes are; empty: the operator's own, or none is published."""
    licence: str = "unknown"
    weights_licence: str = "unknown"
    trained_on: str = "unknown"
    source: str = "unknown"
    obtain: str = ""
    """How to get it, where it is absent."""
    problem: str = ""
    """Why a file that is here cannot be used."""


def list_models(*, environment: Mapping[str, str] | None = None) -> list[Listing]:
    """Every known model, and every other one on this machine, by name."""
    names = set(catalogue())
    for folder in (operator_folder(environment), registry_folder(environment), embedded_folder()):
        if folder is not None and folder.is_dir():
            names |= {path.stem for path in folder.iterdir() if path.suffix in SUFFIXES}
    return [describe_model(name, environment=environment) for name in sorted(names)]


def describe_model(name_or_path: str, *, environment: Mapping[str, str] | None = None) -> Listing:
    """One model, absent or not. A damaged one is described with its `problem`; nothing is raised for it."""
    place = _place(name_or_path, environment)
    entry = catalogue().get(name_or_path)
    if place == "absent" and entry is not None:
        return Listing(
            name=entry.name,
            task=entry.task,
            place=place,
            licence=entry.licence,
            weights_licence=entry.weights_licence,
            trained_on=entry.trained_on,
            source=entry.source,
            obtain=entry.how_to_get,
        )
    try:
        manifest = find_model(name_or_path, environment=environment)
    except ModelError as error:
        if place == "absent":
            raise
        return Listing(name=name_or_path, task=entry.task if entry else None, place=place, problem=str(error))
    files = tuple(_bytes_of(Path(path)) for path in manifest.files)
    return Listing(
        name=manifest.name,
        task=manifest.task,
        place=place,
        version=manifest.version,
        files=files,
        published=_published_as(files, catalogue().get(manifest.name)),
        licence=manifest.licence,
        weights_licence=manifest.weights_licence,
        trained_on=manifest.trained_on,
        source=manifest.source,
    )


def _place(name_or_path: str, environment: Mapping[str, str] | None) -> Place:
    if Path(name_or_path).suffix in SUFFIXES or "/" in name_or_path:
        return "elsewhere" if Path(name_or_path).expanduser().is_file() else "absent"
    own = operator_folder(environment)
    if own is not None and model_file(own, name_or_path):
        return "operator"
    if model_file(registry_folder(environment), name_or_path):
        return "registry"
    embedded = embedded_folder()
    return "embedded" if embedded is not None and model_file(embedded, name_or_path) else "absent"


def _bytes_of(path: Path) -> FileBytes:
    return FileBytes(
        path=str(path),
        size=path.stat().st_size,
        sha256=file_digest([path], algorithm="sha256"),
        sha384=file_digest([path], algorithm="sha384"),
    )


def _published_as(files: tuple[FileBytes, ...], entry: CatalogueEntry | None) -> str:
    digests = [file.sha384 for file in files]
    for variant in entry.variants if entry else ():
        if [file.sha384 for file in variant.files] == digests:
            return variant.precision
    return ""
